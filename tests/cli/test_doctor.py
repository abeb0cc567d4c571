"""`lanyard doctor`: each thing that can be wrong with a deployed app, with what fixes it."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lanyard.cli.app_status import Reason
from lanyard.cli.findings import _REMEDIES, State, clock
from lanyard.cli.host_findings import FUNCTIONS, SETTINGS_RIGHT
from lanyard.desk.delegation import delegation
from lanyard.desk.onboarding.parts import Delivery, Deployment
from lanyard.desk.rights_compared import Allowed
from lanyard.queue.messages import EVENTS
from lanyard.record.decisions import REFUSED, Decision
from lanyard.values.permissions import Permission
from simulator.event_grid.models import event_subscription
from simulator.faults import Fault
from simulator.resources import GROUP_TYPE
from simulator.state import Resource, Subscription
from simulator.web.function_app import Hosted
from tests.support.dead_letters import Blob, dead_letter
from tests.support.desk import STORAGE, Desk
from tests.support.estate import ANOTHER_INSTALLATION, BLOB_READER, INSTALLATION
from tests.support.examples import READER

OK, ERROR, FOUND = 0, 1, 2
OF_ANOTHER = "7e4a4701-0000-4000-8000-000000000002"
WRITE, DELETE = (f"Microsoft.Resources.Resource{word}Success" for word in ("Write", "Delete"))
FUNCTION = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-lanyard/providers/"
    "Microsoft.Web/sites/func-lanyard/functions/resource_events"
)
ANOTHER = FUNCTION.replace("func-lanyard", "func-another")
SITE = FUNCTION.partition("/functions/")[0]
SETTINGS = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": INSTALLATION,
    "AzureWebJobsStorage__accountName": "stlanyard",
}


def deploy(desk: Desk, function: str = FUNCTION, **changes: str) -> Hosted:
    """The app itself, with these settings; what its host shows."""
    azure, site = desk.estate.azure, function.partition("/functions/")[0]
    settings = [{"name": k, "value": v} for k, v in (SETTINGS | changes).items() if v]
    azure.state.resources[site.lower()] = Resource(
        site,
        "Microsoft.Web/sites",
        site.rpartition("/")[2],
        "westeurope",
        {},
        {"siteConfig": {"appSettings": settings}},
    )
    hub = site.split("/")[2]
    azure.state.subscriptions.setdefault(hub, Subscription(hub, "hub"))
    group = site.partition("/providers/")[0]
    azure.state.resources[group.lower()] = Resource(
        group, GROUP_TYPE, "rg-lanyard", "westeurope", {}, {}
    )
    azure.assign(desk.person.object_id, "Contributor", site)
    hosted = Hosted(sorted(FUNCTIONS))
    azure.compute_types.function_apps.hosted[site.lower()] = hosted
    return hosted


def subscribe(desk: Desk, name: str = "lanyard", **changes: Any) -> None:
    """As infra/ does: to the function, with dead letters."""
    properties = {
        "destination": {"endpointType": "AzureFunction", "properties": {"resourceId": FUNCTION}},
        "filter": {"includedEventTypes": [WRITE, DELETE]},
        "eventDeliverySchema": "EventGridSchema",
        "deadLetterDestination": {
            "endpointType": "StorageBlob",
            "properties": {"resourceId": f"{FUNCTION}/../st", "blobContainerName": "dead"},
        },
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
    }
    properties = {k: v for k, v in (properties | changes).items() if v is not None}
    subscription = event_subscription(
        f"{desk.estate.topic.id}/eventSubscriptions/{name}", properties
    )
    desk.estate.platform.event_grid.put_subscription(subscription)


@pytest.fixture
async def app(desk: Desk) -> Desk:
    """An app that is well."""
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    await desk.estate.create_vm("vm1")
    await desk.started()
    subscribe(desk)
    deploy(desk)
    return desk


async def doctor(desk: Desk, *arguments: str) -> list[dict[str, str]]:
    ran = await desk.app("doctor", "--policy", str(desk.policy), "--json", *arguments)
    assert ran.err == ""
    found: list[dict[str, str]] = json.loads(ran.out)["findings"]
    assert ran.code == (FOUND if any(finding["fix"] for finding in found) else OK)
    return found


async def wrong(desk: Desk, check: str) -> dict[str, str]:
    """The one finding of a check, when nothing else is wrong."""
    found = [finding for finding in await doctor(desk) if finding["state"] != "ok"]
    assert [finding["check"] for finding in found] == [check], found
    return found[0]


async def test_an_app_that_is_well_has_nothing_to_fix(app: Desk) -> None:
    ran = await app.app("doctor", "--policy", str(app.policy))
    assert (ran.code, ran.err) == (OK, "")
    assert ran.lines[-1] == "doctor: nothing to fix"
    checks = [line.split()[1] for line in ran.lines[:-1]]
    assert checks == [
        *("storage", "rights", "directory", "events", "tenant", *["host"] * 3),
        *("app", "delivery", "policy"),
    ]


async def test_an_app_without_functions_is_a_problem(app: Desk) -> None:
    deploy(app).functions.remove("reconcile")
    found = await wrong(app, "host")
    assert (found["state"], "lacks 1 of its functions: reconcile" in found["message"]) == (
        "problem",
        True,
    )


async def test_a_host_in_error_says_why(app: Desk) -> None:
    host = deploy(app)
    host.state, host.errors = "Error", ["queues.batchSize: 33 is too many"]
    found = await wrong(app, "host")
    assert found["message"].endswith("is Error: queues.batchSize: 33 is too many")


@pytest.mark.parametrize(
    ("name", "value"),
    [("LANYARD_PRINCIPAL_ID", ""), ("LANYARD_QUOTA_RESERVE", "lots")],
    ids=["missing", "wrong"],
)
async def test_a_setting_that_is_missing_or_wrong_is_named(
    app: Desk, name: str, value: str
) -> None:
    deploy(app, **{name: value})
    found = await wrong(app, "host")
    assert (found["state"], name in found["message"]) == ("problem", True)


async def test_settings_that_may_not_be_read_are_not_taken_for_right(app: Desk) -> None:
    path = "config/appsettings/list$"
    refused = Fault(path=path, status=403, code="AuthorizationFailed", times=None)
    app.estate.azure.faults.add(refused)
    found = await wrong(app, "host")
    assert (found["state"], "AuthorizationFailed" in found["message"]) == ("warning", True)
    assert SETTINGS_RIGHT in found["fix"]


async def test_a_policy_that_the_app_cannot_use_is_named_until_it_sweeps_again(app: Desk) -> None:
    decisions, clock = app.estate.services.decisions, app.estate.azure.clock
    clock.advance(60)
    await decisions.add(Decision("", REFUSED, "failed", "lanyard.yaml:2:1: 'mode' must be"))
    found = await wrong(app, "policy")
    assert (found["state"], "lanyard.yaml:2:1" in found["message"]) == ("problem", True)
    clock.advance(60)
    await app.estate.sweeps.run()
    assert [one for one in await doctor(app) if one["state"] != "ok"] == []


def test_every_function_of_the_app_is_looked_for() -> None:
    handlers = (Path(__file__).parents[2] / "handlers").glob("[a-z]*.py")
    assert {each.stem for each in handlers} == FUNCTIONS


async def test_a_right_that_is_missing_is_named(app: Desk) -> None:
    state = app.estate.azure.state
    (role,) = [each for each in state.role_definitions.values() if each.role_name == "Lanyard"]
    role.actions.remove("Microsoft.Compute/virtualMachines/write")
    found = await wrong(app, "rights")
    assert found["state"] == "problem"
    assert f"Microsoft.Compute/virtualMachines/write at {app.estate.scope}" in found["message"]
    assert "lanyard rights POLICY" in found["fix"]


RULE = "machines read blobs"
MANAGED = "/providers/Microsoft.Management/managementGroups"


def bound(desk: Desk, condition: str = "", scope: str = "") -> None:
    """The app assigns and removes roles under this condition alone, at this scope alone."""
    azure, principal = desk.estate.azure, desk.estate.app.object_id
    standing = azure.state.role_assignments
    administrator = azure.role_definitions.by_name("Role Based Access Control Administrator").guid
    for id_, each in list(standing.items()):
        if each.principal_id == principal and administrator in each.role_definition_id:
            del standing[id_]
    azure.assign(principal, "Reader", desk.estate.scope)
    azure.assign(principal, administrator, scope or desk.estate.scope, condition=condition or None)


async def test_a_condition_that_lacks_a_role_is_named_with_rule_and_scope(app: Desk) -> None:
    bound(app, delegation([READER], [READER]))
    found = await wrong(app, "rights")
    assert found["state"] == "problem"
    assert found["message"].startswith(
        f"the app may not assign or remove Storage Blob Data Reader (rule {RULE!r}) at "
        f"{app.estate.scope}: the condition"
    )
    assert f"'lanyard onboard {app.estate.subscription}' gives it" in found["fix"]
    ran = await app.app("doctor", "--policy", str(app.policy))
    assert (ran.code, RULE in ran.out, "lanyard onboard" in ran.out) == (FOUND, True, True)


async def test_a_condition_that_has_the_roles_is_fine(app: Desk) -> None:
    bound(app, delegation([BLOB_READER], [BLOB_READER, READER]))
    assert [one for one in await doctor(app) if one["state"] != "ok"] == []


async def test_what_may_be_assigned_and_not_removed_is_kept_apart(app: Desk) -> None:
    bound(app, delegation([BLOB_READER], [READER]))
    found = await wrong(app, "rights")
    assert "may not remove Storage Blob Data Reader" in found["message"]


async def test_a_role_assignment_below_the_scope_is_not_enough(app: Desk) -> None:
    bound(app, scope=f"{app.group}-other")
    found = await wrong(app, "rights")
    assert f"(rule {RULE!r}) at {app.estate.scope}: no role assignment" in found["message"]


@pytest.mark.parametrize(
    "condition",
    [
        "@Request[Microsoft.Authorization/roleAssignments:PrincipalId] "
        f"ForAnyOfAnyValues:GuidEquals {{{READER}}}",
        "@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00.0Z'",
    ],
    ids=["to whom", "when"],
)
async def test_a_condition_that_cannot_be_judged_is_not_taken_for_right(
    app: Desk, condition: str
) -> None:
    bound(app)
    standing, principal = app.estate.azure.state.role_assignments, app.estate.app.object_id
    *_, key = [key for key, each in standing.items() if each.principal_id == principal]
    standing[key] = replace(standing[key], condition=condition, condition_version="2.0")
    found = await wrong(app, "rights")
    assert found["state"] == "warning"
    assert "it is not known whether the app may assign or remove" in found["message"]
    assert standing[key].id in found["message"]
    assert "read the condition yourself" in found["fix"]


async def test_a_scope_in_a_subscription_that_is_not_watched_is_looked_at(app: Desk) -> None:
    other = app.estate.azure.state.add_subscription("vaults").id
    app.estate.azure.assign(app.person.object_id, "Reader", f"/subscriptions/{other}")
    vault = f"/subscriptions/{other}/resourceGroups/rg-v/providers/Microsoft.KeyVault/vaults/kv"
    grant = f'{{role: Key Vault Secrets User, scope: "{vault}", to: regional}}'
    text = app.policy.read_text()
    app.write_policy(text.replace("    grant:\n", f"    grant:\n      - {grant}\n"))
    found = [one for one in await doctor(app) if one["check"] == "rights" and one["fix"]]
    assert [one["state"] for one in found] == ["problem"]
    group = f"/subscriptions/{other}/resourceGroups/rg-v"
    assert (
        f"assign or remove Key Vault Secrets User (rule {RULE!r}) at {group}"
        in (found[0]["message"])
    )
    assert f"lanyard onboard {other}" in found[0]["fix"]


async def test_only_the_subscription_that_is_asked_for_is_looked_at(app: Desk) -> None:
    other = app.estate.azure.state.add_subscription("vaults").id
    app.estate.azure.assign(app.person.object_id, "Reader", f"/subscriptions/{other}")
    both = ["--watch", app.estate.subscription, "--watch", other]
    assert other in str(await doctor(app, *both))
    for named in ("production", "PRODUCTION", app.estate.subscription):
        found = str(await doctor(app, *both, "--subscription", named))
        assert (other in found, app.estate.subscription in found) == (False, True)


async def test_a_scope_beside_the_subscription_that_is_asked_for_is_not_looked_at(
    app: Desk,
) -> None:
    other = app.estate.azure.state.add_subscription("vaults").id
    app.estate.azure.assign(app.person.object_id, "Reader", f"/subscriptions/{other}")
    grant = f'{{role: Reader, scope: "/subscriptions/{other}/resourceGroups/rg-v", to: regional}}'
    text = app.policy.read_text()
    app.write_policy(text.replace("    grant:\n", f"    grant:\n      - {grant}\n"))
    assert other in str(await doctor(app))
    assert other not in str(await doctor(app, "--subscription", "production"))


async def test_a_subscription_that_the_app_knows_nothing_of_is_an_error(app: Desk) -> None:
    other = app.estate.azure.state.add_subscription("vaults").id
    app.estate.azure.assign(app.person.object_id, "Reader", f"/subscriptions/{other}")
    policy = "--policy", str(app.policy)
    ran = await app.app("doctor", "--subscription", "vaults", *policy)
    assert (ran.code, "with --watch ID" in ran.err) == (ERROR, True)
    ran = await app.app("doctor", "--subscription", "nowhere", *policy)
    assert (ran.code, "'nowhere': you can read none" in ran.err) == (ERROR, True)


async def test_no_event_subscription_at_all_is_a_problem(app: Desk) -> None:
    app.estate.platform.event_grid.subscriptions.clear()
    found = await wrong(app, "events")
    assert (found["state"], "no event subscription" in found["message"]) == ("problem", True)
    assert "infra/" in found["fix"]


@pytest.mark.parametrize(
    ("changes", "state", "message"),
    [
        ({"deadLetterDestination": None}, "warning", "keeps no dead letters"),
        ({"filter": {"includedEventTypes": [WRITE]}}, "warning", f"leaves out {DELETE}"),
    ],
    ids=["dead letters", "filter"],
)
async def test_events_that_can_be_lost_are_a_warning(
    app: Desk, changes: dict[str, Any], state: str, message: str
) -> None:
    subscribe(app, **changes)
    found = await wrong(app, "events")
    assert (found["state"], message in found["message"]) == (state, True)


async def test_events_that_did_not_come_are_shown_by_what_the_sweep_found(app: Desk) -> None:
    await app.estate.create_vm("vm-unheard")
    app.estate.new_events()  # lost
    await app.estate.sweeps.run()
    await app.estate.settle()
    found = await wrong(app, "delivery")
    assert (found["state"], "found 1 resources" in found["message"]) == ("warning", True)
    await app.estate.sweeps.run()
    assert [one["check"] for one in await doctor(app) if one["state"] != "ok"] == []


def label(*installations: str) -> list[str]:
    return [f"lanyard-installation:{each}" for each in installations]


def subscribe_another(desk: Desk, labels: list[str], function: str = ANOTHER) -> None:
    """Of an app that watches the subscription, too."""
    deploy(desk, function)
    made = {"endpointType": "AzureFunction", "properties": {"resourceId": function}}
    subscribe(desk, "another", destination=made, labels=labels)


async def test_two_apps_of_one_installation_are_a_problem(app: Desk) -> None:
    subscribe(app, labels=label(INSTALLATION))
    subscribe_another(app, [*label(INSTALLATION.upper()), "team:shop"])
    found = await wrong(app, "installation")
    assert found["state"] == "problem"
    assert all(text in found["message"] for text in (INSTALLATION, FUNCTION.lower()))
    assert "LANYARD_INSTALLATION" in found["fix"]


@pytest.mark.parametrize(
    ("labels", "function"),
    [
        (label(ANOTHER_INSTALLATION), ANOTHER),
        (["team:shop"], ANOTHER),
        (label(INSTALLATION), FUNCTION),
    ],
    ids=["an installation of its own", "no app of Lanyard", "its other event subscription"],
)
async def test_each_other_event_subscription_is_fine(
    app: Desk, labels: list[str], function: str
) -> None:
    subscribe(app, labels=[*label(INSTALLATION), "team:shop"])
    subscribe_another(app, labels, function)
    assert [one for one in await doctor(app) if one["state"] != "ok"] == []


async def test_a_handshake_that_failed_is_a_problem(app: Desk) -> None:
    subscriptions = app.estate.platform.event_grid.subscriptions
    (name, made), *_ = subscriptions.items()
    subscriptions[name] = made.failed()
    assert "is Failed" in (await wrong(app, "events"))["message"]


async def test_a_directory_that_does_not_know_the_app_is_shown(app: Desk) -> None:
    app.estate.platform.directory.revoke_permissions(app.person.object_id)
    found = await wrong(app, "directory")
    assert found["state"] == "problem"


async def test_another_policy_than_the_deployed_one_is_a_warning(app: Desk) -> None:
    deployed = app.estate.policy.digest
    app.write_policy(app.policy.read_text().replace("machines read blobs", "another name"))
    found = await wrong(app, "policy")
    assert f"works by another policy ({deployed})" in found["message"]


async def test_a_pause_a_backlog_and_an_old_sweep_are_reported_with_their_fixes(app: Desk) -> None:
    await app.app("pause", "migration")
    app.poison.blobs += [Blob(dead_letter("vm1")), Blob(dead_letter("vm2"))]
    app.estate.azure.clock.advance(timedelta(hours=4).total_seconds())
    found = {each["message"]: each for each in await doctor(app) if each["check"] == "app"}
    assert [each.split()[0] for each in found] == ["removals", "2", "the"]
    fixes = [each["fix"] for each in found.values()]
    assert fixes[0] == "'lanyard resume' goes on"
    assert fixes[1].startswith("'lanyard history --outcome failed' shows why, 'lanyard replay ")
    assert [each["state"] for each in found.values()] == ["warning", "warning", "problem"]


async def test_a_check_that_cannot_be_made_stops_no_other(app: Desk) -> None:
    app.estate.azure.faults.add(
        Fault(path="systemTopics$", status=403, code="AuthorizationFailed", times=None)
    )
    found = await wrong(app, "events")
    assert "AuthorizationFailed" in found["message"]


async def test_an_app_that_knows_nothing_yet_is_asked_about_no_subscription(desk: Desk) -> None:
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    await desk.started()
    subscribe(desk)
    deploy(desk)
    assert "--watch ID" in (await wrong(desk, "watch"))["fix"]
    named = await doctor(desk, "--watch", desk.estate.subscription)
    assert {each["state"] for each in named} == {"ok"}


def test_a_clock_that_is_wrong_is_a_warning() -> None:
    date, at = "Sat, 21 Nov 2026 05:00:00 GMT", 1_795_237_200.0
    assert clock(date, at + 30).state is State.OK
    found = clock(date, at - 400)
    assert (found.state, found.message) == (
        State.WARNING,
        "this machine's clock is 400 s from Azure's",
    )


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        (Allowed("/subscriptions/1", Permission(("*/read",), ())), True),
        (Allowed("/", Permission(("*",), ())), True),
        (Allowed(f"{MANAGED}/mg", Permission(("*",), ())), True),
        (Allowed("/subscriptions/1", Permission(("*",), ("a/*",))), False),
        (Allowed("/subscriptions/1/resourceGroups/g", Permission(("*",), ())), False),
        (Allowed("/subscriptions/11", Permission(("*",), ())), False),
        (Allowed("/subscriptions/1", Permission(("A/B/READ",), ())), True),
    ],
)
def test_what_a_role_allows_counts_at_its_scope_and_below(
    permission: Allowed, allowed: bool
) -> None:
    assert permission.allows("a/b/read", "/subscriptions/1") is allowed


async def test_the_words_of_a_pause_do_not_decide_how_bad_it_is(app: Desk) -> None:
    await app.app("pause", "a sweep was given up, dead letters are held")
    found = await wrong(app, "app")
    assert (found["state"], found["fix"]) == ("warning", "'lanyard resume' goes on")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_to_look_has_a_remedy(reason: Reason) -> None:
    assert _REMEDIES[reason].fix


async def test_a_subscription_that_another_tenant_delegates_is_a_problem(app: Desk) -> None:
    estate = app.estate
    estate.azure.state.subscriptions[estate.subscription].tenant = OF_ANOTHER
    found = await wrong(app, "tenant")
    assert found["state"] == "problem"
    assert (
        f"is of tenant {OF_ANOTHER}, the app of {estate.azure.state.tenant_id}" in found["message"]
    )


# Events by queue.

ACCOUNT = f"{SITE.partition('/Microsoft.Web')[0]}/Microsoft.Storage/storageAccounts/{STORAGE}"
QUEUE = f"{ACCOUNT}/queueServices/default/queues/{EVENTS}"
BY_QUEUE = {
    "identity": {"type": "SystemAssigned"},
    "destination": {
        "endpointType": "StorageQueue",
        "properties": {"resourceId": ACCOUNT, "queueName": EVENTS},
    },
}


def into(account: str) -> dict[str, Any]:
    """The queue of events of another storage account."""
    properties = {"resourceId": ACCOUNT.replace(STORAGE, account), "queueName": EVENTS}
    return {"endpointType": "StorageQueue", "properties": properties}


@pytest.fixture
async def queued(app: Desk) -> Desk:
    """An app that is well, whose events come by queue."""
    desk, state = app, app.estate.azure.state
    state.resources[ACCOUNT.lower()] = Resource(
        ACCOUNT, "Microsoft.Storage/storageAccounts", STORAGE, "westeurope", {}, {}
    )
    desk.estate.azure.assign(desk.person.object_id, "Reader", ACCOUNT)
    principal = state.add_principal("topic").object_id
    topic = state.resources[desk.estate.topic.id.lower()]
    identity = {"type": "SystemAssigned", "principalId": principal}
    state.resources[topic.id.lower()] = Resource(
        topic.id, topic.type, topic.name, "global", {}, topic.properties, identity=identity
    )
    subscribe(desk, destination=None, deliveryWithResourceIdentity=BY_QUEUE)
    desk.estate.azure.assign(principal, "Storage Queue Data Message Sender", QUEUE)
    desk.events.since[STORAGE] = None
    return desk


async def test_the_way_the_right_and_the_age_are_told(queued: Desk) -> None:
    found = await doctor(queued, "--app-id", SITE)
    assert [one for one in found if one["state"] != "ok"] == []
    told = [one["message"] for one in found if one["check"] == "events"]
    assert len(told) == 3
    assert f"delivers by queue to {QUEUE}" in told[0]
    assert f"may send to queue {EVENTS}" in told[1]
    assert told[2] == "no event waits in the queue"


async def test_a_topic_without_its_role_is_a_problem(queued: Desk) -> None:
    state = queued.estate.azure.state
    for id_, each in list(state.role_assignments.items()):
        if each.scope == QUEUE:
            del state.role_assignments[id_]
    found = [one for one in await doctor(queued, "--app-id", SITE) if one["state"] != "ok"]
    assert [(one["check"], one["state"]) for one in found] == [("events", "problem")]
    assert "may not send" in found[0]["message"]
    assert "onboard --delivery queue" in found[0]["fix"]


async def test_events_that_wait_for_long_are_a_warning(queued: Desk) -> None:
    queued.events.since[STORAGE] = queued.estate.azure.clock.utc() - timedelta(hours=1)
    found = [one for one in await doctor(queued, "--app-id", SITE) if one["state"] != "ok"]
    assert [(one["check"], one["state"]) for one in found] == [("events", "warning")]
    assert "3,600 s" in found[0]["message"]


async def test_a_queue_that_is_not_there_is_a_problem(queued: Desk) -> None:
    queued.events.since.clear()
    found = [one for one in await doctor(queued, "--app-id", SITE) if one["state"] != "ok"]
    assert [(one["check"], one["state"]) for one in found] == [("events", "problem")]
    assert f"storage account {STORAGE} has no queue {EVENTS}" in found[0]["message"]


async def test_a_queue_in_an_account_of_its_own_is_looked_at_and_that_of_others_is_not(
    queued: Desk,
) -> None:
    own, others = (BY_QUEUE | {"destination": into(name)} for name in ("stevents", "stothers"))
    labels, of_another = label(INSTALLATION), label(ANOTHER_INSTALLATION)
    subscribe(queued, destination=None, deliveryWithResourceIdentity=own, labels=labels)
    subscribe(
        queued, "others", destination=None, deliveryWithResourceIdentity=others, labels=of_another
    )
    queued.estate.azure.assign(
        queued.person.object_id, "Reader", ACCOUNT.replace(STORAGE, "stevents")
    )
    queued.events.since = {"stevents": queued.estate.azure.clock.utc() - timedelta(hours=2)}
    found = [one["message"] for one in await doctor(queued, "--app-id", SITE)]
    assert "the oldest event in the queue waits for 7,200 s" in found
    assert not [message for message in found if "has no queue" in message]


async def test_an_app_that_is_not_named_is_not_taken_for_well(queued: Desk) -> None:
    found = await wrong(queued, "host")
    assert "--app-id" in found["fix"]


async def test_both_ways_of_one_app_are_one_app(queued: Desk) -> None:
    labels = label(INSTALLATION)
    subscribe(queued, destination=None, deliveryWithResourceIdentity=BY_QUEUE, labels=labels)
    subscribe(queued, "by-webhook", labels=labels)
    assert [one for one in await doctor(queued) if one["state"] != "ok"] == []


def test_a_deployment_names_the_queue_that_the_doctor_knows() -> None:
    app = Deployment(app_id=SITE, principal_id="p", storage_id=ACCOUNT, delivery=Delivery.QUEUE)
    assert (app.events_queue, app.endpoint) == (QUEUE, FUNCTION)
