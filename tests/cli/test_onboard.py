"""`lanyard onboard` and `offboard`: made by the command, seen by what reaches the app."""

import json
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.cli.catalogue import COMMANDS
from lanyard.cli.frame import connect
from lanyard.queue.messages import EVENTS
from lanyard.values.errors import LanyardError
from simulator.event_grid.models import EventSubscription
from simulator.faults import Fault
from tests.support.desk import Desk, Ran
from tests.support.documented import undocumented
from tests.support.estate import BLOB_READER, POLICY
from tests.support.handlers import started
from tests.support.watched import Onboarder, UnwatchedEstate

OK, ERROR, CHANGES = 0, 1, 2
PARTS = 13
REGISTERED = 3


@pytest.fixture
async def me(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Onboarder:
    estate = UnwatchedEstate()
    desk = Desk(tmp_path, monkeypatch, capsys, estate=estate)
    await started(estate, monkeypatch)
    await desk.started()
    return Onboarder(desk, estate)


def steps(ran: Ran) -> list[dict[str, Any]]:
    document = json.loads(ran.out)
    return [step for each in document["subscriptions"] for step in each["steps"]]


def verbs(ran: Ran) -> set[str]:
    return {step["verb"] for step in steps(ran)}


async def test_after_it_a_machine_gets_its_identity_and_after_offboard_none(me: Onboarder) -> None:
    ran = await me.run("onboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    await me.estate.create_vm("vm1")
    assert "Microsoft.Compute/virtualMachines/write" in await me.estate.hear()
    assert list(await me.estate.identity_of("vm1")) == ["id-lanyard-westeurope"]

    ran = await me.run("offboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    await me.estate.create_vm("vm2")
    assert await me.estate.hear() == []
    assert await me.estate.identity_of("vm2") == {}


async def test_a_dry_run_shows_everything_and_changes_nothing(me: Onboarder) -> None:
    before = me.there()
    ran = await me.run("onboard", "--dry-run")
    assert (ran.code, ran.err) == (CHANGES, "")
    assert sum(line.startswith("+ create") for line in ran.lines) == PARTS - REGISTERED
    assert ran.lines[-1].startswith(f"onboard: {PARTS - REGISTERED} to create")
    assert me.there() == before
    assert [call for call in me.desk.calls() if not call.startswith(("GET", "POST"))] == []


async def test_a_second_time_there_is_nothing_to_do_and_nothing_is_written(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    there = me.there()
    me.desk.calls()
    ran = await me.run("onboard", "--yes", "--json")
    assert (ran.code, verbs(ran)) == (OK, {"keep"})
    assert len(steps(ran)) == PARTS
    assert [call for call in me.desk.calls() if not call.startswith("GET")] == []
    assert me.there() == there


async def test_offboard_takes_back_exactly_what_onboard_made(me: Onboarder) -> None:
    before = me.there()
    await me.run("onboard", "--yes")
    assert me.there() != before
    await me.run("offboard", "--yes")
    assert me.there() == before
    ran = await me.run("offboard", "--yes", "--json")
    assert (ran.code, steps(ran)) == (OK, [])
    ran = await me.run("onboard", "--yes")
    assert ran.code == OK
    await me.estate.create_vm("vm1")
    await me.estate.hear()
    assert list(await me.estate.identity_of("vm1")) == ["id-lanyard-westeurope"]


async def test_where_azure_refuses_the_topic_an_identity_it_is_watched_without(
    me: Onboarder,
) -> None:
    me.estate.platform.event_grid.behaviour.global_identity_refused = True
    ran = await me.run("onboard", "--yes")
    assert ran.code == ERROR
    assert "identity is unavailable for location 'global'" in ran.out + ran.err
    ran = await me.run("onboard", "--yes", "--no-topic-identity")
    assert (ran.err, ran.code) == ("", OK)
    await me.estate.create_vm("vm1")
    assert "Microsoft.Compute/virtualMachines/write" in await me.estate.hear()
    ran = await me.run("onboard", "--yes", "--no-topic-identity", "--json")
    assert (ran.code, verbs(ran)) == (OK, {"keep"})
    ran = await me.run("onboard", "--no-topic-identity", "--delivery=queue")
    assert ran.code == ERROR
    assert "it needs one" in ran.err
    ran = await me.run("offboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert me.there()["resources"] == []


async def test_a_group_that_takes_long_to_go_is_waited_for(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    me.estate.azure.behaviour.group_delete_seconds = 90
    ran = await me.run("offboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert me.there()["resources"] == []


async def test_what_is_partly_there_is_completed_and_what_is_wrong_is_mended(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    whole = me.there()
    state, grid = me.estate.azure.state, me.estate.platform.event_grid
    (deletes,) = [each for each in grid.subscriptions if each.endswith("lanyard-deletes")]
    grid.unsubscribe(deletes)
    (role,) = [each for each in state.role_definitions.values() if each.role_name == _role(me)]
    role.actions.remove("Microsoft.Compute/virtualMachines/write")
    ran = await me.run("onboard", "--yes", "--json")
    assert ran.code == OK
    done = {step["about"]: step["verb"] for step in steps(ran) if step["done"]}
    assert done == {
        "definition of custom role Lanyard": "change",
        "event subscription lanyard-deletes": "create",
    }
    (changed,) = [step for step in steps(ran) if step["verb"] == "change"]
    assert changed["differs"] == ["properties.permissions"]
    assert me.there() == whole


def _role(me: Onboarder) -> str:
    return f"Lanyard {me.estate.subscription}"


@pytest.mark.parametrize(
    ("action", "unmade"),
    [
        ("Microsoft.Authorization/roleDefinitions/write", 4),
        ("Microsoft.EventGrid/systemTopics/write", 5),
        ("Microsoft.EventGrid/systemTopics/eventSubscriptions/write", 2),
        ("Microsoft.Resources/subscriptions/resourceGroups/write", 6),
        ("Microsoft.Insights/metricAlerts/write", 1),
    ],
)
async def test_a_right_that_is_missing_is_named_and_a_second_run_finishes(
    me: Onboarder, action: str, unmade: int
) -> None:
    me.lack(action)
    ran = await me.run("onboard", "--yes", "--json")
    assert ran.code == ERROR
    assert f"you need the right {action} on /subscriptions/{me.estate.subscription}" in ran.err
    assert "run it again" in ran.err
    undone = [step for step in steps(ran) if step["error"]]
    assert len(undone) == unmade
    assert sum(step["error"].startswith("not tried: it needs /") for step in undone) > unmade - 3
    assert sum(step["done"] for step in steps(ran)) == PARTS - REGISTERED - unmade

    me.lack_nothing()
    ran = await me.run("onboard", "--yes", "--json")
    assert (ran.err, ran.code) == ("", OK)
    assert sum(step["done"] for step in steps(ran)) == unmade


async def test_administrator_of_assignments_alone_is_not_enough(me: Onboarder) -> None:
    state, person = me.estate.azure.state, me.desk.person.object_id
    for id_, each in [*state.role_assignments.items()]:
        if each.principal_id == person:
            del state.role_assignments[id_]
    for role in ("Contributor", "Role Based Access Control Administrator"):
        me.estate.azure.assign(person, role, me.estate.scope)
    ran = await me.run("onboard", "--yes")
    assert "you need the right Microsoft.Authorization/roleDefinitions/write" in ran.err
    me.estate.azure.assign(person, "User Access Administrator", me.estate.scope)
    assert (await me.run("onboard", "--yes")).code == OK


async def test_case_C14_a_grant_that_does_not_count_yet_is_waited_for(me: Onboarder) -> None:
    me.estate.azure.behaviour.role_propagation_seconds = 590
    ran = await me.run("onboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert "waiting until what was just made for it counts" in ran.out
    await me.estate.create_vm("vm1")
    assert await me.estate.hear() != []


async def test_case_C14_a_grant_that_never_counts_is_given_up_after_ten_minutes(
    me: Onboarder,
) -> None:
    me.estate.azure.behaviour.role_propagation_seconds = 10_000
    ran = await me.run("onboard", "--yes")
    assert (ran.code, "cannot write to the dead-letter container" in ran.err) == (ERROR, True)
    assert "takes up to ten minutes to count" in ran.err
    me.estate.azure.clock.advance(10_000)
    assert (await me.run("onboard", "--yes")).code == OK


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "RoleDefinitionDoesNotExist"),
        (404, "RoleDefinitionDoesNotExist"),
        (400, "RoleAssignmentScopeNotAssignableToRoleDefinition"),
        (400, "PrincipalNotFound"),
    ],
)
async def test_case_C12_a_role_that_was_just_made_is_waited_for(
    me: Onboarder, status: int, code: str
) -> None:
    fault = Fault(method="PUT", path="roleAssignments", status=status, code=code, times=3)
    me.estate.azure.faults.add(fault)
    ran = await me.run("onboard", "--yes")
    assert (ran.err, ran.code, fault.hits) == ("", OK, 3)


async def test_providers_are_registered_before_they_are_needed(me: Onboarder) -> None:
    unregistered = me.estate.azure.state.unregistered
    unregistered |= {
        (me.estate.subscription, each)
        for each in ("microsoft.eventgrid", "microsoft.insights", "microsoft.managedidentity")
    }
    ran = await me.run("onboard", "--dry-run")
    assert "+ change   resource provider" not in ran.out
    assert sum("resource provider" in line for line in ran.lines) == 3
    ran = await me.run("onboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert unregistered == set()


async def test_a_call_that_fails_on_the_way_is_shown_and_the_rest_is_done(me: Onboarder) -> None:
    fault = Fault(method="PUT", path="metricAlerts", status=400, code="BadRequest", times=1)
    me.estate.azure.faults.add(fault)
    ran = await me.run("onboard", "--yes", "--json")
    assert (ran.code, [step["about"] for step in steps(ran) if step["error"]]) == (
        ERROR,
        ["alert lanyard-dead-letters"],
    )
    assert (await me.run("onboard", "--yes")).code == OK


async def test_the_topic_of_another_tool_is_used_and_left(me: Onboarder) -> None:
    path = f"{me.estate.scope}/resourceGroups/rg-app/providers/Microsoft.EventGrid/systemTopics/x"
    properties = {"source": me.estate.scope, "topicType": "Microsoft.Resources.Subscriptions"}
    body: dict[str, Any] = {"location": "global", "properties": properties}
    await _put(me, path, body)
    ran = await me.run("onboard", "--yes")
    assert (ran.code, "--identity systemassigned" in ran.err) == (ERROR, True)
    assert me.there()["subscriptions"] == []

    await _put(me, path, {**body, "identity": {"type": "SystemAssigned"}})
    ran = await me.run("onboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    made = [each.rpartition("/")[2] for each in me.there()["subscriptions"]]
    assert made == ["lanyard-deletes", "lanyard-writes"]
    await me.estate.create_vm("vm1")
    assert await me.estate.hear() != []
    ran = await me.run("offboard", "--yes")
    assert (ran.code, me.there()["subscriptions"], me.there()["resources"]) == (OK, [], [path])


async def _put(me: Onboarder, path: str, body: dict[str, Any]) -> None:
    poller = await me.desk._owner.resources.begin_create_or_update_by_id(
        path, body, api_version="2022-06-15", polling_interval=1
    )
    await poller.wait()


async def test_what_others_have_beside_it_stays(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    grid = me.estate.platform.event_grid
    (mine, *_) = grid.subscriptions.values()
    theirs = f"{mine.topic_id}/eventSubscriptions/audit"
    await _put(me, theirs, {"properties": _to_webhook()})
    ran = await me.run("offboard", "--yes", "--json")
    assert ran.code == OK
    notes = json.loads(ran.out)["subscriptions"][0]["notes"]
    assert [note.partition(",")[0].rpartition("/")[2] for note in notes] == [
        "lanyard",
        "kept: resource group rg-lanyard-events",
    ]
    assert list(grid.subscriptions) == [theirs.lower()]


def _to_webhook() -> dict[str, Any]:
    url = {"endpointUrl": "https://audit.example/events"}
    return {"destination": {"endpointType": "WebHook", "properties": url}}


async def test_what_another_app_has_in_the_subscription_stays(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    there = me.there()
    other = f"{me.estate.scope}/resourceGroups/rg-other/providers/Microsoft.Web/sites/func"
    options = ["--app-id", other, "--app-principal", me.estate.operator.object_id, "--json"]
    ran = await me.desk.lanyard(
        "offboard", me.estate.subscription, "--storage-id", f"{other}x", *options, "--yes"
    )
    assert (ran.err, ran.code, steps(ran)) == ("", OK, [])
    notes = json.loads(ran.out)["subscriptions"][0]["notes"]
    assert notes[0].startswith("kept: alert lanyard-dead-letters, which another app needs")
    assert sum("assigned to another principal" in note for note in notes) == 2
    assert me.there() == there


async def test_a_narrower_policy_narrows_the_rights(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    me.desk.write_policy(me.desk.policy.read_text().replace("mode: full", "mode: add-only"))
    ran = await me.run("onboard", "--yes", "--json")
    changed = {step["about"]: step["differs"] for step in steps(ran) if step["done"]}
    assert list(changed) == [
        "definition of custom role Lanyard",
        f"assignment of custom role Lanyard at subscription {me.estate.subscription}",
    ]
    (assignment,) = [
        each
        for each in me.estate.azure.state.role_assignments.values()
        if each.principal_id == me.estate.app.object_id and each.scope == me.estate.scope
    ]
    assert "roleAssignments/delete" not in (assignment.condition or "")


async def test_grants_that_stay_are_counted_by_offboard(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    await me.estate.create_vm("vm1")
    await me.estate.hear()
    granted = me.estate.assignments(of=(await me.estate.identity_of("vm1")).popitem()[1])
    assert len(granted) == 1
    ran = await me.run("offboard")
    assert (ran.code, "1 role assignments that Lanyard made stay" in ran.out) == (ERROR, True)
    ran = await me.run("offboard", "--yes", "--json")
    assert json.loads(ran.out)["subscriptions"][0]["grantsLeft"] == 1
    ran = await me.run("offboard", "--yes")
    assert "1 role assignments that Lanyard made stay" in ran.out


async def test_what_is_offboarded_forbids_no_deletion(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    unread = me.estate.services.unread
    await unread.found({me.estate.subscription})
    await me.run("offboard", "--dry-run")
    assert await unread.read() == {me.estate.subscription}
    assert (await me.run("offboard", "--yes")).code == OK
    assert await unread.read() == frozenset()


async def test_offboard_names_the_right_that_the_apps_record_takes(
    me: Onboarder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await me.run("onboard", "--yes")

    def forbidden(*_options: object) -> None:
        raise LanyardError("you need Storage Table Data Contributor")

    monkeypatch.setattr(connect, "app", forbidden)
    ran = await me.run("offboard", "--yes")
    assert (ran.code, "Storage Table Data Contributor" in ran.err) == (ERROR, True)
    assert me.there()["assignments"] == []


async def test_an_identity_that_another_subscription_needs_keeps_its_operator(
    me: Onboarder,
) -> None:
    state = me.estate.azure.state
    second = state.add_subscription("second").id
    me.own(f"/subscriptions/{second}")
    shared = (
        f"{me.estate.scope}/resourceGroups/rg-identities/providers/"
        "Microsoft.ManagedIdentity/userAssignedIdentities/id-shared"
    )
    rule = "name: r, match: {types: [Microsoft.Compute/virtualMachines]}, attach: [i]"
    me.desk.write_policy(
        f"version: 1\nmode: full\nidentities: {{i: {{id: {shared}}}}}\nrules: [{{{rule}}}]\n"
    )
    assert (await me.run("onboard", me.estate.subscription, second, "--yes")).code == OK
    ran = await me.run("offboard", "--yes")
    assert (ran.code, f"which the app may need for subscription {second}" in ran.out) == (OK, True)
    assert [scope for _, scope in me.there()["assignments"] if scope == shared] == [shared]
    ran = await me.run("offboard", second, "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert me.there()["assignments"] == []


async def test_nothing_is_changed_where_nobody_can_be_asked(me: Onboarder) -> None:
    before = me.there()
    ran = await me.run("onboard")
    assert (ran.code, "--yes does it unasked" in ran.err) == (ERROR, True)
    assert f"onboard: {PARTS - REGISTERED} to create" not in ran.out
    assert sum(line.startswith("+ create") for line in ran.lines) == PARTS - REGISTERED
    assert me.there() == before


@pytest.mark.parametrize(("answer", "code"), [("y", OK), ("n", ERROR)])
async def test_it_asks_before_it_changes(
    me: Onboarder, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    before = me.there()
    monkeypatch.setattr(
        "lanyard.cli.onboarding.steps.sys.stdin.isatty", lambda: True, raising=False
    )
    asked: list[str] = []

    def ask(question: str, **_options: object) -> bool:
        asked.append(question)
        return answer == "y"

    monkeypatch.setattr("lanyard.cli.onboarding.steps.typer.confirm", ask)
    ran = await me.run("onboard")
    assert (ran.code, asked) == (code, ["onboard: go on?"])
    assert (me.there() == before) is (answer == "n")


async def test_a_missing_option_or_a_wrong_id_is_shown_before_any_call(me: Onboarder) -> None:
    me.desk.calls()
    ran = await me.desk.lanyard("onboard", me.estate.subscription)
    assert ran.code == ERROR
    assert "--app-id (LANYARD_APP_ID)" in ran.err
    assert "azd env get-values" in ran.err
    ran = await me.run("offboard", "production")
    assert (ran.code, "no id of a subscription" in ran.err) == (ERROR, True)
    assert me.desk.calls() == []


@pytest.mark.parametrize("command", ["onboard", "offboard"])
async def test_every_key_of_the_json_is_documented(me: Onboarder, command: str) -> None:
    await me.run("onboard", "--yes")
    ran = await me.run(command, "--dry-run", "--json")
    (shape,) = [each.command().shape for each in COMMANDS if each.name == command]
    document = json.loads(ran.out)
    assert document["subscriptions"][0]["steps"]
    assert list(undocumented(document, shape)) == []


async def test_a_subscription_that_another_tenant_delegates_is_not_watched(me: Onboarder) -> None:
    azure = me.estate.azure
    theirs = azure.state.add_subscription("theirs")
    theirs.tenant = "7e4a4701-0000-4000-8000-000000000002"
    me.own(f"/subscriptions/{theirs.id}")
    before = me.there()
    ran = await me.run("onboard", theirs.id, "--yes", "--json")
    assert ran.code == ERROR
    (step,) = steps(ran)
    assert f"it is of tenant {theirs.tenant}, the app of {azure.state.tenant_id}" in step["error"]
    assert me.there() == before


# Rights by group.

BY_GROUP = POLICY.replace("exclude:", "resourceGroups: [rg-app, rg-later], exclude:")
GROUPS = ("--by-group", "--yes")


@pytest.fixture
def named(me: Onboarder) -> Onboarder:
    """At hand is a policy that names its groups, of which one is not there."""
    me.desk.write_policy(BY_GROUP)
    return me


def standing(me: Onboarder) -> dict[str, list[str]]:
    """The scopes below the subscription of the app's assignments, by the last words of the role."""
    state, scope = me.estate.azure.state, me.estate.scope
    found: dict[str, list[str]] = {}
    for each in state.role_assignments.values():
        if each.principal_id == me.estate.app.object_id:
            role = state.role_definitions[each.role_definition_id.rpartition("/")[2]].role_name
            name = role.removesuffix(f" {me.estate.subscription}")
            found.setdefault(name, []).append(each.scope.removeprefix(scope))
    return {name: sorted(scopes) for name, scopes in sorted(found.items())}


AT_GROUPS = {
    "Lanyard": [""],
    "Lanyard changes": ["/resourceGroups/rg-app"],
    "Lanyard grants": ["/resourceGroups/rg-app"],
    "Lanyard identities": ["/resourceGroups/rg-identities"],
}


async def test_by_group_a_machine_gets_its_identity_and_offboard_takes_all_back(
    named: Onboarder,
) -> None:
    before = named.there()
    ran = await named.run("onboard", *GROUPS)
    assert (ran.err, ran.code) == ("", OK)
    assert "no resource group rg-later: run it again when it is there" in ran.out
    assert standing(named) == AT_GROUPS
    named.estate.change_policy(BY_GROUP)
    await named.estate.create_vm("vm1")
    await named.estate.hear()
    assert list(await named.estate.identity_of("vm1")) == ["id-lanyard-westeurope"]
    given = [at for role, at, _ in named.estate.assignments() if role == BLOB_READER]
    assert given == [named.desk.group]
    ran = await named.run("onboard", *GROUPS, "--json")
    assert (ran.code, verbs(ran)) == (OK, {"keep"})
    ran = await named.run("offboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    left = named.there()
    assert (left["roles"], left["subscriptions"]) == (before["roles"], before["subscriptions"])
    assert standing(named) == {}


async def test_by_group_the_rights_become_less_and_more_again(named: Onboarder) -> None:
    await named.run("onboard", "--yes")
    wide = named.there()
    ran = await named.run("onboard", *GROUPS, "--json")
    assert (ran.err, ran.code, standing(named)) == ("", OK, AT_GROUPS)
    order = [step["about"] for step in steps(ran) if step["done"]]
    first = order.index("assignment of custom role Lanyard grants at rg-app")
    assert first < order.index("definition of custom role Lanyard")
    ran = await named.run("onboard", "--yes", "--json")
    gone = [step["about"] for step in steps(ran) if step["verb"] == "remove"]
    assert gone == [
        "assignment of custom role at rg-app, which the policy does not name",
        "assignment of custom role at rg-app, which the policy does not name",
    ]
    assert named.there()["assignments"] == wide["assignments"]


async def test_a_role_comes_to_assign_roles_only_once_its_condition_is_there(
    named: Onboarder,
) -> None:
    await named.run("onboard", *GROUPS)
    fault = Fault(method="PUT", path="roleAssignments", status=403, code="AuthorizationFailed")
    named.estate.azure.faults.add(fault)
    ran = await named.run("onboard", "--yes", "--json")
    assert ran.code == ERROR
    undone = [step["about"] for step in steps(ran) if step["error"]]
    assert undone == [
        f"assignment of custom role Lanyard at subscription {named.estate.subscription}",
        "definition of custom role Lanyard",
    ]
    state = named.estate.azure.state
    (role,) = [each for each in state.role_definitions.values() if each.role_name == _role(named)]
    assert {action.rpartition("/")[2] for action in role.actions} == {"read"}
    ran = await named.run("onboard", "--yes", "--json")
    assert (ran.err, ran.code) == ("", OK)
    assert [step["about"] for step in steps(ran) if step["done"]][:2] == undone


async def test_by_group_what_the_policy_names_no_more_loses_the_rights(named: Onboarder) -> None:
    await named.run("onboard", *GROUPS)
    named.desk.write_policy(BY_GROUP.replace("rg-app, rg-later", "rg-later, rg-identities"))
    ran = await named.run("onboard", *GROUPS)
    assert (ran.err, ran.code) == ("", OK)
    there = ["/resourceGroups/rg-identities"]
    assert standing(named) == AT_GROUPS | {"Lanyard changes": there, "Lanyard grants": there}


async def test_by_group_a_rule_that_names_none_is_refused_before_any_call(me: Onboarder) -> None:
    me.desk.calls()
    ran = await me.run("onboard", *GROUPS)
    assert (ran.code, "rule 'machines read blobs' is for resources of any group" in ran.err) == (
        ERROR,
        True,
    )
    assert me.desk.calls() == []


async def test_by_group_a_subscription_that_joined_is_refused(named: Onboarder) -> None:
    place = "/providers/Microsoft.Management/managementGroups/mg-landing"
    subscription = named.estate.azure.state.subscriptions[named.estate.subscription]
    subscription.management_groups = ("mg-landing",)
    named.estate.azure.assign(named.estate.app.object_id, "Reader", place)
    before = named.there()
    ran = await named.run("onboard", *GROUPS, "--json")
    assert ran.code == ERROR
    (step,) = steps(ran)
    assert f"has its rights at {place}, by which the subscription joined" in step["error"]
    assert named.there() == before


async def doctors_rights(me: Onboarder) -> list[dict[str, str]]:
    """What is wrong with them."""
    watch = ["--watch", me.estate.subscription]
    ran = await me.desk.app("doctor", "--policy", str(me.desk.policy), "--json", *watch)
    found = json.loads(ran.out)["findings"]
    return [each for each in found if each["check"] == "rights" and each["fix"]]


async def test_by_group_doctor_names_a_group_that_was_made_anew(named: Onboarder) -> None:
    await named.run("onboard", *GROUPS)
    assert await doctors_rights(named) == []
    named.estate.azure.behaviour.scope_deletion_removes_assignments = True
    await named.estate.delete_group("rg-app")
    assert await doctors_rights(named) == []  # nothing is needed in it
    await named.estate.create_groups()
    for made_anew in (named.desk.group, f"{named.estate.scope}/resourceGroups/rg-later"):
        (found,) = await doctors_rights(named)
        assert found["state"] == "problem"
        assert f"no right at {made_anew}" in found["message"]
        assert f"'lanyard onboard {named.estate.subscription} --by-group' gives it" in found["fix"]
        assert (await named.run("onboard", *GROUPS)).code == OK
        assert await doctors_rights(named) == []
        await make_group(named, "rg-later")


async def test_by_group_doctor_says_where_a_rule_names_no_group_any_more(
    named: Onboarder,
) -> None:
    await named.run("onboard", *GROUPS)
    named.desk.write_policy(POLICY)
    found = await doctors_rights(named)
    assert any("not every rule names its groups any more" in each["fix"] for each in found)
    assert not any("--by-group" in each["fix"] for each in found)


async def make_group(me: Onboarder, name: str) -> None:
    client = ResourceManagementClient(
        subscription_id=me.estate.subscription,
        **me.estate.azure.client_options(me.estate.operator),
    )
    await client.resource_groups.create_or_update(name, {"location": "westeurope"})


# Events by queue.

SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
BY_QUEUE = ("--delivery=queue", "--yes")


def subscriptions(me: Onboarder) -> list[EventSubscription]:
    return [*me.estate.platform.event_grid.subscriptions.values()]


def senders(me: Onboarder) -> list[str]:
    """The scopes at which the topic may send."""
    return [scope for role, scope in me.there()["assignments"] if role == SENDER]


async def test_the_events_go_into_the_queue_as_the_topic_and_never_end_there(
    me: Onboarder,
) -> None:
    ran = await me.run("onboard", *BY_QUEUE, "--json")
    assert (ran.err, ran.code, len(steps(ran))) == ("", OK, PARTS + 1)
    for each in subscriptions(me):
        assert each.queue is not None
        assert (each.queue.name, each.queue.time_to_live) == (EVENTS, -1)
        assert each.queue.scope == me.estate.deployment.events_queue
    assert senders(me) == [me.estate.deployment.events_queue]
    ran = await me.run("onboard", *BY_QUEUE, "--json")
    assert (ran.code, verbs(ran)) == (OK, {"keep"})


async def test_it_may_be_changed_and_changed_back(me: Onboarder) -> None:
    await me.run("onboard", "--yes")
    before = me.there()
    ran = await me.run("onboard", *BY_QUEUE, "--json")
    done = {step["about"]: step["verb"] for step in steps(ran) if step["done"]}
    assert done == {
        f"assignment of Storage Queue Data Message Sender on {EVENTS} to the topic": "create",
        "event subscription lanyard-writes": "change",
        "event subscription lanyard-deletes": "change",
    }
    ran = await me.run("onboard", "--yes", "--json")
    assert ran.code == OK
    assert [each.queue for each in subscriptions(me)] == [None, None]
    assert me.there() == before


async def test_offboard_takes_back_exactly_what_was_made(me: Onboarder) -> None:
    before = me.there()
    await me.run("onboard", *BY_QUEUE)
    assert senders(me) != []
    ran = await me.run("offboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert me.there() == before
