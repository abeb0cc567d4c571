"""Role assignments in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from lanyard.values.errors import Because, Refused
from lanyard.values.grants import Described, Given, Grant, RoleAssignment
from lanyard.values.removed import Removed

STAMP = "ours"


class FakeAssignments:
    """Role assignments in a dict, by their ids: one of a content."""

    def __init__(self) -> None:
        self.existing: dict[str, RoleAssignment] = {}
        self.fail: Exception | None = None

    async def ensure(self, grant: Grant, *, was_theirs: bool = False) -> Given:
        del was_theirs  # the list is asked in any case
        found = await self.giving(grant)
        if found is not None and not self.is_ours(found):
            if not found.serves(grant):
                raise Refused(Because.ANOTHER_OWNER, "theirs", 60.0, "", releasable=False)
            return Given(found.id, ours=False)
        id_ = grant.assignment_id if found is None else found.id
        self.existing[id_] = replace(assignment(grant), id=id_)
        return Given(id_, ours=True)

    async def giving(self, wanted: Grant) -> RoleAssignment | None:
        if self.fail:
            raise self.fail
        return next((one for one in self.existing.values() if one.carries(wanted)), None)

    async def read(self, assignment_id: str) -> RoleAssignment | None:
        return self.existing.get(assignment_id)

    async def delete(self, assignment_id: str) -> None:
        self.existing.pop(assignment_id, None)

    def is_ours(self, assignment: Described) -> bool:
        return assignment.description == STAMP


def assignment(of: Grant, description: str = STAMP) -> RoleAssignment:
    properties = {
        "scope": of.scope,
        "roleDefinitionId": f"/roleDefinitions/{of.role_id}",
        "principalId": of.principal_id,
        "condition": of.condition,
    }
    raw = {"id": of.assignment_id, "properties": properties}
    return RoleAssignment(of.assignment_id, of.scope, of.role_id, of.principal_id, description, raw)


@asynccontextmanager
async def unrecorded(_removed: Removed, _evidence: tuple[str, ...]) -> AsyncIterator[None]:
    """For who removes and does not care what is counted and kept of it."""
    yield
