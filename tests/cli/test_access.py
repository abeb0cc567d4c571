"""`lanyard access`: who has access to this, at it, above it and below it, by name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lanyard.desk.access.holdings import Where, where_of
from lanyard.desk.azure.app_setup import Setup
from lanyard.values.resource_id import ResourceId
from simulator.directory.models import Answer
from tests.support.desk import STORAGE, Desk, Ran

OK, ERROR = 0, 1
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
REGIONAL = "id-lanyard-westeurope"


@pytest.fixture
async def app(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    """A machine with Lanyard's role; a person who may read the directory, in an empty folder."""
    monkeypatch.chdir(tmp_path / "..")
    monkeypatch.delenv("LANYARD_POLICY", raising=False)
    await desk.estate.create_vm("vm1")
    await desk.started()
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    return desk


def given(desk: Desk, kind: str, name: str, role: str, scope: str) -> str:
    """A new principal with a role; its object id."""
    principal = desk.estate.azure.state.add_principal(name, kind)
    desk.estate.azure.assign(principal.object_id, role, scope)
    return principal.object_id


async def shown(desk: Desk, target: str, *arguments: str) -> Ran:
    ran = await desk.lanyard("access", target, *arguments)
    assert (ran.code, ran.err) == (OK, "")
    return ran


async def found(desk: Desk, target: str, *arguments: str) -> dict[str, Any]:
    return dict(json.loads((await shown(desk, target, "--json", *arguments)).out))


def of(document: Mapping[str, Any], principal: str) -> dict[str, Any]:
    """The one entry of a principal."""
    (entry,) = (each for each in document["access"] if each["principalId"] == principal)
    return dict(entry)


async def test_a_person_reads_who_has_access_by_name_with_the_rule(app: Desk) -> None:
    given(app, "User", "maria", "Key Vault Secrets User", app.group)
    lines = (await shown(app, app.group, "--policy", str(app.policy))).lines
    assert lines[0] == f"Who has access to {app.group}"
    assert "At it:" in lines
    assert "  Storage Blob Data Reader" in lines
    place = app.policy.read_text().splitlines().index("  - name: machines read blobs") + 1
    rule = f"Lanyard's, rule: machines read blobs ({app.policy}:{place})"
    at = lines.index(f"    rg-identities/{REGIONAL}  user-assigned identity  {rule}")
    assert lines[at + 1] == "      on rg-app/virtualMachines/vm1"
    assert "    maria  user  not Lanyard's" in lines
    assert any(line.startswith("Above it, at subscription ") for line in lines)
    assert any(line.endswith("1 Lanyard's") for line in lines)


async def test_what_stands_above_and_below_is_shown_with_where(app: Desk) -> None:
    account = f"{app.group}/providers/Microsoft.Storage/storageAccounts/stshop"
    state = app.estate.azure.state
    state.subscriptions[app.estate.subscription].management_groups = ("mg-corp",)
    corp = "/providers/Microsoft.Management/managementGroups/mg-corp"
    above = given(app, "User", "auditor", "Reader", corp)
    root = given(app, "User", "admin", "Owner", "/")
    below = given(app, "ServicePrincipal", "backup", "Reader", account)
    document = await found(app, app.group)
    assert (of(document, above)["where"], of(document, above)["level"]) == (
        "above",
        "management group",
    )
    assert (of(document, root)["where"], of(document, root)["level"]) == ("above", "tenant root")
    assert (of(document, below)["where"], of(document, below)["level"]) == ("below", "resource")
    wheres = [each["where"] for each in document["access"]]
    assert wheres == sorted(wheres, key=["at", "above", "below"].index)
    levels = [each["level"] for each in document["access"] if each["where"] == "above"]
    order = ["resource group", "subscription", "management group", "tenant root"]
    assert levels == sorted(levels, key=order.index)
    lines = (await shown(app, app.group)).lines
    assert "Above it, at management group mg-corp:" in lines
    assert "Below it, at resource rg-app/storageAccounts/stshop:" in lines
    assert "    backup  application  not Lanyard's" in lines


async def test_what_is_beside_it_is_not_shown(app: Desk) -> None:
    given(app, "User", "elsewhere", "Reader", f"{app.estate.scope}/resourceGroups/rg-application")
    assert "elsewhere" not in (await shown(app, app.group)).out


async def test_a_group_is_shown_with_its_members_also_through_other_groups(app: Desk) -> None:
    state = app.estate.azure.state
    maria, paul = (state.add_principal(name, "User") for name in ("maria", "paul"))
    inner = state.add_group("inner", [paul.object_id])
    team = state.add_group("team-data", [maria.object_id, inner.object_id])
    app.estate.azure.assign(team.object_id, "Reader", app.group)
    entry = of(await found(app, app.group), team.object_id)
    assert {each["signsInAs"] for each in entry["holder"]["members"]} == {
        "maria",
        "paul",
    }
    lines = (await shown(app, app.group)).lines
    at = lines.index("    team-data  group  not Lanyard's")
    assert sorted(lines[at + 1].removeprefix("      members: ").split(", ")) == [
        "maria",
        "paul",
    ]


async def test_a_group_of_more_than_a_page_is_shown_whole(app: Desk) -> None:
    state = app.estate.azure.state
    people = [state.add_principal(f"p{number}", "User").object_id for number in range(1005)]
    crowd = state.add_group("crowd", people)
    app.estate.azure.assign(crowd.object_id, "Reader", app.group)
    entry = of(await found(app, app.group), crowd.object_id)
    assert {each["principalId"] for each in entry["holder"]["members"]} == {*people}


