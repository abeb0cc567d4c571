"""The assignments that a deleted identity left behind, and the evidence before one is removed.

A principal that was seen alive on a resource is an orphan's principal only when two witnesses
agree: ARM (the resource is gone or no longer has it) and the directory, in an answer that also
holds a principal known to exist. Then the grace period runs, each assignment is read again, and
only what still names that principal is deleted.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.claims import Witness
from lanyard.errors import NotYet
from lanyard.model import RoleAssignment
from lanyard.ports import Assignments, Directory, Index

# Entra needs from seconds to minutes to let go of a deleted principal. What takes longer is asked
# for less and less often.
_SHORTEST_DELAY = 30.0
_LONGEST_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class Orphans:
    """Cleans up after one principal at a time. `grace` in seconds; `now`: seconds since epoch."""

    assignments: Assignments
    index: Index
    directory: Directory
    grace: float
    now: Callable[[], float]

    async def remove(
        self, principal_id: str, gone_at: float, subscription: str, witness: Witness
    ) -> list[RoleAssignment]:
        """Delete the principal's assignments and return them.

        `gone_at`: when ARM was first seen without the principal. `subscription` is where it lived
        and is asked directly; elsewhere Resource Graph tells. Raises Temporary while the evidence
        or the grace period is incomplete, and where any listing fails: then nothing is removed.
        """
        if principal_id in await self.directory.existing([principal_id]):
            message = f"the directory still knows principal {principal_id}"
            waited = self.now() - gone_at
            raise NotYet(message, min(max(waited / 2, _SHORTEST_DELAY), _LONGEST_DELAY))
        found = await self._find(principal_id, subscription)
        if found and (left := gone_at + self.grace - self.now()) > 0:
            raise NotYet(f"{len(found)} orphaned assignments are in their grace period", left)
        for assignment in found:
            await witness(assignment)
            await self.assignments.delete(assignment.id)
        return found

    async def _find(self, principal_id: str, subscription: str) -> list[RoleAssignment]:
        """Everything the principal holds, each read from ARM just now."""
        listed = await self.assignments.of_principal(principal_id, subscription)
        found = {assignment.id.lower(): assignment for assignment in listed}
        for assignment_id in await self.index.assignments_of(principal_id):
            if assignment_id.lower() not in found:
                assignment = await self.assignments.read(assignment_id)
                if assignment is not None:
                    found[assignment_id.lower()] = assignment
        # A filter that the service ignored would list everybody's: never trust it blindly.
        return [one for one in found.values() if one.principal_id == principal_id]
