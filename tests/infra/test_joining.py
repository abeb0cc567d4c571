"""Joining without Owner: the identity that Azure Policy deploys joined.bicep with, on the local
Azure, with the roles of join.bicep: all of them are needed, and nothing works beyond.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from lanyard.desk.azure.any_resource import AnyResource
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from lanyard.values.errors import LanyardError, Permanent
from simulator.faults import Fault
from tests.support.infra.joining import IDENTITIES, JoiningEstate

type Attempt = Callable[[JoiningEstate, AnyResource], Awaitable[object]]

POLICY = f"""
version: 1
mode: full
identities: {{i: {{name: "id-{{location}}", resourceGroup: {IDENTITIES}}}}}
rules:
  - name: r
    match: {{types: [Microsoft.Compute/virtualMachines]}}
    attach: [i]
    grant: [{{role: Storage Blob Data Reader, scope: "{{resourceGroup}}", to: i}}]
"""
ANYWHERE = POLICY.replace(f"resourceGroup: {IDENTITIES}", 'resourceGroup: "rg-{location}"')
DEAD_LETTERS, SENDING = "Storage Blob Data Contributor", "Storage Queue Data Message Sender"
ASSIGNMENTS, DEFINITIONS = "2022-04-01", "2022-04-01"

_DEPLOYMENTS = "Microsoft.Resources/deployments"
#: What the local Azure does not ask for, and who does.
FOR_A_REASON = {
    **dict.fromkeys(
        [
            f"{_DEPLOYMENTS}/operationStatuses/read",
            f"{_DEPLOYMENTS}/read",
            f"{_DEPLOYMENTS}/validate/action",
            f"{_DEPLOYMENTS}/write",
        ],
        "Azure Policy deploys a template as it; here its resources are written one by one",
    ),
    **dict.fromkeys(
        [
            "Microsoft.Insights/metricAlerts/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.EventGrid/systemTopics/eventSubscriptions/read",
        ],
        "Azure's deployments may read what they wrote, until it is there",
    ),
}


async def joined(estate: JoiningEstate) -> None:
    """It has joined, and the app has its rights there."""
    await estate.join()
    events = estate.azure.services.event_grid.subscriptions_of(estate.topic)
    assert {each.name for each in events} == {"lanyard-writes", "lanyard-deletes"}
    topic = estate.azure.state.resources[estate.topic.lower()].identity
    assert topic is not None
    held = {
        (each.scope.rpartition("/")[2], each.role_definition_id.rpartition("/")[2])
        for each in estate.azure.access.assignments_of(topic["principalId"])
    }
    assert held == {
        ("dead-letters", BUILT_IN_ROLES[DEAD_LETTERS]),
        ("lanyard-events", BUILT_IN_ROLES[SENDING]),
    }


def may(estate: JoiningEstate, action: str, scope: str) -> bool:
    return estate.azure.access.allowed(estate.app.object_id, action, scope, unconditional=True)


async def test_a_new_subscription_joins() -> None:
    estate = JoiningEstate(POLICY)
    identities = f"{estate.scope}/resourceGroups/{IDENTITIES}"
    write = "Microsoft.ManagedIdentity/userAssignedIdentities/write"
    assert may(estate, "Microsoft.Compute/virtualMachines/write", estate.scope)
    assert not may(estate, write, identities)
    await joined(estate)
    assert may(estate, write, identities)
    assert not may(estate, write, estate.scope)


async def test_where_identities_are_made_anywhere_nothing_is_given_there() -> None:
    estate = JoiningEstate(ANYWHERE)
    assert may(estate, "Microsoft.ManagedIdentity/userAssignedIdentities/write", estate.scope)
    giving = "Microsoft.Authorization/roleAssignments/write"
    above = [role for scope, role in estate.roles_of(estate.identity) if scope == estate.place]
    assert not [role for role in above if giving in role.actions]
    await joined(estate)


def every_action() -> list[str]:
    estate = JoiningEstate(POLICY)
    roles = estate.roles_of(estate.identity)
    return sorted({action for _, role in roles for action in role.actions})


def test_no_role_of_it_is_one_of_azures_own() -> None:
    roles = [role for _, role in JoiningEstate(POLICY).roles_of(JoiningEstate(POLICY).identity)]
    assert {role.kind for role in roles} == {"CustomRole"}
    assert not [action for role in roles for action in role.actions if "*" in action]


@pytest.mark.parametrize("action", sorted({*every_action()} - {*FOR_A_REASON}))
async def test_without_one_action_it_does_not_join(action: str) -> None:
    estate = JoiningEstate(POLICY, without=action)
    with pytest.raises((LanyardError, HttpResponseError), match="does not have authorization"):
        await joined(estate)


def test_what_is_there_for_a_reason_is_there() -> None:
    assert {*FOR_A_REASON} <= {*every_action()}


# What it must not.


def assigning(
    role: str, scope: str, to: str = "stranger", kind: str = "ServicePrincipal"
) -> Attempt:
    """A role by its name, at a scope with the estate's own places in it, to somebody."""

    async def attempt(estate: JoiningEstate, resources: AnyResource) -> object:
        principals = {"itself": estate.identity.object_id, "app": estate.app.object_id}
        made = estate.azure.state.add_principal(to, kind).object_id
        guid = BUILT_IN_ROLES.get(role) or role_named(estate, role)
        properties = {
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{guid}",
            "principalId": principals.get(to, made),
            "principalType": kind,
        }
        place = scope.format(estate=estate, container=container(estate), queue=queue(estate))
        id_ = f"{place}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        return await resources.put(id_, ASSIGNMENTS, {"properties": properties})

    return attempt


