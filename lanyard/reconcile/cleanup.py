"""The assignments that a deleted identity left behind, and the evidence before one is removed.

A principal that was seen alive is an orphan's principal only when two sources agree: ARM (the
resource is gone or no longer has it) and the directory, in an answer that also holds a principal
known to exist. One that was never seen alive must, further, be shown by no resource, not be
restorable, and its assignments must be old enough to be no replication lag. Then the grace period
runs, each assignment is read again, and only what still names that principal is deleted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from lanyard.planning.life import LATE
from lanyard.ports.azure import Assignments, Directory, Index
from lanyard.record.assignment_deletion import Removing
from lanyard.record.claims import Claims
from lanyard.values.errors import Because, MayPass, NotYet, Permanent, Refused, Temporary
from lanyard.values.grants import Grant, RoleAssignment
from lanyard.values.removed import RemovedAssignment
from lanyard.values.resource_id import folded, subscription_of

# Entra needs from seconds to minutes to let go of a deleted principal. What takes longer is asked
# for less and less often.
_SHORTEST_DELAY = 30.0
_LONGEST_DELAY = 3600.0
#: An assignment of a principal never seen alive is left alone while it is younger (seconds): a
#: new principal can take minutes to appear in the directory.
YOUNGEST = 3600.0
_RESTORABLE_DELAY = 86400.0


@dataclass(frozen=True, slots=True)
class Orphans:
    """Cleans up after one principal at a time. `grace` in seconds; `now`: seconds since epoch."""

    assignments: Assignments
    index: Index
    directory: Directory
    claims: Claims
    grace: float
    now: Callable[[], float]

    async def remove(
        self, principal_id: str, gone_at: float, subscription: str, removing: Removing
    ) -> list[RoleAssignment]:
        """Delete the assignments of a principal that was seen alive and is gone; returns them.

        `gone_at`: when ARM was first seen without the principal. `subscription` is where it lived
        and is asked directly; elsewhere Resource Graph is. Raises Temporary while the evidence
        or the grace period is incomplete, and where any listing fails: then nothing is removed.
        Raises Refused where the directory may not be read, or knows the principal for a day yet.
        """
        await self._check_departure(principal_id, gone_at)
        found, unread = await self._find(principal_id, subscription)
        found = _below_management(found)
        self._check_grace(found, gone_at)
        return await self._delete(found, unread, removing, self._evidence(principal_id, gone_at))

    async def remove_unknown(
        self,
        principal_id: str,
        unknown_since: float,
        subscription: str,
        removing: Removing,
    ) -> list[RoleAssignment]:
        """Delete the assignments of a principal that was never seen alive; returns them.

        `unknown_since`: when the directory was first found not to know it. Raises as `remove` does.
        """
        await self._check_directory(principal_id, unknown_since)
        if holders := await self.index.showing(principal_id):
            message = f"{holders[0].id} shows principal {principal_id}: it is alive"
            raise NotYet(message, _LONGEST_DELAY)
        if await self.directory.restorable(principal_id):
            message = f"principal {principal_id} is in the recycle bin and can be restored"
            raise NotYet(message, _RESTORABLE_DELAY)
        found, unread = await self._find(principal_id, subscription)
        found = _below_management(found)
        self._check_grace(found, unknown_since)
        self._check_age(found)
        evidence = self._evidence(principal_id, unknown_since)
        return await self._delete(found, unread, removing, evidence)

    async def _check_departure(self, principal_id: str, gone_at: float) -> None:
        """Replicas of the directory are minutes behind: where it takes a day, a person sees it."""
        try:
            await self._check_directory(principal_id, gone_at)
        except Refused:
            raise
        except NotYet as error:
            if self.now() - gone_at < LATE:
                raise
            raise Refused(
                Because.CANNOT_BE_ASKED,
                f"{error}, a day after ARM showed it last",
                _LONGEST_DELAY,
                "see why the directory keeps it, or delete its assignments; it goes on by itself",
                releasable=False,
            ) from error

    async def _check_directory(self, principal_id: str, gone_at: float) -> None:
        if await self._in_directory(principal_id):
            message = f"the directory still knows principal {principal_id}"
            waited = self.now() - gone_at
            raise NotYet(message, min(max(waited / 2, _SHORTEST_DELAY), _LONGEST_DELAY))

    async def _in_directory(self, principal_id: str) -> bool:
        """Whether either question finds it. Who may not ask has no second source: it is held."""
        try:
            listed = principal_id in await self.directory.existing([principal_id])
            return listed or await self.directory.exists(principal_id)
        except Permanent as error:
            reason = f"the directory, the second source, may not be read: {error}"
            fix = "with Directory.Read.All granted to the app's identity it goes on by itself"
            raise Refused(
                Because.NO_DIRECTORY, reason, _LONGEST_DELAY, fix, releasable=False
            ) from error

    def _check_grace(self, found: list[RoleAssignment], gone_at: float) -> None:
        if found and (left := gone_at + self.grace - self.now()) > 0:
            raise NotYet(f"{len(found)} orphaned assignments are in their grace period", left)

    def _check_age(self, found: Iterable[RoleAssignment]) -> None:
        for assignment in found:
            age = self.now() - _created(assignment)
            if age < YOUNGEST:
                message = f"{assignment.id} is new: its principal may not be replicated yet"
                raise NotYet(message, YOUNGEST - age)

    def _evidence(self, principal_id: str, gone_at: float) -> tuple[str, ...]:
        since = datetime.fromtimestamp(gone_at, UTC)
        return (
            f"no resource has principal {principal_id} any more: so ARM, since {since:%F %T} UTC",
            f"the directory does not list {principal_id} beside the control principal, and answers "
            "404 for it",
            "read from ARM right before: it still names that principal",
        )

    async def _delete(
        self,
        found: Iterable[RoleAssignment],
        unread: Iterable[Temporary | Permanent],
        removing: Removing,
        evidence: tuple[str, ...],
    ) -> list[RoleAssignment]:
        """One that fails stops no other, nor does one that cannot be read; in the end it is the
        failure of all.
        """
        removed: list[RoleAssignment] = []
        failures = [*unread]
        for assignment in found:
            try:
                if await self.claims.kept(_grant(assignment)):
                    continue  # a person had its removal undone
                async with removing(RemovedAssignment(assignment.raw), evidence):
                    await self.assignments.delete(assignment.id)
            except Refused:
                raise  # what forbids this one forbids the others, too
            except (Temporary, Permanent) as failure:
                failures.append(failure)
            else:
                removed.append(assignment)
        if failures:
            raise _of_all(failures, len(removed))
        return removed

    async def find(self, principal_id: str, subscription: str) -> list[RoleAssignment]:
        """Everything the principal holds, each read from ARM just now; above subscriptions what
        ARM lists with the rest, and nothing that has to be read where the app has no rights. Raises
        Temporary, Permanent where any listing fails, or one cannot be read.
        """
        found, unread = await self._find(principal_id, subscription)
        if unread:
            raise unread[0]
        return found

    async def _find(
        self, principal_id: str, subscription: str
    ) -> tuple[list[RoleAssignment], list[Temporary | Permanent]]:
        """What can be read of it, and why the rest cannot."""
        unread: list[Temporary | Permanent] = []
        listed = await self.assignments.of_principal(principal_id, subscription)
        found = {folded(assignment.id): assignment for assignment in listed}
        for assignment_id in await self.index.assignments_of(principal_id):
            if folded(assignment_id) not in found and subscription_of(assignment_id):
                try:
                    assignment = await self.assignments.read(assignment_id)
                except (Temporary, Permanent) as failure:
                    unread.append(failure)
                    continue
                if assignment is not None:
                    found[folded(assignment_id)] = assignment
        # A filter that the service ignored would list everybody's: never trust it blindly.
        return [one for one in found.values() if one.principal_id == principal_id], unread


def _below_management(found: Iterable[RoleAssignment]) -> list[RoleAssignment]:
    """Without what is above subscriptions, at management groups and the root: left to people."""
    return [one for one in found if subscription_of(one.scope) is not None]


def _of_all(failures: list[Temporary | Permanent], removed: int) -> Temporary | Permanent:
    """As one: tried again as long as any of them can succeed."""
    reasons = "; ".join(str(failure) for failure in failures)
    message = f"{removed} removed, {len(failures)} not: {reasons}"
    passing = [failure for failure in failures if isinstance(failure, Temporary)]
    if passing and all(isinstance(failure, MayPass) for failure in passing):
        return MayPass(message, max(failure.delay for failure in passing))
    if passing:
        return Temporary(message, max(failure.delay for failure in passing))
    codes = [failure.code for failure in failures if isinstance(failure, Permanent)]
    return Permanent(message, codes[0])


def _grant(assignment: RoleAssignment) -> Grant:
    return Grant(assignment.scope, assignment.role_id, assignment.principal_id)


def _created(assignment: RoleAssignment) -> float:
    """Seconds since the epoch; what ARM does not date is treated as new for ever."""
    properties = assignment.raw.get("properties")
    text = str(properties.get("createdOn") or "") if isinstance(properties, dict) else ""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (OverflowError, ValueError):
        return float("inf")
