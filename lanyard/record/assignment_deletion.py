"""The assignment of a grant that is being revoked, read once more and deleted."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace

from lanyard.planning.life import SECOND_LOOK
from lanyard.ports.azure import Granting
from lanyard.record.grant_rows import GrantRows
from lanyard.record.granted import Granted
from lanyard.values.errors import NotYet, Temporary
from lanyard.values.grants import Grant, State
from lanyard.values.removed import Removed, RemovedAssignment

#: The longest that one call may take: lanyard/azure/arm/transport.py sets its time limits below it.
CALL_SECONDS = 40.0
#: Seconds until what was missed by one read and shown by the next is looked at again.
_TURNED_UP = 2.0

#: The deletion goes into it: what is removed is on record first, with the evidence. On entering it
#: raises Temporary to refuse the removal for now.
type Removing = Callable[[Removed, tuple[str, ...]], AbstractAsyncContextManager[None]]

_EVIDENCE = (
    "no other resource claims this grant: the claims were read again after it was set to revoking",
    "no other resource that has its identity needs it by the policy: Resource Graph and ARM were "
    "asked",
    "read from ARM right before: its name, its content and its stamp are Lanyard's",
)


class AssignmentDeletion:
    """Deletes what is Lanyard's. `now`: seconds since the epoch, of this worker's clock."""

    def __init__(self, rows: GrantRows, assignments: Granting, now: Callable[[], float]) -> None:
        self._rows = rows
        self._assignments = assignments
        self._now = now

    async def delete(
        self,
        grant: Grant,
        revoking: Granted,
        before: State,
        removing: Removing,
        *,
        expected: bool = True,
    ) -> bool:
        """Delete the assignment; whether it is, or was, ours. `expected`: it is known to be there,
        and whoever may need it was asked for; else one that turns up is left for the next time.

        Raises Temporary where that is refused for now, or takes too long, NotYet where ARM answers
        404 and it is not certain to be gone, and what the calls raise. Where nothing was begun the
        grant is in the state `before` again.
        """
        found = await self._assignments.read(revoking.assignment_id)  # again, right before
        if found is None:
            await self._ensure_gone(revoking, before)
            return True
        if not (found.carries(grant) and self._assignments.is_ours(found)):
            return False
        if not expected:
            await self._put_back(revoking, before, missing_since=0.0)
            raise NotYet(f"{grant} is there after all", _TURNED_UP)
        async with AsyncExitStack() as removal:
            gone = removing(RemovedAssignment(found.raw), _EVIDENCE)
            await self._enter(removal, gone, revoking, before)
            await self._delete(found.id, revoking)
        return True

    async def _ensure_gone(self, revoking: Granted, before: State) -> None:
        """ARM answers 404 for it, as a replica may for a while. Raises NotYet until it has done so
        for a minute since the last claim went: one from before that says nothing.
        """
        known = revoking.moments
        counts = known.missing_since >= known.unclaimed_since
        first = (counts and known.missing_since) or self._now()
        left = first + SECOND_LOOK - self._now()
        if left > 0:
            await self._put_back(revoking, before, missing_since=first)
            raise NotYet("ARM answers 404 for it, and nothing else says that it is gone", left)

    async def _enter(
        self,
        removal: AsyncExitStack,
        gone: AbstractAsyncContextManager[None],
        revoking: Granted,
        before: State,
    ) -> None:
        """It may be refused; then nobody has to wait for a removal that does not come."""
        try:
            await removal.enter_async_context(gone)
        except Temporary:
            await self._put_back(revoking, before, missing_since=0.0)
            raise

    async def _put_back(self, revoking: Granted, before: State, *, missing_since: float) -> None:
        moments = replace(revoking.moments, missing_since=missing_since)
        await self._rows.write(
            revoking, revoking.grant, before, ours=revoking.ours, moments=moments
        )

    async def _delete(self, assignment_id: str, revoking: Granted) -> None:
        # No delete may be on its way any more when an adder is allowed to take over.
        if self._now() > revoking.until - CALL_SECONDS:
            message = f"revoking {revoking.grant.name} took too long; again later"
            raise Temporary(message, CALL_SECONDS)
        await self._assignments.delete(assignment_id)
