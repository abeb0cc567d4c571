"""Microsoft's compiler on infra/: it says nothing, and what a deployment would make, by Azure's own
template engine, is what this project's own reading of the files and `lanyard onboard` make.

Skipped where there is no compiler (`az bicep install`, or ../shared/tools/bicep).
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lanyard.settings import read_settings
from lanyard.values.resource_id import is_guid
from tests.support.infra.bicep import INFRA
from tests.support.infra.bounded import needed
from tests.support.infra.compiler import LOCATION, Compiler, Snapshot, bicep
from tests.support.infra.deployment import Deployment
from tests.support.infra.watched import (
    POLICIES,
    TOPIC_PRINCIPAL,
    app,
    by_bicep,
    by_command,
    normal,
    parameters,
)

#: The subscription that the app is deployed to, and for each policy one that is watched.
HOME = "44444444-4444-4444-4444-444444444444"
WATCHED = {name: f"22222222-2222-2222-2222-{i:012}" for i, name in enumerate(POLICIES)}
GROUP = "mg-landing"
MANAGED = f"/providers/Microsoft.Management/managementGroups/{GROUP}"
TOPIC = "resourceGroups/rg-lanyard-events/providers/Microsoft.EventGrid/systemTopics/lanyard"
MAIN = {
    "environmentName": "prod",
    "location": LOCATION,
    "notices": True,
    "privateNetworking": True,
    "separateEventsStorage": True,
}
JOIN = {
    key: value
    for key, value in parameters(app(), needed(POLICIES["identities in a group"])).items()
    if key not in ("topicIdentity", "delivery")
} | {"eventsStorageId": app().storage_id.replace("stlanyard", "stevents")}

NEW = "55555555-5555-5555-5555-555555555555"
JOINED = {key: value for key, value in JOIN.items() if key != "rights"} | {
    "identityGroups": ["rg-identities"],
    "identityRole": "66666666-6666-6666-6666-666666666666",
    "configuration": "88888888-8888-8888-8888-888888888888",
}
HASH = "metadata._generator.templateHash"


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    program = bicep()
    if program is None:
        pytest.skip("no Bicep compiler: not on PATH, not in ~/.azure/bin, not in ../shared/tools")
    folder = tmp_path_factory.mktemp("infra")
    shutil.copytree(INFRA, folder, dirs_exist_ok=True)
    made = Compiler(program, folder, [])
    put(folder / "joined.json", json.dumps(made.build("joined.bicep")))
    return made


@pytest.fixture(scope="module")
def snapshot(compiler: Compiler) -> Snapshot:
    """All of it at once, which takes as long as one: main.bicep, watch.bicep for each policy, each
    in a subscription of its own, join.bicep and joined.bicep.
    """
    modules = ["targetScope = 'managementGroup'\n", module(compiler.folder, "join", JOIN)]
    modules.append(module(compiler.folder, "main", MAIN, HOME))
    modules.append(module(compiler.folder, "joined", JOINED, NEW))
    for name, subscription in WATCHED.items():
        values = parameters(app(), needed(POLICIES[name]))
        modules.append(module(compiler.folder, "watch", values, subscription))
    put(compiler.folder / "all.bicep", "\n".join(modules))
    put(compiler.folder / "all.bicepparam", "using 'all.bicep'\n")
    return compiler.snapshot("all.bicepparam", "--management-group-id", GROUP)


def module(folder: Path, file: str, values: Mapping[str, Any], subscription: str = "") -> str:
    """A file as a module, with these parameters."""
    name = f"{file}{subscription[-1:]}"
    put(folder / f"{name}.values.json", json.dumps(values))
    lines = [f"module {name} '{file}.bicep' = {{", f"  name: '{name}'", "  params: {"]
    lines += [f"    {key}: loadJsonContent('{name}.values.json', '{key}')" for key in values]
    lines += ["  }"]
    if subscription:
        lines += [f"  scope: subscription('{subscription}')"]
    return "\n".join([*lines, "}\n"])


def put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def made_of(snapshot: Snapshot) -> dict[str, Any]:
    """What all but main.bicep make, without the policy, which has a template in itself."""
    topics = [f"/subscriptions/{each}/{TOPIC}" for each in (*WATCHED.values(), NEW)]
    joining = f"{MANAGED}/providers/Microsoft.Authorization/policyAssignments/lanyard-join"
    known = {f"{id_}.identity.principalId": TOPIC_PRINCIPAL for id_ in (*topics, joining)}
    return {
        id_: (version, normal(body))
        for id_, version, body in snapshot.made(known)
        if HOME not in id_ and "/policyDefinitions/" not in id_
    }


def test_neither_compiler_nor_linter_has_a_word_to_say(
    compiler: Compiler, snapshot: Snapshot
) -> None:
    assert snapshot.resources
    assert "".join(compiler.told) == ""


def test_the_snapshot_is_this_projects_own_reading(snapshot: Snapshot, compiler: Compiler) -> None:
    identity = {"identity": {"principalId": TOPIC_PRINCIPAL}}
    joined = json.loads((compiler.folder / "joined.json").read_text("utf-8"))
    compiled = {HASH: joined["metadata"]["_generator"]["templateHash"]}
    given = {"join": identity, "topic": identity, "joined.json": compiled}
    joining = Deployment("join.bicep", "", "", dict(JOIN), given, GROUP).run().made
    joining += Deployment("joined.bicep", NEW, "", dict(JOINED), given).run().made
    made: dict[str, Any] = {
        each.id: (each.api_version, normal(each.body))
        for each in joining
        if "/policyDefinitions/" not in each.id
    }
    for name, subscription in WATCHED.items():
        made |= by_bicep(app(), needed(POLICIES[name]), subscription)
    assert made == made_of(snapshot)


@pytest.mark.parametrize("name", POLICIES)
def test_onboard_makes_what_the_snapshot_says(name: str, snapshot: Snapshot) -> None:
    made = by_command(app(), needed(POLICIES[name]), WATCHED[name])
    by_snapshot = made_of(snapshot)
    assert {id_: by_snapshot.get(id_) for id_ in made} == made
    there = {id_ for id_ in by_snapshot if id_.startswith(f"/subscriptions/{WATCHED[name]}")}
    assert there <= {*made}


def test_the_policy_has_the_template_in_itself_and_what_is_for_it_alone(
    snapshot: Snapshot, compiler: Compiler
) -> None:
    """In a template of language version 2.0 the engine leaves a policy rule as it stands, with all
    expressions in it.
    """
    (definition,) = [each for each in snapshot.resources if "policyDefinitions" in each["type"]]
    details = definition["properties"]["policyRule"]["then"]["details"]
    deployed = details["deployment"]["properties"]
    assert details["deployment"]["location"] == JOIN["location"]
    assert all(is_guid(each.rpartition("/")[2]) for each in details["roleDefinitionIds"])
    template = json.loads((compiler.folder / "joined.json").read_text("utf-8"))
    assert "languageVersion" not in template
    assert len(deployed["template"]["resources"]) == len(template["resources"])
    assert {*deployed["parameters"]} == {*template["parameters"]}
    for parameter in deployed["parameters"].values():
        assert parameter["value"].startswith("[parameters('")


def site(snapshot: Snapshot) -> dict[str, Any]:
    (found,) = snapshot.of("Microsoft.Web/sites")
    properties: dict[str, Any] = found["properties"]
    return properties


def test_the_settings_that_are_deployed_are_read_by_the_app(snapshot: Snapshot) -> None:
    """But for what only Azure knows: ids of the identity, addresses."""
    listed = site(snapshot)["siteConfig"]["appSettings"]
    values = {each["name"]: str(each["value"]) for each in listed}
    asked = {name: value for name, value in values.items() if value.startswith("[")}
    known = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "x", "LANYARD_NOTICES_ENDPOINT": "https://x"}
    assert all("reference(" in value for value in asked.values())
    settings = read_settings(values | dict.fromkeys(asked, HOME) | known)
    accounts = [each["name"] for each in snapshot.of("Microsoft.Storage/storageAccounts")]
    (own, events) = sorted(accounts, key=lambda name: name.startswith("stevents"))
    assert settings.queue_url == f"https://{own}.queue.core.windows.net"
    assert values["LANYARD_EVENTS__queueServiceUri"] == f"https://{events}.queue.core.windows.net"
    assert settings.arm.url == "https://management.azure.com"


def test_all_of_the_app_is_in_its_own_group(snapshot: Snapshot) -> None:
    group = f"/subscriptions/{HOME}/resourceGroups/rg-lanyard-prod"
    zones = f"[resourceId('{HOME}', 'rg-lanyard-prod', 'Microsoft.Network/privateDnsZones"
    ids = [id_ for id_, _, _ in snapshot.made({}) if HOME in id_]
    assert len(ids) > 40
    assert [id_ for id_ in ids if group not in id_ and not id_.startswith(zones)] == []