async def test_where_the_directory_may_not_be_read_it_says_so_and_shows_ids(app: Desk) -> None:
    team = app.estate.azure.state.add_group("team-data", [])
    app.estate.azure.assign(team.object_id, "Reader", app.group)
    app.estate.platform.directory.revoke_permissions(app.person.object_id)
    document = await found(app, app.group)
    assert document["directory"]["read"] is False
    assert "Authorization_RequestDenied" in document["directory"]["reason"]
    holder = of(document, team.object_id)["holder"]
    assert (holder["name"], holder["members"]) == (None, None)
    assert "Authorization_RequestDenied" in holder["membersUnread"]
    ran = await shown(app, app.group)
    assert f"    {team.object_id}  group  not Lanyard's" in ran.lines
    assert "! names are not shown: " in ran.out
    assert f"    rg-identities/{REGIONAL}  user-assigned identity  Lanyard's" in ran.lines


async def test_who_is_gone_is_unknown_to_the_directory(app: Desk) -> None:
    gone = given(app, "ServicePrincipal", "gone", "Reader", app.group)
    app.estate.azure.state.delete_principal(gone)
    assert of(await found(app, app.group), gone)["holder"]["kind"] == "unknown"


async def test_a_directory_that_answers_nothing_makes_nobody_unknown(app: Desk) -> None:
    alive = given(app, "ServicePrincipal", "alive", "Reader", app.group)
    app.estate.platform.directory.behaviour.answer = Answer.EMPTY
    assert of(await found(app, app.group), alive)["holder"]["kind"] == "undetermined"


async def test_without_a_policy_no_rule_is_named_and_a_policy_without_the_rule_says_so(
    app: Desk,
) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    assert of(await found(app, app.group), principal)["rules"] is None
    text = app.policy.read_text()
    app.write_policy(text.replace("role: Storage Blob Data Reader", "role: AcrPull"))
    entry = of(await found(app, app.group, "--policy", str(app.policy)), principal)
    assert (entry["by"], entry["rules"]) == ("lanyard", [])
    ran = await shown(app, app.group, "--policy", str(app.policy))
    assert "Lanyard's, no rule asks for it" in ran.out


async def test_with_its_storage_only_what_this_app_made_is_lanyards(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    ran = await app.app("access", app.group, "--json")
    assert of(json.loads(ran.out), principal)["by"] == "lanyard"
    other = "11111111-1111-4111-8111-111111111111"
    document = await found(app, app.group, "--installation", other)
    assert of(document, principal)["by"] == "anotherLanyard"


async def test_a_resource_shows_who_can_reach_it_from_above(app: Desk) -> None:
    vm = app.estate.vm_id("vm1").text
    document = await found(app, vm)
    assert document["listed"] is True
    assert document["summary"]["at"] == 0
    assert document["summary"]["lanyard"] == 1


async def test_a_resource_that_is_not_listed_is_shown_with_a_warning(app: Desk) -> None:
    ran = await shown(app, f"{app.group}/providers/Microsoft.KeyVault/vaults/kv-misspelt")
    assert "! Resource Graph does not list it" in ran.out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("SCOPE/resourceGroups/rg-nowhere", "rg-nowhere"),
        ("/providers/Microsoft.Management/managementGroups/mg", "is no resource id"),
    ],
)
async def test_what_is_not_there_is_an_error(app: Desk, target: str, message: str) -> None:
    ran = await app.lanyard("access", target.replace("SCOPE", app.estate.scope))
    assert ran.code == ERROR
    assert message in ran.err


GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-a"


@pytest.mark.parametrize(
    ("scope", "where"),
    [
        (GROUP.upper(), Where.AT),
        (f"{GROUP}/providers/Microsoft.Web/sites/a", Where.BELOW),
        (f"{GROUP}b", None),
        (f"{GROUP}b/providers/Microsoft.Web/sites/a", None),
        ("/subscriptions/11111111-1111-4111-8111-111111111111", Where.ABOVE),
        ("/subscriptions/21111111-1111-4111-8111-111111111111", None),
        ("/providers/Microsoft.Management/managementGroups/mg", Where.ABOVE),
        ("/", Where.ABOVE),
    ],
)
def test_where_a_scope_is_seen_from_a_group(scope: str, where: Where | None) -> None:
    assert where_of(scope, ResourceId.parse(GROUP)) is where


async def test_what_the_apps_own_identity_holds_is_the_apps_own(app: Desk) -> None:
    principal = app.estate.app.object_id
    known = await app.app("access", app.estate.scope)
    assert "    id-lanyard-app  application  the app's own" in known.lines
    shown = json.loads((await app.app("access", app.estate.scope, "--json")).out)["access"]
    assert {one["principalId"] for one in shown if one["heldByTheApp"]} == {principal}
    unknown = await found(app, app.estate.scope)
    assert not any(one["heldByTheApp"] for one in unknown["access"])
    named = await found(app, app.estate.scope, "--app-principal", principal.upper())
    assert any(one["heldByTheApp"] for one in named["access"])


async def test_the_apps_own_identity_is_known_by_its_record(
    app: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def by_client_id(_setup: Setup, client_id: str) -> str:
        return {app.estate.app.client_id: app.estate.app.object_id}.get(client_id, "")

    monkeypatch.setattr(Setup, "principal", by_client_id)
    ran = await app.lanyard("access", app.estate.scope, "--storage", STORAGE)
    assert "    id-lanyard-app  application  the app's own" in ran.lines
