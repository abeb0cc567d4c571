"""A claim that goes, and with the last one the assignment.

The other half of claims.py, which has the states and says why nothing is revoked that is needed.
The last claim goes with its assignment, not before: whatever holds the removal keeps the claim.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from lanyard.planning.life import LATE, SECOND_LOOK
from lanyard.ports.azure import Granting
from lanyard.ports.tables import Row, RowChanged
from lanyard.record.assignment_deletion import AssignmentDeletion, Removing
from lanyard.record.claims import Result
from lanyard.record.grant_rows import GrantRows, on_fresh_rows
from lanyard.record.granted import NOTED_EVERY, Granted
from lanyard.values.errors import Because, NotYet, Permanent, Refused, Temporary
from lanyard.values.grants import Grant, State
from lanyard.values.resource_id import ResourceId

# Of what sources contradict each other on, in seconds.
_LONGEST_DELAY = 3600.0

#: A resource that needs the grant, whatever the claims say, beside the one whose claim goes; it has
#: the grant on its record then. None where none does.
type Needing = Callable[[Grant, ResourceId | None], Awaitable[ResourceId | None]]


async def nobody(_grant: Grant, _besides: ResourceId | None) -> ResourceId | None:
    """For who asks the claims alone."""
    return None


class Revocation:
    """Claims on grants, given up. `now`: seconds since the epoch, of this worker's clock.

    `grace`: so many seconds an assignment stands after its last claim is gone. `needing` asks the
    estate before one is revoked.
    """

    def __init__(
        self,
        rows: GrantRows,
        assignments: Granting,
        now: Callable[[], float],
        grace: float = 0.0,
        needing: Needing = nobody,
    ) -> None:
        self._rows = rows
        self._assignments = assignments
        self._deletion = AssignmentDeletion(rows, assignments, now)
        self._now = now
        self._grace = grace
        self._needing = needing

    async def drop(
        self, grant: Grant, resource: ResourceId, removing: Removing, since: float
    ) -> Result:
        """Give up the claim of `resource`, which it has not needed `since` then (seconds since the
        epoch). Where others claim the grant it goes at once; the last one goes when the assignment
        is revoked, after the grace. Raises as `retire`.
        """

        async def attempt() -> Result:
            claim = await self._rows.claim_of(grant, resource)
            return await self._drop(grant, resource, claim, removing, since)

        return await on_fresh_rows(grant, attempt)

    async def retire(self, grant: Grant, removing: Removing, since: float | None = None) -> Result:
        """Revoke a grant that nothing claims `since` then, as far as anybody knows; one that is
        claimed stays. Raises NotYet within the grace.
        """
        return await on_fresh_rows(grant, lambda: self._revoke_if_unclaimed(grant, removing, since))

    async def _drop(
        self,
        grant: Grant,
        resource: ResourceId,
        claim: Row | None,
        removing: Removing,
        since: float,
    ) -> Result:
        if await self._rows.claimed(grant, besides=claim):
            await self._outlive(grant)
            await self._rows.give_up(claim)
            if await self._rows.claimed(grant):
                return Result.STILL_CLAIMED
            claim = None  # The other one left at the same moment.
        return await self._revoke_if_unclaimed(grant, removing, since, resource, claim)

    async def _outlive(self, grant: Grant) -> None:
        """The assignment outlives this claim by the grace, whoever claims it last."""
        found = await self._rows.find(grant.name)
        until = (self._now() // NOTED_EVERY + 1) * NOTED_EVERY
        if not self._grace or found is None or found.moments.unclaimed_since >= until:
            return
        if found.state in (State.GRANTING, State.ACTIVE):
            outlived = replace(found.moments, unclaimed_since=until)
            await self._rows.write(
                found,
                found.grant,
                found.state,
                ours=found.ours,
                moments=outlived,
                maker=found.maker,
            )

    async def _revoke_if_unclaimed(
        self,
        grant: Grant,
        removing: Removing,
        since: float | None,
        resource: ResourceId | None = None,
        claim: Row | None = None,
    ) -> Result:
        """`claim`: the one, of `resource`, that goes with the assignment."""
        found = await self._rows.find(grant.name)
        if found is None or found.state is State.REVOKED:
            await self._rows.give_up(claim)
            return Result.REVOKED
        if await self._rows.claimed(grant, besides=claim):
            await self._rows.give_up(claim)
            return Result.STILL_CLAIMED
        if found.state is State.REVOKING:
            self._rows.wait_for_remover(found)
        known, found = found, await self._noted_unclaimed(found, grant, since)
        left = found.moments.unclaimed_since + self._grace - self._now()
        stands = found.state is State.ACTIVE or (left <= 0 and await self._is_there(found))
        if found.ours and stands and (left <= 0 or not found.moments.is_unneeded):
            is_new = found is not known
            if needed_by := await self._needed_by(grant, resource, found, left, is_new=is_new):
                return await self._go_on(found, grant, needed_by, claim)
        if left > 0:
            raise _waits(left)
        # What is put back if nothing is revoked, so that what others saw before stays true.
        before = State.ACTIVE if found.state is State.ACTIVE else State.GRANTING
        found = await self._rows.write(found, grant, State.REVOKING, ours=found.ours)
        if await self._rows.claimed(grant, besides=claim):
            await self._rows.write(found, grant, before, ours=found.ours)
            await self._rows.give_up(claim)
            return Result.STILL_CLAIMED
        ours = found.ours and await self._deletion.delete(
            grant, found, before, removing, expected=stands
        )
        return await self._close(grant, found, claim, ours=ours)

    async def _is_there(self, found: Granted) -> bool:
        """Of what is on its way, in or out. Nobody needs what is not: two resources that would keep
        it would hand the claim to each other for ever.
        """
        return await self._assignments.read(found.assignment_id) is not None

    async def _go_on(
        self, found: Granted, grant: Grant, needed_by: ResourceId, claim: Row | None
    ) -> Result:
        """It stands, and another resource has it."""
        await self._rows.claim(grant, needed_by)
        if found.state is not State.ACTIVE:
            moments = self._rows.stands_now(found)
            await self._rows.write(found, grant, State.ACTIVE, ours=True, moments=moments)
        await self._rows.give_up(claim)
        return Result.STILL_CLAIMED

    async def _needed_by(
        self,
        grant: Grant,
        besides: ResourceId | None,
        found: Granted,
        left: float,
        *,
        is_new: bool,
    ) -> ResourceId | None:
        """See `needing`. Asked when the grace begins, too (seconds that are `left` of it): who does
        not need it by one look may by the other. `is_new`: nobody waited for the grace here, which
        was over before. Raises NotYet where another look is to come.
        """
        try:
            needed_by = await self._needing(grant, besides)
        except (Temporary, Permanent) as failure:
            if left > 0:  # the look after the grace raises it
                raise _waits(left) from failure
            if isinstance(failure, NotYet) and not isinstance(failure, Refused):
                raise _in_doubt(failure, self._now() - found.moments.unclaimed_since) from failure
            raise
        is_last = left <= 0 and (is_new or not self._grace or found.moments.is_unneeded)
        if needed_by is not None or is_last:
            return needed_by
        moments = replace(found.moments, unneeded_since=self._now())
        await self._rows.write(
            found, grant, found.state, ours=True, moments=moments, maker=found.maker
        )
        raise _waits(max(left, SECOND_LOOK))

    async def _noted_unclaimed(self, found: Granted, grant: Grant, since: float | None) -> Granted:
        """With the moment since when nothing claims it: while the grace lasts from then on, a
        machine that is made again under its name finds the assignment. A new one takes Azure
        minutes.
        """
        known = found.moments.unclaimed_since
        if since is None:
            since = known or self._now()
        if since <= known:
            return found
        moments = replace(found.moments, unclaimed_since=since)
        return await self._rows.write(
            found, grant, found.state, ours=found.ours, moments=moments, maker=found.maker
        )

    async def _close(
        self, grant: Grant, revoking: Granted, claim: Row | None, *, ours: bool
    ) -> Result:
        """The assignment is gone, or somebody else's: the claim goes, too."""
        moments = revoking.moments
        if revoking.ours and not ours:
            moments = replace(moments, theirs_since=self._now())
        try:
            await self._rows.give_up(claim)
        except RowChanged:
            # Made anew meanwhile: who did that waits for this to end, and assigns it again.
            await self._rows.write(revoking, grant, State.GRANTING, ours=ours, moments=moments)
            return Result.STILL_CLAIMED
        try:
            await self._rows.write(revoking, grant, State.REVOKED, ours=ours, moments=moments)
        except RowChanged:
            # We were slower than our own time limit and an adder took over: make it whole again.
            if await self._rows.claimed(grant):
                await self._assignments.ensure(grant)
            raise
        return Result.REVOKED if ours else Result.NOT_OURS


def _waits(left: float) -> NotYet:
    return NotYet("its last claim is gone, and a successor may come", left)


def _in_doubt(why: NotYet, waited: float) -> NotYet:
    """It is asked again less and less often (`waited`: for so many seconds by now), and a person
    sees what is not known after a day.
    """
    delay = min(max(waited / 2, why.delay), _LONGEST_DELAY)
    if waited < LATE:
        return NotYet(str(why), delay)
    return Refused(
        Because.CANNOT_BE_ASKED,
        f"{why}, for a day",
        delay,
        "see which of them is right; it goes on by itself",
        releasable=False,
    )