def container(estate: JoiningEstate) -> str:
    return f"{estate.storage}/blobServices/default/containers/dead-letters"


def queue(estate: JoiningEstate) -> str:
    return f"{estate.events}/queueServices/default/queues/lanyard-events"


def role_named(estate: JoiningEstate, title: str) -> str:
    """The GUID of a role of join.bicep, by how its name begins."""
    roles = estate.azure.state.role_definitions.values()
    return next(each.guid for each in roles if each.role_name.startswith(f"{title} mg-"))


def widening(title: str) -> Attempt:
    async def attempt(estate: JoiningEstate, resources: AnyResource) -> object:
        guid = role_named(estate, title)
        properties = {
            "roleName": title,
            "type": "CustomRole",
            "permissions": [{"actions": ["*"]}],
            "assignableScopes": [estate.place],
        }
        id_ = f"{estate.place}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
        return await resources.put(id_, DEFINITIONS, {"properties": properties})

    return attempt


async def lifting_its_condition(estate: JoiningEstate, resources: AnyResource) -> object:
    held = estate.azure.access.assignments_of(estate.identity.object_id)
    own = next(each for each in held if each.condition and each.scope == estate.place)
    properties = {"roleDefinitionId": own.role_definition_id, "principalId": own.principal_id}
    return await resources.put(own.id, ASSIGNMENTS, {"properties": properties})


async def taking_the_apps_rights(estate: JoiningEstate, resources: AnyResource) -> object:
    held = estate.azure.access.assignments_of(estate.app.object_id)
    await resources.delete(held[0].id, ASSIGNMENTS)
    return None


async def taking_a_persons_rights(estate: JoiningEstate, resources: AnyResource) -> object:
    person = estate.azure.state.add_principal("person", "User")
    theirs = estate.azure.assign(person.object_id, "Reader", estate.scope)
    await resources.delete(theirs.id, ASSIGNMENTS)
    return None


def writing(path: str, version: str, body: Mapping[str, Any] | None = None) -> Attempt:
    """A resource by its path below the new subscription or, with the estate's places, elsewhere."""

    async def attempt(estate: JoiningEstate, resources: AnyResource) -> object:
        id_ = path.format(estate=estate, group=f"{estate.scope}/resourceGroups/{IDENTITIES}")
        return await resources.put(id_, version, {"location": "westeurope", **(body or {})})

    return attempt


def deleting(path: str, version: str) -> Attempt:
    async def attempt(estate: JoiningEstate, resources: AnyResource) -> object:
        group = f"{estate.scope}/resourceGroups/{IDENTITIES}"
        await resources.delete(path.format(estate=estate, group=group), version)
        return None

    return attempt


