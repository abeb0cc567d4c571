"""Role assignments (Microsoft.Authorization, api-version 2022-04-01)."""

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.authorization.v2022_04_01.models import (
    RoleAssignment as SdkAssignment,
)
from azure.mgmt.authorization.v2022_04_01.models import (
    RoleAssignmentCreateParameters,
)

from lanyard.azure.clients import Clients
from lanyard.azure.failures import code_of, translated
from lanyard.model import Grant, RoleAssignment

#: In `description` of every assignment that Lanyard makes: the proof that it may remove it.
STAMP = "Managed by Lanyard"


class Roles:
    """Makes, reads, lists and deletes role assignments."""

    def __init__(self, clients: Clients) -> None:
        self._operations = clients.authorization.role_assignments

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
            except ResourceNotFoundError:
                return None

    async def delete(self, assignment_id: str) -> None:
        """Delete the assignment; one that is not there (204, or 404 with its scope) is fine."""
        with translated(f"delete {assignment_id}"):
            try:
                await self._operations.delete_by_id(assignment_id.lstrip("/"))
            except ResourceNotFoundError:
                return

    async def of_principal(self, principal_id: str, subscription: str) -> list[RoleAssignment]:
        """All assignments of a principal at, above and below a subscription, every page of them."""
        scope = f"subscriptions/{subscription}"
        with translated(f"list the assignments of {principal_id} in {subscription}"):
            pages = self._operations.list_for_scope(
                scope, filter=f"principalId eq '{principal_id}'"
            )
            return [_assignment(found) async for found in pages]

    def is_ours(self, assignment: RoleAssignment) -> bool:
        """Whether the assignment carries our stamp."""
        return assignment.description.startswith(STAMP)


def _parameters(grant: Grant) -> RoleAssignmentCreateParameters:
    subscription = "/".join(grant.scope.split("/")[:3])
    definition = f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{grant.role_id}"
    return RoleAssignmentCreateParameters(
        role_definition_id=definition,
        principal_id=grant.principal_id,
        # Left out, the SDK sends "User"; and with it ARM does not wait for Entra's replication.
        principal_type="ServicePrincipal",
        description=STAMP,
    )


def _assignment(found: SdkAssignment) -> RoleAssignment:
    return RoleAssignment(
        str(found.id),
        str(found.scope),
        str(found.role_definition_id).rpartition("/")[2].lower(),
        str(found.principal_id).lower(),
        found.description or "",
        found.serialize(keep_readonly=True),
    )
