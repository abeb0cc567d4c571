"""Role assignments in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lanyard.values.grants import Grant, RoleAssignment
from lanyard.values.removed import Removed

STAMP = "ours"


class FakeAssignments:
    """Role assignments in a dict. `foreign` grants are held by someone else, under another name."""

    def __init__(self) -> None:
        self.existing: dict[str, RoleAssignment] = {}
        self.foreign: set[str] = set()
        self.fail: Exception | None = None

    async def ensure(self, wanted: Grant) -> bool:
        if self.fail:
            raise self.fail
        if wanted.name in self.foreign:
            return False
        self.existing[wanted.assignment_id] = assignment(wanted)
        return True

    async def read(self, assignment_id: str) -> RoleAssignment | None:
        return self.existing.get(assignment_id)

    async def delete(self, assignment_id: str) -> None:
        self.existing.pop(assignment_id, None)

    def is_ours(self, assignment: RoleAssignment) -> bool:
        return assignment.description == STAMP


def assignment(of: Grant, description: str = STAMP) -> RoleAssignment:
    properties = {
        "scope": of.scope,
        "roleDefinitionId": f"/roleDefinitions/{of.role_id}",
        "principalId": of.principal_id,
    }
    raw = {"id": of.assignment_id, "properties": properties}
    return RoleAssignment(of.assignment_id, of.scope, of.role_id, of.principal_id, description, raw)


@asynccontextmanager
async def unrecorded(_removed: Removed, _evidence: tuple[str, ...]) -> AsyncIterator[None]:
    """For who removes and does not care what is counted and kept of it."""
    yield
