"""What the rights do not allow: each attempt is made as Lanyard's own identity, and refused."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import (
    Permission,
    RoleAssignmentCreateParameters,
    RoleDefinition,
)
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import FederatedIdentityCredential, Identity
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.values.built_in_roles import BUILT_IN_ROLES
from tests.support.estate import BLOB_READER, POLICY
from tests.support.handlers import started
from tests.support.infra.bounded import BoundedEstate, needed

type Attempt = Callable[[BoundedEstate], Awaitable[object]]

READER = BUILT_IN_ROLES["Reader"]


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> BoundedEstate:
    """Lanyard may assign Storage Blob Data Reader, and remove that and Reader."""
    return await started_with(POLICY, monkeypatch)


async def started_with(policy: str, monkeypatch: pytest.MonkeyPatch) -> BoundedEstate:
    made = BoundedEstate(policy, needed(policy, [READER]))
    await started(made, monkeypatch)
    return made


def roles(estate: BoundedEstate) -> AuthorizationManagementClient:
    return AuthorizationManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
    )


async def assign(
    estate: BoundedEstate,
    role: str,
    principal: str,
    kind: str = "ServicePrincipal",
    scope: str = "",
) -> str:
    definition = f"{estate.scope}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    made = await roles(estate).role_assignments.create(
        scope or f"{estate.scope}/resourceGroups/rg-app",
        str(uuid.uuid4()),
        RoleAssignmentCreateParameters(
            role_definition_id=definition, principal_id=principal, principal_type=kind
        ),
    )
    return str(made.id)


def owned_by(estate: BoundedEstate) -> str:
    return estate.azure.state.add_principal("workload").object_id


def giving(role: str, *, to_itself: bool = False) -> Attempt:
    async def attempt(estate: BoundedEstate) -> None:
        principal = estate.app.object_id if to_itself else owned_by(estate)
        await assign(estate, BUILT_IN_ROLES[role], principal, scope=estate.scope)

    return attempt


async def giving_a_role_of_the_policy_to_a_person(estate: BoundedEstate) -> None:
    person = estate.azure.state.add_principal("person", "User")
    await assign(estate, BLOB_READER, person.object_id, "User")


async def passing_a_person_off_as_a_service_principal(estate: BoundedEstate) -> None:
    person = estate.azure.state.add_principal("person", "User")
    await assign(estate, BLOB_READER, person.object_id, "ServicePrincipal")


async def giving_a_role_that_it_may_only_remove(estate: BoundedEstate) -> None:
    await assign(estate, READER, owned_by(estate))


def removing(role: str, kind: str = "ServicePrincipal") -> Attempt:
    async def attempt(estate: BoundedEstate) -> None:
        holder = estate.azure.state.add_principal("holder", kind)
        theirs = estate.azure.assign(holder.object_id, role, estate.scope)
        await roles(estate).role_assignments.delete_by_id(theirs.id.lstrip("/"))

    return attempt


async def lifting_the_condition_on_its_own_role(estate: BoundedEstate) -> None:
    own = next(
        each
        for each in estate.azure.state.role_assignments.values()
        if each.principal_id == estate.app.object_id and each.condition
    )
    await roles(estate).role_assignments.create(
        own.scope,
        own.name,
        RoleAssignmentCreateParameters(
            role_definition_id=own.role_definition_id,
            principal_id=own.principal_id,
            principal_type="ServicePrincipal",
        ),
    )


async def widening_its_own_role(estate: BoundedEstate) -> None:
    own = next(
        each for each in estate.azure.state.role_definitions.values() if each.role_name == "Lanyard"
    )
    definition = RoleDefinition(
        role_name="Lanyard",
        permissions=[Permission(actions=["*"])],
        assignable_scopes=[estate.scope],
    )
    await roles(estate).role_definitions.create_or_update(
        estate.scope.lstrip("/"), own.guid, definition
    )


def making_an_identity(group: str) -> Attempt:
    async def attempt(estate: BoundedEstate) -> None:
        client = ManagedServiceIdentityClient(
            subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
        )
        await client.user_assigned_identities.create_or_update(
            group, "id-new", Identity(location="westeurope")
        )

    return attempt


async def deleting_an_identity(estate: BoundedEstate) -> None:
    await making_an_identity("rg-identities")(estate)
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
    )
    await client.user_assigned_identities.delete("rg-identities", "id-new")


async def deleting_a_machine(estate: BoundedEstate) -> None:
    machine = await estate.create_vm("vm1")
    await resources(estate).resources.begin_delete_by_id(machine.text, api_version="2024-11-01")


async def reading_another_type(estate: BoundedEstate) -> None:
    account = f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/a"
    await resources(estate).resources.get_by_id(account, api_version="2024-01-01")


async def writing_another_type(estate: BoundedEstate) -> None:
    site = f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.Web/sites/new"
    await resources(estate).resources.begin_create_or_update_by_id(
        site, {"location": "westeurope", "properties": {}}, api_version="2025-05-01"
    )


async def deleting_a_group(estate: BoundedEstate) -> None:
    await resources(estate).resource_groups.begin_delete("rg-app")


def writing(path: str, version: str) -> Attempt:
    """A resource, by its path below the watched subscription."""

    async def attempt(estate: BoundedEstate) -> None:
        body = {"location": "westeurope", "properties": {}}
        await resources(estate).resources.begin_create_or_update_by_id(
            f"{estate.scope}{path}", body, api_version=version
        )

    return attempt


def removing_resource(path: str, version: str) -> Attempt:
    async def attempt(estate: BoundedEstate) -> None:
        await resources(estate).resources.begin_delete_by_id(
            f"{estate.scope}{path}", api_version=version
        )

    return attempt


async def registering_a_provider(estate: BoundedEstate) -> None:
    await resources(estate).providers.register("Microsoft.Web")


async def writing_tags_alone(estate: BoundedEstate) -> None:
    tags: dict[str, Any] = {"operation": "Merge", "properties": {"tags": {"env": "prod"}}}
    group = f"{estate.scope}/resourceGroups/rg-app".lstrip("/")
    await resources(estate).tags.begin_update_at_scope(group, tags)


async def federating_an_identity(estate: BoundedEstate) -> None:
    await making_an_identity("rg-identities")(estate)
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
    )
    credential = FederatedIdentityCredential(issuer="https://x", subject="s", audiences=["a"])
    await client.federated_identity_credentials.create_or_update(
        "rg-identities", "id-new", "f", credential
    )


async def making_a_role(estate: BoundedEstate) -> None:
    definition = RoleDefinition(
        role_name="New",
        permissions=[Permission(actions=["*"])],
        assignable_scopes=[estate.scope],
    )
    await roles(estate).role_definitions.create_or_update(
        estate.scope.lstrip("/"), str(uuid.uuid4()), definition
    )


def resources(estate: BoundedEstate) -> ResourceManagementClient:
    return ResourceManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
    )


_GROUP = "/resourceGroups/rg-app/providers"
APP, STORAGE = (
    f"{_GROUP}/Microsoft.Web/sites/func",
    f"{_GROUP}/Microsoft.Storage/storageAccounts/st",
)
TOPIC = f"{_GROUP}/Microsoft.EventGrid/systemTopics/lanyard"
#: What it tries, and the code that Azure answers with.
REFUSED = {
    "giving itself Owner": giving("Owner", to_itself=True),
    "giving anyone Owner": giving("Owner"),
    "giving itself User Access Administrator": giving("User Access Administrator", to_itself=True),
    "giving itself RBAC Administrator": giving(
        "Role Based Access Control Administrator", to_itself=True
    ),
    "giving a role outside the policy": giving("Key Vault Secrets User"),
    "giving a role that it may only remove": giving_a_role_that_it_may_only_remove,
    "giving a role of the policy to a person": giving_a_role_of_the_policy_to_a_person,
    "removing an Owner": removing("Owner"),
    "removing a role outside the policy": removing("Key Vault Secrets User"),
    "removing a person's role of the policy": removing("Storage Blob Data Reader", "User"),
    "lifting the condition on its own role": lifting_the_condition_on_its_own_role,
    "widening its own role": widening_its_own_role,
    "making an identity elsewhere": making_an_identity("rg-app"),
    "deleting an identity": deleting_an_identity,
    "deleting a machine": deleting_a_machine,
    "deleting a resource group": deleting_a_group,
    "reading a type outside the policy": reading_another_type,
    "writing a type outside the policy": writing_another_type,
    "giving itself the tables": giving("Storage Table Data Contributor", to_itself=True),
    "making a role": making_a_role,
    "changing its own code": writing(APP, "2025-05-01"),
    "deleting itself": removing_resource(APP, "2025-05-01"),
    "changing its own storage": writing(STORAGE, "2025-01-01"),
    "deleting its own storage": removing_resource(STORAGE, "2025-01-01"),
    "sending the events elsewhere": writing(
        f"{TOPIC}/eventSubscriptions/lanyard-writes", "2025-02-15"
    ),
    "deleting the topic": removing_resource(TOPIC, "2025-02-15"),
    "silencing an alert": writing(
        "/resourceGroups/rg-app/providers/Microsoft.Insights/metricAlerts/a", "2018-03-01"
    ),
    "registering a provider": registering_a_provider,
    "writing tags alone": writing_tags_alone,
    "federating an identity": federating_an_identity,
}


def test_at_least_thirty_attempts_are_made() -> None:
    assert len(REFUSED) >= 30


async def test_it_reads_no_data_by_the_rights_of_its_policy(estate: BoundedEstate) -> None:
    for action in (
        "Microsoft.Storage/storageAccounts/tableServices/tables/entities/read",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    ):
        allowed = estate.azure.access.allowed
        assert not allowed(estate.app.object_id, action, estate.scope, data=True)


@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED.keys())
async def test_is_refused(estate: BoundedEstate, attempt: Attempt) -> None:
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        await attempt(estate)


async def test_a_person_cannot_be_passed_off_as_a_service_principal(
    estate: BoundedEstate,
) -> None:
    """The condition lets it pass; Azure itself compares the type with the directory's."""
    with pytest.raises(HttpResponseError, match="UnmatchedPrincipalType"):
        await passing_a_person_off_as_a_service_principal(estate)


async def test_what_the_rights_are_for_works(estate: BoundedEstate) -> None:
    """So that the refusals above are those of the condition, not of everything."""
    given = await assign(estate, BLOB_READER, owned_by(estate))
    await roles(estate).role_assignments.delete_by_id(given.lstrip("/"))
    await removing("Reader")(estate)
    await making_an_identity("rg-identities")(estate)


WRITES: dict[str, Attempt] = {
    "giving a role of the policy": giving("Storage Blob Data Reader"),
    "removing one": removing("Storage Blob Data Reader"),
    "making an identity": making_an_identity("rg-identities"),
}


@pytest.mark.parametrize("attempt", WRITES.values(), ids=WRITES.keys())
async def test_in_mode_observe_nothing_can_be_written(
    monkeypatch: pytest.MonkeyPatch, attempt: Attempt
) -> None:
    estate = await started_with(POLICY.replace("mode: full", "mode: observe"), monkeypatch)
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        await attempt(estate)


async def test_in_mode_add_only_nothing_can_be_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await started_with(POLICY.replace("mode: full", "mode: add-only"), monkeypatch)
    given = await assign(estate, BLOB_READER, owned_by(estate))
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        await roles(estate).role_assignments.delete_by_id(given.lstrip("/"))
