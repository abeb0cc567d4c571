"""Who needs which grant, and when its assignment goes.

A *claim* says "this resource needs this grant". Each is a row of its own beside the grant's row,
so ten thousand claims are no hot row. The grant's row carries the state:

    (none) ── add ──▶ granting ── assigned ──▶ active ── last claim goes ──▶ revoking ──▶ revoked
                          ▲                      ▲             │                             │
                          └────── add ───────────┴─ a claim ◀──┘            add ─────────────┘

Why nothing is revoked that is needed: an adder writes its claim *before* it reads the state; the
remover (revocation.py) reads the claims again *after* it has set `revoking`. One of them sees the
other. An adder that meets `revoking` waits until the remover's time is over (`until`), because a
delete that is on its way cannot be called back. Every change of state is made on the version that
was read (grant_rows.py).

Many that need a new grant at once make its assignment once (making.py): `granting` names the
resource that it is made for, and who meets that has written its claim and waits. Who waited reads
the state for itself: what another read may be older than its claim.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import partial

from lanyard.planning.contested import MOST_REPAIRS
from lanyard.ports.azure import Granting
from lanyard.ports.tables import RowChanged, RowExists
from lanyard.record.agreed_conditions import Conditions, Unconditional
from lanyard.record.grant_rows import BaselessClaim, GrantRows, on_fresh_rows
from lanyard.record.granted import Granted, Missing
from lanyard.record.making import MadeOnce
from lanyard.record.rows import DamagedRow
from lanyard.values.errors import (
    FEW_ATTEMPTS,
    Because,
    GivenUp,
    NotDone,
    Permanent,
    Refused,
    Temporary,
)
from lanyard.values.grants import Given, Grant, Standing, State
from lanyard.values.resource_id import ResourceId, folded

log = logging.getLogger("lanyard")

#: What contradicts another rule is looked at again so much later (seconds).
_CONTRADICTION_DELAY = 3600.0


class Result(StrEnum):
    """What adding or dropping a claim led to."""

    ASSIGNED = "assigned"
    ALREADY_ASSIGNED = "already assigned"
    REVOKED = "revoked"
    STILL_CLAIMED = "still claimed"
    NOT_OURS = "not ours"


class Claims:
    """Claims on grants, made and read; revocation.py has them go."""

    def __init__(
        self,
        rows: GrantRows,
        assignments: Granting,
        conditions: Conditions | None = None,
        once: MadeOnce | None = None,
    ) -> None:
        self._rows = rows
        self._assignments = assignments
        self._conditions = conditions or Unconditional()
        self._once = once or MadeOnce()

    async def add(self, grant: Grant, resource: ResourceId, *, anew: bool = False) -> Result:
        """Claim `grant` for `resource`; on return its assignment exists. `anew`: a person released
        it, so what somebody took away until now counts no longer; nor does it where another owner
        gives it.

        Raises NotYet while another worker is making or revoking it, Refused where another resource
        needs it on another condition, GivenUp where Azure did not do what it reported as done a few
        times, and what the assignment call raises.
        """
        await self._rows.claim(grant, resource)
        # What is refused, or forgotten, for one resource is so for no other.
        alone = resource if anew or self._conditions.in_question(grant) else None
        make = partial(self._ensure_granted, grant, resource, anew=anew)
        return await self._once.ensure(
            (grant.name, grant.condition, alone),
            partial(self._given, grant),
            partial(on_fresh_rows, grant, make),
        )

    async def times_taken(self, grant: Grant) -> int:
        """How often somebody took away what is to be given again, whoever claims it. Before it is
        left to people ARM is asked: they, or another owner, may give it by now. Raises DamagedRow.
        """
        found = await self._rows.find(grant.name)
        times = 0 if found is None else self._rows.times_taken(found)
        return 0 if times > MOST_REPAIRS and await self._is_given(grant) else times

    async def _is_given(self, grant: Grant) -> bool:
        """Whether it is there, whoever gave it; where ARM cannot say it is not."""
        try:
            now = await self._assignments.giving(grant)
        except (Permanent, Temporary) as error:
            log.warning("nobody knows whether %s is there again: %s", grant, error)
            return False
        return now is not None and now.serves(grant)

    async def keep(self, grant: Grant, decision_id: str, by: str) -> None:
        """Claim a grant for the person who has its removal undone; call it before putting it back,
        and `stands` when it is there: until then the next claim makes it.

        Raises NotYet while a worker is revoking it.
        """
        await self._rows.keep(grant, decision_id, by)
        await on_fresh_rows(grant, lambda: self._ensure_granting(grant))

    async def stands(self, grant: Grant, assignment_id: str, *, ours: bool) -> None:
        """The assignment of a claimed grant is there under this id, and whose it is. Raises
        Temporary where another worker changed the grant meanwhile.
        """
        found = await self._rows.find(grant.name)
        if found is None or found.state in (State.REVOKING, State.REVOKED):
            return
        stood = found.state is State.ACTIVE
        known, moments = (found.grant, None) if stood else (grant, self._rows.stands_now(found))
        await self._rows.note(
            found, known, State.ACTIVE, ours=ours, moments=moments, assignment_id=assignment_id
        )

    async def let_go(self, grant: Grant, decision_id: str) -> None:
        """Withdraw what `keep` claimed."""
        await self._rows.let_go(grant, decision_id)

    async def keeps(self, grant: Grant, decision_id: str) -> bool:
        """Whether `keep` claimed it, and nobody let go of that."""
        return await self._rows.keeps(grant, decision_id)

    async def kept(self, grant: Grant) -> str:
        """Who had the removal of this grant undone, or ""."""
        return await self._rows.kept(grant)

    async def unclaimed(self, name: str) -> Grant | None:
        """The grant with this name, if it is not revoked and nothing claims it."""
        found = await self._rows.find(name)
        if found is None or found.state is State.REVOKED or await self._rows.claimed(found.grant):
            return None
        return found.grant

    def standing(
        self,
        damaged: list[DamagedRow] | None = None,
        baseless: list[BaselessClaim] | None = None,
    ) -> AsyncIterator[Standing]:
        """Every grant whose assignment should exist, or is on its way out. See `GrantRows`."""
        return self._rows.standing(damaged, baseless)

    async def drop_baseless(self, claim: BaselessClaim) -> None:
        """A claim of what is not given, which nothing has on record: see `GrantRows`."""
        await self._rows.drop_baseless(claim)

    async def move(self, grant: Grant, source: ResourceId, target: ResourceId) -> None:
        """A resource moved, and its claim with it: it is never without one."""
        await self.share(grant, target)
        await self.give_up(grant, source)

    async def share(self, grant: Grant, resource: ResourceId) -> None:
        """A resource that has it already claims it, too."""
        await self._rows.claim(grant, resource)

    async def give_up(self, grant: Grant, resource: ResourceId) -> None:
        """The resource claims it no more; nothing is revoked. What was never assigned is over with
        its last claim.
        """
        with suppress(RowChanged):  # it is claimed again: then it is that claim's turn
            await self._rows.give_up(await self._rows.claim_of(grant, resource))
        found = await self._rows.find(grant.name)
        if found is None or found.state is not State.GRANTING or await self._rows.claimed(grant):
            return
        await self._rows.note(found, grant, State.REVOKED, ours=found.ours)

    async def claimed_by(self, grant: Grant, resource: ResourceId) -> bool:
        """Whether a resource claims it."""
        return await self._rows.claim_of(grant, resource) is not None

    async def stood(self, grant: Grant) -> bool:
        """Whether its assignment was made, or found, on this very condition, and on no other since;
        so, too, where its row cannot be read: by that nothing is changed.
        """
        try:
            found = await self._rows.find(grant.name)
        except DamagedRow:
            return True
        if found is None or found.grant.condition != grant.condition:
            return False
        return found.moments.stands_since > 0

    async def recorded_as_given(self, grant: Grant) -> bool:
        """Whether its row has it as given, on this very condition."""
        found = await self._rows.find(grant.name)
        return found is not None and found.gives(grant)

    async def on_record(self, grant: Grant) -> bool:
        """Whether there is a row of it, whatever it says."""
        return await self._rows.find(grant.name) is not None

    async def learn(self, grant: Grant, assignment_id: str) -> None:
        """An assignment of ours is listed that no row is of, or a row has it revoked: as one that
        nothing claims from now on, and that the next claim reads again.
        """
        found = await self._rows.find(grant.name)
        if found is None or self._rows.revoked_long_ago(found):
            moments = self._rows.unclaimed_now(found)
            with suppress(RowExists, RowChanged):  # another worker makes it at this moment
                await self._rows.write(
                    found, grant, State.GRANTING, moments=moments, assignment_id=assignment_id
                )

    async def own(self, grant: Grant, assignment_id: str) -> None:
        """A person adopted the assignment that gives it, or it turned out to be ours, under this
        id. Where it has no row yet it has one that nothing claims from now on; where it is being
        made, or revoked, who is at it finds that itself.

        Raises Temporary where another worker changed the grant meanwhile.
        """
        found = await self._rows.find(grant.name)
        if found is None:
            await self.learn(grant, assignment_id)
        elif found.state is State.ACTIVE:
            await self._rows.note(
                found, found.grant, State.ACTIVE, ours=True, assignment_id=assignment_id
            )

    async def reopen(
        self, seen: Standing, missing: Missing = Missing.UNKNOWN, now: float = 0.0
    ) -> bool:
        """Someone deleted the assignment, ours or another owner's, or it gives something else now:
        the next claim that is added makes it again. `seen`: the grant as it was when that was
        found. `missing`: what `now` (seconds since the epoch) is known to have become of ours.

        Returns whether it is open: what was made again since then stands. Raises Temporary where
        other workers go on changing the grant.
        """
        return await on_fresh_rows(seen.grant, lambda: self._reopen(seen, missing, now))

    async def _reopen(self, seen: Standing, missing: Missing, now: float) -> bool:
        found = await self._rows.find(seen.grant.name)
        if found is None or found.state is not State.ACTIVE:
            return True
        if found.moments.stands_since != seen.since:
            return False
        moments = found.moments.after(missing, now)
        await self._rows.write(found, seen.grant, State.GRANTING, ours=found.ours, moments=moments)
        return True

    async def disown(self, grant: Grant) -> None:
        """Somebody changed the stamp of the assignment, or it was released from adoption: it is
        theirs, and serves while it stands.

        Raises Temporary where another worker changed the grant meanwhile.
        """
        found = await self._rows.find(grant.name)
        if found is not None and found.state is State.ACTIVE and found.ours:
            moments = replace(found.moments, theirs_since=self._rows.now())
            await self._rows.note(found, found.grant, State.ACTIVE, ours=False, moments=moments)

    async def _ensure_granted(self, grant: Grant, resource: ResourceId, *, anew: bool) -> Result:
        found = await self._rows.find(grant.name)
        if found is not None and found.gives(grant) and await self._still_serves(found):
            return Result.ALREADY_ASSIGNED
        if found is not None:
            self._rows.wait_for_others(found, resource)
            if not anew:
                _ensure_done(found)
        await self._ensure_agreed(grant, found, resource)
        moments = self._rows.stands_now(found)
        begun = None if found is None else found.moments_on(grant.condition)
        found = await self._rows.write(
            found, grant, State.GRANTING, moments=begun, maker=resource.key
        )
        given = await self._make(grant, found)
        if anew or not given.ours:
            moments = replace(moments, taken_at=(), not_done_at=())
        is_theirs = not given.ours and folded(given.assignment_id) == folded(grant.assignment_id)
        moments = replace(moments, theirs_since=self._rows.now() if is_theirs else 0.0)
        active = await self._rows.write(
            found,
            grant,
            State.ACTIVE,
            ours=given.ours,
            moments=moments,
            assignment_id=given.assignment_id if given.ours else grant.assignment_id,
        )
        if not given.ours:
            return Result.NOT_OURS
        return Result.ALREADY_ASSIGNED if active.adopted else Result.ASSIGNED

    async def _make(self, grant: Grant, making: Granted) -> Given:
        """Nobody waits for a maker that failed, unless what it asked for may come to be."""
        try:
            if making.moments.theirs_since:
                return await self._assignments.ensure(grant, was_theirs=True)
            return await self._assignments.ensure(grant)
        except (Temporary, Permanent) as failure:
            if not failure.uncertain:
                with suppress(RowChanged, Temporary):  # then its time ends by itself
                    await self._rows.write(making, grant, State.GRANTING)
            raise

    async def _given(self, grant: Grant) -> Result | None:
        """None where it is not given, or not so."""
        found = await self._rows.find(grant.name)
        given = found is not None and found.gives(grant) and await self._still_serves(found)
        return Result.ALREADY_ASSIGNED if given else None

    async def _ensure_agreed(
        self, grant: Grant, found: Granted | None, resource: ResourceId
    ) -> None:
        """Raises Refused where it stands, or is being given, on another condition for somebody."""
        if not self._conditions.in_question(grant):
            return
        standing = await self._given_otherwise(grant, found)
        if standing is None:
            return
        claimants = await self._rows.claimants(grant)
        if holder := await self._conditions.holding(standing, claimants, resource):
            raise Refused(
                Because.RULE,
                f"{holder}, has it on another condition, and one assignment holds one",
                _CONTRADICTION_DELAY,
                "have the rules agree on the condition",
                releasable=False,
            )

    async def _given_otherwise(self, grant: Grant, found: Granted | None) -> Grant | None:
        """The grant as it is given now, where that is on another condition: by its row, or, where
        that was lost, by Azure.
        """
        if found is not None and found.state in (State.GRANTING, State.ACTIVE):
            return found.grant if found.grant.condition != grant.condition else None
        now = await self._assignments.giving(grant)
        if now is None or not self._assignments.is_ours(now) or now.serves(grant):
            return None
        return replace(grant, condition=now.condition)

    async def _still_serves(self, found: Granted) -> bool:
        """What somebody else's assignment gives lasts as long as they like: ARM is asked. Of ours
        the sweep sees to it.
        """
        if found.ours:
            return True
        now = await self._assignments.giving(found.grant)
        return now is not None and now.serves(found.grant) and not self._assignments.is_ours(now)

    async def _ensure_granting(self, grant: Grant) -> None:
        """Without a call to Azure: it stands, or the next claim makes it."""
        found = await self._rows.find(grant.name)
        if found is not None and found.state is State.REVOKING:
            self._rows.wait_for_remover(found)
        if found is None or found.state not in (State.GRANTING, State.ACTIVE):
            await self._rows.write(found, grant, State.GRANTING, ours=False)


def _ensure_done(found: Granted) -> None:
    """Raises GivenUp where Azure answered a few times that it is made, and it was not there then.
    A person has it tried once more.
    """
    times = len(found.moments.not_done_at)
    if times >= FEW_ATTEMPTS:
        message = f"{found.grant} was made {times} times by Azure's answer, and is not there"
        raise GivenUp(NotDone(message, 0.0))
