"""A change of a policy as a person tests and reviews it: the installed command, the real
azure-identity, TLS; each command as a table, as JSON, as Markdown or a page, and where it fails.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lanyard.cli.diff.markdown import MARK
from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import Addresses, serve
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
    imdsDefault: accept
"""
NOTHING = "version: 1\nmode: full\n"
WIDER = POLICY.replace("    attach: [app]\n", "    attach: [app]\n    system: true\n")
TESTS = """\
tests:
  - name: a machine has the identity of all
    resource: {type: Microsoft.Compute/virtualMachines}
    expect: {attached: [id-app]}
"""


@pytest.fixture
async def addresses(tmp_path: Path) -> AsyncIterator[Addresses]:
    azure = Azure()
    subscription = azure.state.add_subscription("production").id
    for name, text in (
        ("old", POLICY),
        ("new", WIDER),
        ("nothing", NOTHING),
        ("broken", "version: 2\n"),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "old.test.yaml").write_text(TESTS)
    (tmp_path / "new.test.yaml").write_text(TESTS)
    (tmp_path / "scope").write_text(f"/subscriptions/{subscription}\n")
    async with serve(azure, make_certificates(tmp_path / "tls")) as addresses:
        await make_machine(azure, addresses.operator.principal, subscription)
        yield addresses


async def test_a_difference(addresses: Addresses, tmp_path: Path) -> None:
    code, out, err = await lanyard(addresses, tmp_path, "diff", "old.yaml", "new.yaml")
    assert (code, err) == (0, "")
    assert "of 1 resource 1 gain" in out
    assert "+ enable the system-assigned identity: rg-app/virtualMachines/vm1" in out
    forms = ["--json", "--markdown", "diff.md", "--html", "diff.html"]
    code, out, err = await lanyard(addresses, tmp_path, "diff", "old.yaml", "nothing.yaml", *forms)
    assert (code, err, json.loads(out)["summary"]["lose"]) == (2, "", 1)
    assert (tmp_path / "diff.md").read_text().startswith(MARK)
    assert "lose" in (tmp_path / "diff.html").read_text()
    code, out, err = await lanyard(addresses, tmp_path, "diff", "old.yaml", "broken.yaml")
    assert (code, out) == (1, "")
    assert "broken.yaml:1" in err


async def test_a_plan(addresses: Addresses, tmp_path: Path) -> None:
    of_all = ["plan", "--list", "scope", "--policy"]
    code, out, err = await lanyard(addresses, tmp_path, *of_all, "old.yaml")
    assert (code, err) == (2, "")
    assert "+ attach identity id-app: rg-app/virtualMachines/vm1" in out
    code, out, err = await lanyard(
        addresses, tmp_path, *of_all, "old.yaml", "--json", "--html", "plan.html"
    )
    assert (code, err, json.loads(out)["summary"]["attach"]) == (2, "", 1)
    assert "id-app" in (tmp_path / "plan.html").read_text()
    code, out, err = await lanyard(addresses, tmp_path, *of_all, "broken.yaml")
    assert (code, out) == (1, "")
    assert "broken.yaml:1" in err


async def test_tests(addresses: Addresses, tmp_path: Path) -> None:
    code, out, err = await lanyard(addresses, tmp_path, "test", "old.test.yaml")
    assert (code, err) == (0, "")
    assert "test: 1 case passed, 1 of 1 rule tested" in out
    forms = ["--json", "--junit", "tests.xml"]
    code, out, err = await lanyard(addresses, tmp_path, "test", "new.test.yaml", *forms)
    assert (code, err) == (2, "")
    assert not json.loads(out)["files"][0]["cases"][0]["passed"]
    assert "<failure" in (tmp_path / "tests.xml").read_text()
    (tmp_path / "bad.test.yaml").write_text("tests: 3\n")
    code, out, err = await lanyard(addresses, tmp_path, "test", "bad.test.yaml")
    assert code == 1
    assert "bad.test.yaml:1" in out + err
