"""`lanyard plan` as a person runs it: a process of its own, the real azure-identity, TLS."""

import asyncio
import json
import os
import sys
from pathlib import Path

from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import Addresses, serve
from tests.support.over_the_wire import make_machine

PROJECT = Path(__file__).parents[2]
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


async def lanyard(addresses: Addresses, *arguments: str, **more: str) -> tuple[int, str, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", ""),
        "LANYARD_ARM_ENDPOINT": addresses.arm,
        "LANYARD_ARM_AUDIENCE": "https://management.azure.com",
        "SSL_CERT_FILE": str(addresses.certificates.ca_file),
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lanyard.cli",
        *arguments,
        cwd=PROJECT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_subscription_over_tls_with_ones_own_credentials(tmp_path: Path) -> None:
    azure = Azure()
    subscription = azure.state.add_subscription("production").id
    policy = tmp_path / "lanyard.yaml"
    policy.write_text(POLICY)
    async with serve(azure, make_certificates(tmp_path / "tls")) as addresses:
        await make_machine(azure, addresses.operator.principal, subscription)
        arguments = ["plan", f"/subscriptions/{subscription}", "--policy", str(policy), "--json"]
        code, out, err = await lanyard(
            addresses,
            *arguments,
            IDENTITY_ENDPOINT=addresses.identity_endpoint,
            IDENTITY_HEADER=addresses.operator.identity_header,
        )
        assert (code, err) == (2, "")
        (resource,) = json.loads(out)["resources"]
        assert [each["text"] for each in resource["actions"]] == [
            "create identity id-app in westeurope",
            "attach identity id-app",
        ]

        nobody = {"IDENTITY_ENDPOINT": addresses.identity_endpoint, "IDENTITY_HEADER": "wrong"}
        code, out, err = await lanyard(addresses, *arguments, **nobody)
    assert (code, out) == (1, "")
    assert err.startswith("lanyard: no Azure credentials: run 'az login'")
    assert "Traceback" not in err
