"""`lanyard plan` as a person runs it: a process of its own, the real azure-identity, TLS."""

import json
from pathlib import Path

from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import serve
from tests.support.installed_command import lanyard_of as lanyard
from tests.support.over_the_wire import make_machine

POLICY = """\
version: 1
mode: full
identities:
  app: {name: id-app, resourceGroup: rg-identities, per: [subscription]}
rules:
  - name: all machines
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [app]
"""


async def test_a_subscription_over_tls_with_ones_own_credentials(tmp_path: Path) -> None:
    azure = Azure()
    subscription = azure.state.add_subscription("production").id
    policy = tmp_path / "lanyard.yaml"
    policy.write_text(POLICY)
    async with serve(azure, make_certificates(tmp_path / "tls")) as addresses:
        await make_machine(azure, addresses.operator.principal, subscription)
        arguments = ["plan", f"/subscriptions/{subscription}", "--policy", str(policy), "--json"]
        code, out, err = await lanyard(addresses, tmp_path, *arguments)
        assert (code, err) == (2, "")
        (resource,) = json.loads(out)["resources"]
        assert [each["text"] for each in resource["actions"]] == [
            "create identity id-app in westeurope",
            "attach identity id-app",
        ]

        code, out, err = await lanyard(addresses, tmp_path, *arguments, IDENTITY_HEADER="wrong")
    assert (code, out) == (1, "")
    assert err.startswith("lanyard: no Azure credentials: run 'az login'")
    assert "Traceback" not in err