def reading(path: str, version: str) -> Attempt:
    async def attempt(estate: JoiningEstate, resources: AnyResource) -> object:
        group = f"{estate.scope}/resourceGroups/{IDENTITIES}"
        return await resources.read(path.format(estate=estate, group=group), version)

    return attempt


PROVIDERS = "{group}/providers"
APP = "{estate.group}/providers/Microsoft.Web/sites/func-lanyard"
EVENTS = "{estate.scope}/resourceGroups/rg-lanyard-events"
REFUSED: dict[str, Attempt] = {
    "itself Owner of the group": assigning("Owner", "{estate.place}", "itself"),
    "itself Owner of the subscription": assigning("Owner", "{estate.scope}", "itself"),
    "itself User Access Administrator": assigning(
        "User Access Administrator", "{estate.scope}", "itself"
    ),
    "anyone Contributor": assigning("Contributor", "{estate.scope}"),
    "the app Owner": assigning("Owner", "{estate.scope}", "app"),
    "the app Reader": assigning("Reader", "{estate.scope}", "app"),
    "the app its first role again": assigning("Lanyard", "{estate.scope}", "app"),
    "the app's second role to another": assigning("Lanyard identities", "{estate.scope}"),
    "the app's second role to itself": assigning("Lanyard identities", "{estate.scope}", "itself"),
    "its own role to another": assigning("Lanyard joining", "{estate.scope}"),
    "dead letters of the whole account": assigning(DEAD_LETTERS, "{estate.storage}"),
    "dead letters to a person": assigning(DEAD_LETTERS, "{container}", "person", "User"),
    "more than that on dead letters": assigning("Storage Blob Data Owner", "{container}"),
    "sending to every queue": assigning(SENDING, "{estate.events}"),
    "sending work": assigning(
        SENDING, "{estate.storage}/queueServices/default/queues/lanyard-reconcile"
    ),
    "reading the queue": assigning("Storage Queue Data Contributor", "{queue}"),
    "the tables": assigning("Storage Table Data Contributor", "{estate.storage}"),
    "taking the app's rights": taking_the_apps_rights,
    "taking a person's rights": taking_a_persons_rights,
    "widening its own role": widening("Lanyard joining"),
    "widening the app's role": widening("Lanyard"),
    "lifting its condition": lifting_its_condition,
    "changing the app": writing(APP, "2025-05-01", {"properties": {}}),
    "deleting the app": deleting(APP, "2025-05-01"),
    "changing the app's storage": writing("{estate.storage}", "2025-01-01"),
    "deleting the app's storage": deleting("{estate.storage}", "2025-01-01"),
    "deleting the account of events": deleting("{estate.events}", "2025-01-01"),
    "making a machine": writing(
        f"{PROVIDERS}/Microsoft.Compute/virtualMachines/vm", "2024-11-01", {"properties": {}}
    ),
    "deleting a machine": deleting(
        f"{PROVIDERS}/Microsoft.Compute/virtualMachines/vm", "2024-11-01"
    ),
    "reading a machine": reading(f"{PROVIDERS}/Microsoft.Compute/virtualMachines/vm", "2024-11-01"),
    "making an identity": writing(
        f"{PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/id", "2024-11-30"
    ),
    "deleting an identity": deleting(
        f"{PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/id", "2024-11-30"
    ),
    "deleting a resource group": deleting("{group}", "2025-04-01"),
    "deleting the topic": deleting(
        f"{EVENTS}/providers/Microsoft.EventGrid/systemTopics/lanyard", "2025-02-15"
    ),
    "deleting an event subscription": deleting(
        f"{EVENTS}/providers/Microsoft.EventGrid/systemTopics/lanyard/eventSubscriptions/"
        "lanyard-writes",
        "2025-02-15",
    ),
    "deleting the alert": deleting(
        f"{EVENTS}/providers/Microsoft.Insights/metricAlerts/lanyard-dead-letters", "2018-03-01"
    ),
}


#: What security.md says that it can be misused for: no role is narrower.
MISUSE: dict[str, Attempt] = {
    "reading dead letters": assigning(DEAD_LETTERS, "{container}", "itself"),
    "sending events": assigning(SENDING, "{queue}"),
    "the app's second role elsewhere": assigning("Lanyard identities", "{estate.scope}", "app"),
    "changing the tags of a group": writing("{group}", "2025-04-01", {"tags": {"owner": "x"}}),
}


