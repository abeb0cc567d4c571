"""Role assignments (Microsoft.Authorization, api-version 2022-04-01)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.authorization.v2022_04_01.models import (
    Permission,
    RoleAssignmentCreateParameters,
)
from azure.mgmt.authorization.v2022_04_01.models import (
    RoleAssignment as SdkAssignment,
)

from lanyard.azure.arm.answers import Unreadable, texts
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import code_of, is_gone, translated
from lanyard.ports.cache import Cache
from lanyard.values.grants import STAMP, Grant, RoleAssignment, is_stamped
from lanyard.values.resource_id import folded, last_name
from lanyard.values.roles import allows_assigning

#: A role that was harmless may be none any more: its definition is read again after so long.
_DEFINITION_SECONDS = 300.0


class Roles:
    """Makes, reads, lists and deletes role assignments."""

    def __init__(self, clients: Clients) -> None:
        self._operations = clients.authorization.role_assignments
        self._definitions = clients.authorization.role_definitions
        self._assigning: Cache[str, bool] = Cache(_DEFINITION_SECONDS, clients.now)

    async def ensure(self, grant: Grant) -> bool:
        """Make the assignment exist; True for ours.

        False where someone else's assignment, under another name, already gives the same
        (409 RoleAssignmentExists): it serves, and it stays theirs. Raises Temporary, Permanent.
        """
        with translated(f"assign role {grant.role_id} at {grant.scope}"):
            try:
                await self._operations.create(grant.scope, grant.name, _parameters(grant))
            except HttpResponseError as error:
                if code_of(error) != "RoleAssignmentExists":
                    raise
                return False
        return True

    async def read(self, assignment_id: str) -> RoleAssignment | None:
        """The assignment as it is now, or None."""
        with translated(f"read {assignment_id}"):
            try:
                return _assignment(await self._operations.get_by_id(assignment_id.lstrip("/")))
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise
                return None

    async def delete(self, assignment_id: str) -> None:
        """Delete the assignment; one that is not there (204, or 404 with its scope) is fine."""
        with translated(f"delete {assignment_id}"):
            try:
                await self._operations.delete_by_id(assignment_id.lstrip("/"))
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise

    async def restore(self, raw: Mapping[str, Any]) -> None:
        """Put an assignment back as it was read, under its name. Raises Temporary, Permanent."""
        properties = raw["properties"]
        parameters = RoleAssignmentCreateParameters(
            role_definition_id=properties["roleDefinitionId"],
            principal_id=properties["principalId"],
            principal_type=properties.get("principalType"),
            description=properties.get("description"),
            condition=properties.get("condition"),
            condition_version=properties.get("conditionVersion"),
        )
        with translated(f"put {raw['id']} back"):
            await self._operations.create_by_id(str(raw["id"]).lstrip("/"), parameters)

    async def of_principal(self, principal_id: str, subscription: str) -> list[RoleAssignment]:
        """All assignments of a principal at, above and below a subscription, every page of them."""
        scope = f"subscriptions/{subscription}"
        with translated(f"list the assignments of {principal_id} in {subscription}"):
            pages = self._operations.list_for_scope(
                scope, filter=f"principalId eq '{principal_id}'", cls=_page
            )
            return [_assignment(found) async for found in pages]

    async def can_write_assignments(self, role_id: str, scope: str) -> bool:
        """Whether the definition of a role (GUID) lets its holder assign roles at `scope`.

        True where it does not exist or may not be read: what is unknown is not harmless.
        """
        with translated(f"read role {role_id}"):
            try:
                return await self._assigning.get(
                    role_id, partial(self._is_assigning, _definition_id(role_id, scope))
                )
            except HttpResponseError as error:
                if error.status_code not in (403, 404):
                    raise
                return True

    async def _is_assigning(self, definition_id: str) -> bool:
        found = await self._definitions.get_by_id(definition_id.lstrip("/"))
        return any(map(_assigns, found.permissions or ()))

    async def role_exists(self, role_id: str, scope: str) -> bool:
        """Whether there is a definition of a role (GUID) that can be assigned at `scope`."""
        definition = _definition_id(role_id, scope).lstrip("/")
        with translated(f"read role {role_id}"):
            try:
                await self._definitions.get_by_id(definition)
            except ResourceNotFoundError:
                return False
        return True

    def is_ours(self, assignment: RoleAssignment) -> bool:
        """Whether the assignment carries our stamp."""
        return is_stamped(assignment.description)


def _parameters(grant: Grant) -> RoleAssignmentCreateParameters:
    return RoleAssignmentCreateParameters(
        role_definition_id=_definition_id(grant.role_id, grant.scope),
        principal_id=grant.principal_id,
        # Left out, the SDK sends "User"; and with it ARM does not wait for Entra's replication.
        principal_type="ServicePrincipal",
        description=STAMP,
        condition=grant.condition,
        condition_version="2.0" if grant.condition else None,
    )


def _assignment(assignment: SdkAssignment) -> RoleAssignment:
    return RoleAssignment(
        _required(assignment, "id"),
        _required(assignment, "scope"),
        last_name(_required(assignment, "role_definition_id")),
        folded(_required(assignment, "principal_id")),
        assignment.description or "",
        assignment.serialize(keep_readonly=True),
    )


def _required(found: SdkAssignment | None, name: str) -> str:
    """What every assignment has: without it, nobody knows whose it is."""
    value = getattr(found, name, None)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"a role assignment without {name!r}")
    return value


def _page(listed: list[SdkAssignment] | None) -> list[SdkAssignment]:
    """A page without a list is no empty page."""
    if listed is None:
        raise Unreadable("'value' is missing")
    return listed


def _assigns(permission: Permission | None) -> bool:
    """What is not known to be harmless is not."""
    actions = texts(permission.actions) if permission is not None else None
    if permission is None or actions is None:
        return True
    return allows_assigning(actions, texts(permission.not_actions) or ())


def _definition_id(role_id: str, scope: str) -> str:
    subscription = "/".join(scope.split("/")[:3])
    return f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
