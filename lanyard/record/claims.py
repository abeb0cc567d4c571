"""Who needs which grant, and when its assignment goes.

A *claim* says "this resource needs this grant". Each is a row of its own beside the grant's row,
so ten thousand claims are no hot row. The grant's row carries the state:

    (none) ── add ──▶ granting ── assigned ──▶ active ── last claim goes ──▶ revoking ──▶ revoked
                          ▲                      ▲             │                             │
                          └────── add ───────────┴─ a claim ◀──┘            add ─────────────┘

Why nothing is revoked that is needed: an adder writes its claim *before* it reads the state; the
remover reads the claims again *after* it has set `revoking`. One of them sees the other. An adder
that meets `revoking` waits until the remover's time is over (`until`), because a delete that is
on its way cannot be called back. Every change of state is made on the version that was read.

The last claim goes with its assignment, not before: whatever holds the removal keeps the claim.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum

from lanyard.ports.azure import Granting
from lanyard.ports.tables import Row, RowChanged, RowExists, Table, key_of
from lanyard.record.rows import Columns
from lanyard.values.errors import NotYet, Temporary
from lanyard.values.grants import Grant, GrantKind, Standing, State
from lanyard.values.removed import Removed, RemovedAssignment
from lanyard.values.resource_id import ResourceId

_TABLE = "grants"
_GRANT = "grant"
_CLAIM = "claim|"
_AFTER_CLAIMS = "claim}"
# The end of a claim that others outlive is noted once in so many seconds: thousands end together.
_NOTED_EVERY = 30.0
#: Seconds between two answers 404 after which an assignment counts as gone.
SECOND_LOOK = 60.0
# A claim of a person, who had the assignment put back: by its decision's id, not a resource's.
_KEPT = "claim|undo "

#: The longest that one call may take: lanyard/azure/arm/clients.py sets its time limits below this.
CALL_SECONDS = 40.0
#: How long a remover has between `revoking` and `revoked`.
REVOKE_SECONDS = 120.0
_WAIT = 2.0
_ATTEMPTS = 8


class Result(StrEnum):
    """What adding or dropping a claim led to."""

    ASSIGNED = "assigned"
    ALREADY_ASSIGNED = "already assigned"
    REVOKED = "revoked"
    STILL_CLAIMED = "still claimed"
    NOT_OURS = "not ours"


#: The deletion goes into it: what is removed is on record first, with the evidence. On entering it
#: raises Temporary to refuse the removal for now.
type Removing = Callable[[Removed, tuple[str, ...]], AbstractAsyncContextManager[None]]

#: A resource that needs the grant, whatever the claims say, beside the one whose claim goes; it has
#: the grant on its record then. None where none does.
type Needing = Callable[[Grant, ResourceId | None], Awaitable[ResourceId | None]]


async def nobody(_grant: Grant, _besides: ResourceId | None) -> ResourceId | None:
    """For who asks the claims alone."""
    return None


_EVIDENCE = (
    "no other resource claims this grant: the claims were read again after it was set to revoking",
    "no other resource that has its identity needs it by the policy: Resource Graph and ARM were "
    "asked",
    "read from ARM right before: its name, its content and its stamp are Lanyard's",
)


class Claims:
    """Claims on grants over one table. `now`: seconds since the epoch, of this worker's clock.

    `grace`: so many seconds an assignment stands after its last claim is gone. `needing` asks the
    estate before one is revoked.
    """

    def __init__(
        self,
        table: Table,
        assignments: Granting,
        now: Callable[[], float],
        grace: float = 0.0,
        needing: Needing = nobody,
    ) -> None:
        self._table = table
        self._assignments = assignments
        self._now = now
        self._grace = grace
        self._needing = needing

    async def add(self, grant: Grant, resource: ResourceId) -> Result:
        """Claim `grant` for `resource`; on return its assignment exists.

        Raises Temporary while another worker is revoking it, and what the assignment call raises.
        """
        await self._put_claim(grant, resource)
        for _ in range(_ATTEMPTS):
            try:
                return await self._ensure_granted(grant)
            except (RowChanged, RowExists):
                continue
        raise Temporary(f"the grant {grant.name} is changing too fast", _WAIT)

    async def drop(
        self, grant: Grant, resource: ResourceId, removing: Removing, since: float
    ) -> Result:
        """Give up the claim of `resource`, which it has not needed `since` then (seconds since the
        epoch). Where others claim the grant it goes at once; the last one goes when the assignment
        is revoked, after the grace. Raises as `retire`.
        """
        for _ in range(_ATTEMPTS):
            claim = await self._table.get(grant.name, _CLAIM + key_of(resource.key))
            try:
                return await self._drop(grant, resource, claim, removing, since)
            except (RowChanged, RowExists):
                continue
        raise Temporary(f"the grant {grant.name} is changing too fast", _WAIT)

    async def retire(self, grant: Grant, removing: Removing, since: float | None = None) -> Result:
        """Revoke a grant that nothing claims `since` then, as far as anybody knows; one that is
        claimed stays. Raises NotYet within the grace.
        """
        for _ in range(_ATTEMPTS):
            try:
                return await self._revoke_if_unclaimed(grant, removing, since)
            except (RowChanged, RowExists):
                continue
        raise Temporary(f"the grant {grant.name} is changing too fast", _WAIT)

    async def keep(self, grant: Grant, decision_id: str, by: str) -> None:
        """Claim a grant for the person who has its removal undone; call it before putting it back,
        and `stands` when it is there: until then the next claim makes it.

        Raises Temporary while a worker is revoking it.
        """
        await self._table.put(grant.name, _KEPT + decision_id, {"resource": "", "by": by})
        for _ in range(_ATTEMPTS):
            found = await self._find(grant.name)
            if found is not None and found.state is State.REVOKING:
                self._wait_for_remover(found)
            if found is not None and found.state in (State.GRANTING, State.ACTIVE):
                return
            try:
                await self._write(found, grant, State.GRANTING, ours=False)
            except (RowChanged, RowExists):
                continue
            return
        raise Temporary(f"the grant {grant.name} is changing too fast", _WAIT)

    async def stands(self, grant: Grant, *, ours: bool) -> None:
        """The assignment of a claimed grant is there, and whose it is. Raises Temporary where
        another worker changed the grant meanwhile.
        """
        found = await self._find(grant.name)
        if found is None or found.state in (State.REVOKING, State.REVOKED):
            return
        known = found.grant if found.state is State.ACTIVE else grant
        try:
            await self._write(found, known, State.ACTIVE, ours=ours)
        except RowChanged as error:
            raise _changing(grant) from error

    async def let_go(self, grant: Grant, decision_id: str) -> None:
        """Withdraw what `keep` claimed."""
        await self._table.delete(grant.name, _KEPT + decision_id)

    async def kept(self, grant: Grant) -> str:
        """Who had the removal of this grant undone, or ""."""
        async for row in self._table.rows(grant.name, first=_KEPT, last=_KEPT + "~"):
            return Columns(_TABLE, row).text("by")
        return ""

    async def unclaimed(self, name: str) -> Grant | None:
        """The grant with this name, if it is not revoked and nothing claims it."""
        found = await self._find(name)
        if found is None or found.state is State.REVOKED or await self._claimed(found.grant):
            return None
        return found.grant

    async def standing(self) -> AsyncIterator[Standing]:
        """Every grant whose assignment should exist, or is on its way out."""
        claims: list[Row] = []
        # Within a partition the claims come before the grant: "claim|…" sorts before "grant".
        async for row in self._table.everything():
            if row.key.startswith(_CLAIM):
                claims.append(row)
            elif row.key == _GRANT:
                # A claim is written before its grant: of one that was cut off there is no grant.
                mine = [claim for claim in claims if claim.partition == row.partition]
                if (found := _granted(row)).state is not State.REVOKED:
                    yield _standing(found, mine)
                claims = []

    async def learn(self, grant: Grant) -> None:
        """An assignment of ours stands that no row is of: as one that nothing claims, and that the
        next claim reads again.
        """
        if await self._find(grant.name) is None:
            with suppress(RowExists):  # another worker makes it at this moment
                await self._write(None, grant, State.GRANTING)

    async def reopen(self, grant: Grant) -> None:
        """Someone deleted the assignment, ours or another owner's, or it gives something else now:
        the next claim that is added makes it again.

        Raises Temporary where another worker changed the grant meanwhile.
        """
        found = await self._find(grant.name)
        if found is None or found.state is not State.ACTIVE:
            return
        try:
            await self._write(found, grant, State.GRANTING, ours=found.ours)
        except RowChanged as error:
            raise _changing(grant) from error

    async def disown(self, grant: Grant) -> None:
        """Somebody changed the stamp of the assignment: it is theirs, and serves while it stands.

        Raises Temporary where another worker changed the grant meanwhile.
        """
        found = await self._find(grant.name)
        if found is None or found.state is not State.ACTIVE or not found.ours:
            return
        try:
            await self._write(found, found.grant, State.ACTIVE, ours=False)
        except RowChanged as error:
            raise _changing(grant) from error

    async def _ensure_granted(self, grant: Grant) -> Result:
        found = await self._find(grant.name)
        if found is not None and found.gives(grant) and await self._still_serves(found):
            return Result.ALREADY_ASSIGNED
        if found is not None and found.state is State.REVOKING:
            self._wait_for_remover(found)
        found = await self._write(found, grant, State.GRANTING)
        ours = await self._assignments.ensure(grant)
        await self._write(found, grant, State.ACTIVE, ours=ours, missing_since=0.0)
        return Result.ASSIGNED if ours else Result.NOT_OURS

    async def _still_serves(self, found: "_Granted") -> bool:
        """What somebody else's assignment gives lasts as long as they like: ARM is asked. Of ours
        the sweep sees to it.
        """
        if found.ours:
            return True
        now = await self._assignments.giving(found.grant)
        return now is not None and now.serves(found.grant) and not self._assignments.is_ours(now)

    async def _drop(
        self,
        grant: Grant,
        resource: ResourceId,
        claim: Row | None,
        removing: Removing,
        since: float,
    ) -> Result:
        if await self._claimed(grant, besides=claim):
            await self._outlive(grant)
            await self._give_up(claim)
            if await self._claimed(grant):
                return Result.STILL_CLAIMED
            claim = None  # The other one left at the same moment.
        return await self._revoke_if_unclaimed(grant, removing, since, resource, claim)

    async def _outlive(self, grant: Grant) -> None:
        """The assignment outlives this claim by the grace, whoever claims it last."""
        found = await self._find(grant.name)
        until = (self._now() // _NOTED_EVERY + 1) * _NOTED_EVERY
        if not self._grace or found is None or found.unclaimed_since >= until:
            return
        if found.state in (State.GRANTING, State.ACTIVE):
            await self._write(
                found, found.grant, found.state, ours=found.ours, unclaimed_since=until
            )

    async def _put_claim(self, grant: Grant, resource: ResourceId) -> None:
        claim = {"resource": resource.text}
        await self._table.put(grant.name, _CLAIM + key_of(resource.key), claim)

    async def _give_up(self, claim: Row | None) -> None:
        """As it was read. Raises RowChanged where it was made anew meanwhile."""
        if claim is not None:
            await self._table.remove(claim)

    async def _revoke_if_unclaimed(
        self,
        grant: Grant,
        removing: Removing,
        since: float | None,
        resource: ResourceId | None = None,
        claim: Row | None = None,
    ) -> Result:
        """`claim`: the one, of `resource`, that goes with the assignment."""
        found = await self._find(grant.name)
        if found is None or found.state is State.REVOKED:
            await self._give_up(claim)
            return Result.REVOKED
        if await self._claimed(grant, besides=claim):
            await self._give_up(claim)
            return Result.STILL_CLAIMED
        if found.state is State.REVOKING:
            self._wait_for_remover(found)
        found = await self._wait_for_successor(found, grant, since)
        if found.ours and (needed_by := await self._needing(grant, resource)) is not None:
            await self._put_claim(grant, needed_by)
            await self._give_up(claim)
            return Result.STILL_CLAIMED
        # What is put back if nothing is revoked, so that what others saw before stays true.
        before = State.ACTIVE if found.state is State.ACTIVE else State.GRANTING
        found = await self._write(found, grant, State.REVOKING, ours=found.ours)
        if await self._claimed(grant, besides=claim):
            await self._write(found, grant, before, ours=found.ours)
            await self._give_up(claim)
            return Result.STILL_CLAIMED
        ours = found.ours and await self._revoke(grant, found, before, removing)
        return await self._close(grant, found, claim, ours=ours)

    async def _revoke(
        self, grant: Grant, revoking: "_Granted", before: State, removing: Removing
    ) -> bool:
        """Delete the assignment; whether it is, or was, ours."""
        found = await self._assignments.read(grant.assignment_id)  # again, right before
        if found is None:
            await self._ensure_gone(revoking, before)
            return True
        if not (found.carries(grant) and self._assignments.is_ours(found)):
            return False
        async with AsyncExitStack() as removal:
            gone = removing(RemovedAssignment(found.raw), _EVIDENCE)
            await self._enter(removal, gone, revoking, before)
            await self._delete(grant, revoking)
        return True

    async def _ensure_gone(self, revoking: "_Granted", before: State) -> None:
        """ARM answers 404 for it, as a replica may for a while. Raises NotYet until it has done so
        for a minute.
        """
        first = revoking.missing_since or self._now()
        left = first + SECOND_LOOK - self._now()
        if left > 0:
            await self._write(
                revoking, revoking.grant, before, ours=revoking.ours, missing_since=first
            )
            raise NotYet("ARM answers 404 for it, and nothing else says that it is gone", left)

    async def _close(
        self, grant: Grant, revoking: "_Granted", claim: Row | None, *, ours: bool
    ) -> Result:
        """The assignment is gone, or somebody else's: the claim goes, too."""
        try:
            await self._give_up(claim)
        except RowChanged:
            # Made anew meanwhile: who did that waits for this to end, and assigns it again.
            await self._write(revoking, grant, State.GRANTING, ours=ours)
            return Result.STILL_CLAIMED
        try:
            await self._write(revoking, grant, State.REVOKED, ours=ours)
        except RowChanged:
            # We were slower than our own time limit and an adder took over: make it whole again.
            if await self._claimed(grant):
                await self._assignments.ensure(grant)
            raise
        return Result.REVOKED if ours else Result.NOT_OURS

    async def _enter(
        self,
        removal: AsyncExitStack,
        gone: AbstractAsyncContextManager[None],
        revoking: "_Granted",
        before: State,
    ) -> None:
        """It may be refused; then nobody has to wait for a removal that does not come."""
        try:
            await removal.enter_async_context(gone)
        except Temporary:
            await self._write(
                revoking, revoking.grant, before, ours=revoking.ours, missing_since=0.0
            )
            raise

    async def _delete(self, grant: Grant, revoking: "_Granted") -> None:
        # No delete may be on its way any more when an adder is allowed to take over.
        if self._now() > revoking.until - CALL_SECONDS:
            raise Temporary(f"revoking {grant.name} took too long; again later", CALL_SECONDS)
        await self._assignments.delete(grant.assignment_id)

    async def _wait_for_successor(
        self, found: "_Granted", grant: Grant, since: float | None
    ) -> "_Granted":
        """Raise NotYet while the grace lasts: a machine that is made again under its name needs the
        assignment, and a new one takes Azure minutes.
        """
        if since is None:
            since = found.unclaimed_since or self._now()
        since = max(since, found.unclaimed_since)
        if since > found.unclaimed_since:
            found = await self._write(
                found, grant, found.state, ours=found.ours, unclaimed_since=since
            )
        if (left := since + self._grace - self._now()) > 0:
            raise NotYet("its last claim is gone, and a successor may come", left)
        return found

    def _wait_for_remover(self, found: "_Granted") -> None:
        """Raise Temporary while a remover may still be at work on this row."""
        left = found.until - self._now()
        if left > 0:
            raise Temporary("the grant is being revoked by another worker", min(left, _WAIT))

    async def _claimed(self, grant: Grant, besides: Row | None = None) -> bool:
        async for row in self._table.rows(grant.name, first=_CLAIM, last=_AFTER_CLAIMS):
            if besides is None or row.key != besides.key:
                return True
        return False

    async def _find(self, name: str) -> "_Granted | None":
        row = await self._table.get(name, _GRANT)
        return None if row is None else _granted(row)

    async def _write(
        self,
        before: "_Granted | None",
        grant: Grant,
        state: State,
        *,
        ours: bool = True,
        unclaimed_since: float | None = None,
        missing_since: float | None = None,
    ) -> "_Granted":
        until = self._now() + REVOKE_SECONDS
        if unclaimed_since is None:
            unclaimed_since = before.unclaimed_since if before is not None else 0.0
        if missing_since is None:
            missing_since = before.missing_since if before is not None else 0.0
        values = {
            "state": state.value,
            "kind": grant.kind.value,
            "scope": grant.scope,
            "roleId": grant.role_id,
            "principalId": grant.principal_id,
            "condition": grant.condition or "",
            "ours": str(ours),
            "until": str(until),
            "unclaimedSince": str(unclaimed_since),
            "missingSince": str(missing_since),
        }
        if before is None:
            row = await self._table.insert(grant.name, _GRANT, values)
        else:
            row = await self._table.replace(before.row, values)
        return _Granted(
            grant=grant,
            state=state,
            ours=ours,
            until=until,
            unclaimed_since=unclaimed_since,
            missing_since=missing_since,
            row=row,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Granted:
    """A grant's row, read. Moments are seconds since the epoch; 0: never."""

    grant: Grant
    state: State
    ours: bool
    #: The end of a remover's time.
    until: float
    #: When the last claim that was dropped was last needed.
    unclaimed_since: float
    #: The first 404 of ARM since the assignment was last read or made.
    missing_since: float
    row: Row

    def gives(self, grant: Grant) -> bool:
        return self.state is State.ACTIVE and self.grant.condition == grant.condition


def _changing(grant: Grant) -> Temporary:
    return Temporary(f"the grant {grant.name} is changing", _WAIT)


def _granted(row: Row) -> _Granted:
    columns = Columns(_TABLE, row)
    grant = Grant(
        columns.text("scope"),
        columns.text("roleId"),
        columns.text("principalId"),
        columns.text("condition") or None,
        columns.choice("kind", GrantKind),
    )
    if grant.name != row.partition:
        raise columns.damaged("scope", "or another one is not what the grant's name was made of")
    state, ours = columns.choice("state", State), columns.flag("ours")
    return _Granted(
        grant=grant,
        state=state,
        ours=ours,
        until=columns.number("until"),
        unclaimed_since=columns.number("unclaimedSince"),
        missing_since=columns.number("missingSince"),
        row=row,
    )


def _standing(found: _Granted, claims: list[Row]) -> Standing:
    claimants = tuple(_claimant(row) for row in claims if not row.key.startswith(_KEPT))
    return Standing(found.grant, found.state, claimants, len(claimants) < len(claims), found.ours)


def _claimant(row: Row) -> ResourceId:
    columns = Columns(_TABLE, row)
    resource = columns.resource("resource")
    if _CLAIM + key_of(resource.key) != row.key:
        raise columns.damaged("resource", "is another resource's")
    return resource
