"""Microsoft's compiler on infra/: it says nothing, and what a deployment would make, by Azure's own
template engine, is what this project's own reading of the files and `lanyard onboard` make.

Skipped where there is no compiler (`az bicep install`, or ../shared/tools/bicep).
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lanyard.desk.onboarding.parts import Deployment
from lanyard.desk.rights import Rights
from lanyard.settings import read_settings
from tests.support.infra.bicep import INFRA
from tests.support.infra.bounded import needed
from tests.support.infra.compiler import Compiler, Snapshot, bicep
from tests.support.infra.watched import (
    POLICIES,
    TOPIC_PRINCIPAL,
    app,
    by_bicep,
    by_command,
    normal,
    parameters,
)

type Reading = Callable[[Deployment, Rights, str], dict[str, Any]]

TOPIC = "resourceGroups/rg-lanyard-events/providers/Microsoft.EventGrid/systemTopics/lanyard"
HOME = "11111111-1111-1111-1111-111111111111"
#: The subscription that each policy's deployment is for: they are deployed together.
SUBSCRIPTIONS = {name: f"22222222-2222-2222-2222-{i:012}" for i, name in enumerate(POLICIES)}
WRAPPER = """\
module of{index} 'watch.bicep' = {{
  name: 'of{index}'
  scope: subscription('{subscription}')
  params: {{
{values}
  }}
}}
"""
MAIN = """\
using 'main.bicep'
param environmentName = 'prod'
param location = 'westeurope'
param notices = true
param privateNetworking = true
"""


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    program = bicep()
    if program is None:
        pytest.skip("no Bicep compiler: not on PATH, not in ~/.azure/bin, not in ../shared/tools")
    folder = tmp_path_factory.mktemp("infra")
    shutil.copytree(INFRA, folder, dirs_exist_ok=True)
    return Compiler(program, folder, [])


@pytest.fixture(scope="module")
def watched(compiler: Compiler) -> Snapshot:
    """watch.bicep for each policy, each in a subscription of its own."""
    files = ["targetScope = 'managementGroup'\n"]
    for index, (name, subscription) in enumerate(SUBSCRIPTIONS.items()):
        given = parameters(app(), needed(POLICIES[name]))
        put(compiler.folder / f"of{index}.json", json.dumps(given))
        values = "\n".join(
            f"    {key}: loadJsonContent('of{index}.json', '{key}')" for key in given
        )
        files.append(WRAPPER.format(index=index, subscription=subscription, values=values))
    put(compiler.folder / "all.bicep", "\n".join(files))
    put(compiler.folder / "all.bicepparam", "using 'all.bicep'\n")
    return compiler.snapshot("all.bicepparam", "--management-group-id", "mg")


@pytest.fixture(scope="module")
def deployed(compiler: Compiler) -> Snapshot:
    """main.bicep."""
    put(compiler.folder / "main.bicepparam", MAIN)
    return compiler.snapshot("main.bicepparam", "--subscription-id", HOME)


def put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def test_neither_compiler_nor_linter_has_a_word_to_say(
    compiler: Compiler, watched: Snapshot, deployed: Snapshot
) -> None:
    assert watched.resources
    assert deployed.resources
    assert "".join(compiler.told) == ""


@pytest.mark.parametrize("reading", [by_bicep, by_command], ids=["own reading", "onboard"])
def test_the_snapshot_is_what_is_made(reading: Reading, watched: Snapshot) -> None:
    """By the own reading of the file, and by the command, for all the policies."""
    topics = [f"/subscriptions/{each}/{TOPIC}" for each in SUBSCRIPTIONS.values()]
    known = {f"{topic}.identity.principalId": TOPIC_PRINCIPAL for topic in topics}
    by_snapshot = {id_: (version, normal(body)) for id_, version, body in watched.made(known)}
    made: dict[str, Any] = {}
    for name, subscription in SUBSCRIPTIONS.items():
        made |= reading(app(), needed(POLICIES[name]), subscription)
    assert made == by_snapshot


def site(deployed: Snapshot) -> dict[str, Any]:
    (found,) = deployed.of("Microsoft.Web/sites")
    properties: dict[str, Any] = found["properties"]
    return properties


def test_the_settings_that_are_deployed_are_read_by_the_app(deployed: Snapshot) -> None:
    """But for what only Azure knows: ids of the identity, addresses."""
    listed = site(deployed)["siteConfig"]["appSettings"]
    values = {each["name"]: str(each["value"]) for each in listed}
    asked = {name: value for name, value in values.items() if value.startswith("[")}
    known = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "x", "LANYARD_NOTICES_ENDPOINT": "https://x"}
    assert all("reference(" in value for value in asked.values())
    settings = read_settings(values | dict.fromkeys(asked, HOME) | known)
    (account,) = deployed.of("Microsoft.Storage/storageAccounts")
    assert settings.queue_url == f"https://{account['name']}.queue.core.windows.net"
    assert settings.arm.url == "https://management.azure.com"


def test_all_of_the_app_is_in_its_own_group(deployed: Snapshot) -> None:
    group = f"/subscriptions/{HOME}/resourceGroups/rg-lanyard-prod"
    zones = f"[resourceId('{HOME}', 'rg-lanyard-prod', 'Microsoft.Network/privateDnsZones"
    ids = [id_ for id_, _, _ in deployed.made({})]
    assert [id_ for id_ in ids if group not in id_ and not id_.startswith(zones)] == []