@pytest.mark.parametrize("attempt", MISUSE.values(), ids=MISUSE.keys())
async def test_what_it_can_be_misused_for_is_known(attempt: Attempt) -> None:
    """A line of security.md for each: where one is refused some day, the line goes."""
    estate = JoiningEstate(POLICY)
    await estate.join()
    async with estate.acting() as resources:
        await attempt(estate, resources)


@pytest.fixture(scope="module")
def estate() -> JoiningEstate:
    """A subscription has joined. What is refused changes nothing: it is one for all attempts."""
    made = JoiningEstate(POLICY)
    asyncio.run(made.join())
    return made


@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED.keys())
async def test_is_refused(estate: JoiningEstate, attempt: Attempt) -> None:
    async with estate.acting() as resources:
        with pytest.raises(Permanent, match="does not have authorization") as refused:
            await attempt(estate, resources)
    assert refused.value.code == "AuthorizationFailed"


def test_at_least_thirty_attempts_are_made() -> None:
    assert len(REFUSED) >= 30


async def test_it_reads_no_data() -> None:
    estate = JoiningEstate(POLICY)
    for action in (
        "Microsoft.Storage/storageAccounts/tableServices/tables/entities/read",
        "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    ):
        for scope in (estate.storage, estate.events):
            allowed = estate.azure.access.allowed
            assert not allowed(estate.identity.object_id, action, scope, data=True)


async def test_it_has_joined_when_the_last_part_is_there_and_joins_anew_for_another_group() -> None:
    """A new group of identities is for those that joined before, too; a policy that only reads
    more or less changes nothing where they are.
    """
    estate = JoiningEstate(POLICY)
    assert not estate.has_joined()
    await joined(estate)
    assert estate.has_joined()
    estate.deploy(POLICY.replace("Blob Data Reader", "Blob Data Contributor"))
    assert estate.has_joined()
    estate.deploy(POLICY.replace(IDENTITIES, "rg-more"))
    assert not estate.has_joined()
    estate.add_group(estate.new, "rg-more")
    await joined(estate)
    assert estate.has_joined()
    write = "Microsoft.ManagedIdentity/userAssignedIdentities/write"
    assert may(estate, write, f"{estate.scope}/resourceGroups/rg-more")


async def test_what_is_broken_off_has_not_joined() -> None:
    estate = JoiningEstate(POLICY)
    fault = Fault(method="PUT", path="eventSubscriptions/lanyard-deletes$", status=500, times=None)
    estate.azure.faults.add(fault)
    with pytest.raises((LanyardError, HttpResponseError)):
        await estate.join()
    assert not estate.has_joined()


def test_a_policy_that_is_assigned_anew_has_another_identity_with_the_same_rights() -> None:
    """Azure changes no assignment's principal: each is named by it."""
    estate = JoiningEstate(POLICY)
    before = {each.id for each in estate.azure.access.assignments_of(estate.identity.object_id)}
    first = {role.guid for _, role in estate.roles_of(estate.identity)}
    policies = estate.azure.services.policies
    policies.delete(
        f"{estate.place}/providers/Microsoft.Authorization/policyAssignments/lanyard-join"
    )
    estate.deploy(POLICY)
    after = {each.id for each in estate.azure.access.assignments_of(estate.identity.object_id)}
    assert not before & after
    assert {role.guid for _, role in estate.roles_of(estate.identity)} == first


async def test_a_changed_policy_changes_what_the_app_may_in_each_subscription() -> None:
    """By one definition at the group: nothing is written where a subscription joined."""
    estate = JoiningEstate(POLICY)
    await estate.join()
    roles, write = {*estate.azure.state.role_definitions}, "Microsoft.Compute/virtualMachines/write"
    assert may(estate, write, estate.scope)
    estate.azure.calls.clear()
    estate.deploy(POLICY.replace("mode: full", "mode: observe"))
    assert not may(estate, write, estate.scope)
    assert may(estate, "Microsoft.Compute/virtualMachines/read", estate.scope)
    assert {*estate.azure.state.role_definitions} == roles
    assert estate.azure.calls == []
