"""The rows of a grant: one with its state, and beside it one for each claim. What they mean:
claims.py.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from lanyard.planning.life import LISTING_LAG
from lanyard.ports.tables import Row, RowChanged, RowExists, Table, key_of
from lanyard.record.granted import (
    REVOKE_SECONDS,
    TABLE,
    Granted,
    Moments,
    adopted_as,
    granted_in,
    values_of,
)
from lanyard.record.making import MAKE_SECONDS, being_made
from lanyard.record.repairs import recent
from lanyard.record.rows import Columns, DamagedRow, entries, readable
from lanyard.values.errors import NotYet, Temporary
from lanyard.values.grants import Grant, Standing, State
from lanyard.values.resource_id import ResourceId

_GRANT = "grant"
_CLAIM = "claim|"
_AFTER_CLAIMS = "claim}"
# A claim of a person, who had the assignment put back: by its decision's id, not a resource's.
_KEPT = "claim|undo "

_WAIT = 2.0
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class BaselessClaim:
    """A claim of what is not given: nobody came to write the grant's row, or it is revoked."""

    #: The grant's name.
    name: str
    resource: ResourceId
    row: Row


class GrantRows:
    """Those of all grants. `now`: seconds since the epoch, of this worker's clock."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def find(self, name: str) -> Granted | None:
        """The grant with this name. Raises DamagedRow."""
        row = await self._table.get(name, _GRANT)
        return None if row is None else granted_in(row)

    async def write(
        self,
        before: Granted | None,
        grant: Grant,
        state: State,
        *,
        ours: bool = True,
        moments: Moments | None = None,
        maker: str = "",
        assignment_id: str = "",
    ) -> Granted:
        """Without `moments` they stay, and without the id of its assignment that. `maker`: see
        `Granted`. Raises RowChanged, RowExists where another worker wrote it since it was read.
        """
        if moments is None:
            moments = before.moments if before is not None else Moments()
        if not assignment_id and before is not None:
            assignment_id = before.assignment_id
        written = Granted(
            grant=grant,
            state=state,
            ours=ours,
            until=self._now() + REVOKE_SECONDS,
            moments=moments,
            maker=maker,
            adopted=adopted_as(grant, assignment_id) if ours and state is not State.REVOKED else "",
        )
        if before is None:
            row = await self._table.insert(grant.name, _GRANT, values_of(written))
        else:
            row = await self._table.replace(before.read_as, values_of(written))
        return replace(written, row=row)

    def stands_now(self, found: Granted | None) -> Moments:
        """The moments of a grant whose assignment is being made now, or found to be there."""
        return (Moments() if found is None else found.moments).stands(self._now())

    def now(self) -> float:
        """Of this worker's clock, in seconds since the epoch."""
        return self._now()

    def unclaimed_now(self, found: Granted | None) -> Moments:
        """The moments of a grant that nothing claims, and that something may have claimed until a
        moment ago.
        """
        moments = Moments() if found is None else found.moments
        return replace(moments, unclaimed_since=self._now())

    async def note(
        self,
        before: Granted,
        grant: Grant,
        state: State,
        *,
        ours: bool,
        moments: Moments | None = None,
        assignment_id: str = "",
    ) -> None:
        """Write what was seen of it. Raises Temporary where another worker changed it meanwhile."""
        try:
            await self.write(
                before, grant, state, ours=ours, moments=moments, assignment_id=assignment_id
            )
        except RowChanged as error:
            raise Temporary(f"the grant {grant.name} is changing", _WAIT) from error

    def wait_for_remover(self, found: Granted) -> None:
        """Raise NotYet while a remover may still be at work on this row."""
        left = found.until - self._now()
        if left > 0:
            # Most are through in a moment; one that died is not.
            wait = max((REVOKE_SECONDS - left) / 2, _WAIT)
            raise NotYet("the grant is being revoked by another worker", min(left, wait))

    def wait_for_others(self, found: Granted, resource: ResourceId) -> None:
        """Raise NotYet while a remover may still be at work on this row, BeingMade while the
        assignment is being made for another resource: a maker that died is its own successor.
        """
        if found.state is State.REVOKING:
            self.wait_for_remover(found)
        if found.state is not State.GRANTING or found.maker in ("", resource.key):
            return
        left = found.written + MAKE_SECONDS - self._now()
        if left > 0:
            raise being_made(str(found.grant), found.maker, left)

    def revoked_long_ago(self, found: Granted) -> bool:
        """Whether it is revoked, and no listing shows it any more."""
        return found.state is State.REVOKED and self._now() - found.written > LISTING_LAG

    def times_taken(self, found: Granted) -> int:
        """How often somebody took away what is to be given again; 0 where it stands. Once nothing
        claims it any more, that is forgotten within a week.
        """
        moments = found.moments.taken_at
        if found.state is State.ACTIVE:
            return 0
        return len(recent(moments, self._now()) if found.state is State.REVOKED else moments)

    async def claim(self, grant: Grant, resource: ResourceId) -> None:
        """The resource needs it from now on."""
        claim = {"resource": resource.text}
        await self._table.put(grant.name, _CLAIM + key_of(resource.key), claim)

    async def claim_of(self, grant: Grant, resource: ResourceId) -> Row | None:
        """The claim of a resource, as it is now."""
        return await self._table.get(grant.name, _CLAIM + key_of(resource.key))

    async def give_up(self, claim: Row | None) -> None:
        """As it was read. Raises RowChanged where it was made anew meanwhile."""
        if claim is not None:
            await self._table.remove(claim)

    async def claimed(self, grant: Grant, besides: Row | None = None) -> bool:
        """Whether a resource or a person claims it, other than by this claim."""
        async for row in self._table.rows(grant.name, first=_CLAIM, last=_AFTER_CLAIMS):
            if besides is None or row.key != besides.key:
                return True
        return False

    async def claimants(self, grant: Grant) -> list[ResourceId]:
        """The resources that claim it. Raises DamagedRow."""
        rows = self._table.rows(grant.name, first=_CLAIM, last=_AFTER_CLAIMS)
        return [_claimant(row) async for row in rows if not row.key.startswith(_KEPT)]

    async def keep(self, grant: Grant, decision_id: str, by: str) -> None:
        """A person needs it from now on: who, by the decision that they had undone."""
        await self._table.put(grant.name, _KEPT + decision_id, {"resource": "", "by": by})

    async def let_go(self, grant: Grant, decision_id: str) -> None:
        """Take back what `keep` put there."""
        await self._table.delete(grant.name, _KEPT + decision_id)

    async def keeps(self, grant: Grant, decision_id: str) -> bool:
        """Whether that is there."""
        return await self._table.get(grant.name, _KEPT + decision_id) is not None

    async def kept(self, grant: Grant) -> str:
        """The person who needs it, or ""."""
        async for row in self._table.rows(grant.name, first=_KEPT, last=_KEPT + "~"):
            return Columns(TABLE, row).text("by")
        return ""

    async def drop_baseless(self, claim: BaselessClaim) -> None:
        """Unless it was made anew meanwhile, or its grant was."""
        found = await self.find(claim.name)
        if found is None or found.state is State.REVOKED:
            with suppress(RowChanged):
                await self._table.remove(claim.row)

    async def standing(
        self,
        damaged: list[DamagedRow] | None = None,
        baseless: list[BaselessClaim] | None = None,
    ) -> AsyncIterator[Standing]:
        """Every grant that is not revoked. A row's partition is the grant's name: where one of its
        rows is damaged, so is the grant. See `readable`. `baseless`: the claims of what is no such
        grant go into it.
        """
        async for claims, row in _by_grant(entries(self._table)):
            found = (
                [None] if row is None else readable(row, partial(_stands, claims=claims), damaged)
            )
            for standing in found:
                if standing is not None:
                    yield standing
                elif baseless is not None:
                    baseless += _baseless(claims, damaged)


async def _by_grant(rows: AsyncIterator[Row]) -> AsyncIterator[tuple[list[Row], Row | None]]:
    """The rows of claims of each grant, and its own. Within a partition the claims come before the
    grant: "claim|…" sorts before "grant". A claim is written before its grant: of one that was cut
    off there is no grant.
    """
    claims: list[Row] = []
    async for row in rows:
        if claims and claims[0].partition != row.partition:
            yield claims, None
            claims = []
        if row.key.startswith(_CLAIM):
            claims.append(row)
        elif row.key == _GRANT:
            yield claims, row
            claims = []
    if claims:
        yield claims, None


def _baseless(claims: list[Row], damaged: list[DamagedRow] | None) -> Iterator[BaselessClaim]:
    for row in claims:
        if not row.key.startswith(_KEPT):
            for resource in readable(row, _claimant, damaged):
                yield BaselessClaim(row.partition, resource, row)


def _stands(row: Row, claims: list[Row]) -> Standing | None:
    found = granted_in(row)
    return None if found.state is State.REVOKED else _standing(found, claims)


async def on_fresh_rows[T](grant: Grant, attempt: Callable[[], Awaitable[T]]) -> T:
    """Attempt it, from the start again where another worker wrote a row in between.

    Raises NotYet where that goes on, and what the attempt raises.
    """
    for _ in range(_ATTEMPTS):
        try:
            return await attempt()
        except (RowChanged, RowExists):
            continue
    raise NotYet(f"the grant {grant.name} is changing too fast", _WAIT)


def _standing(found: Granted, claims: list[Row]) -> Standing:
    claimants = tuple(_claimant(row) for row in claims if not row.key.startswith(_KEPT))
    return Standing(
        found.grant,
        found.state,
        claimants,
        kept=len(claimants) < len(claims),
        ours=found.ours,
        since=found.moments.stands_since,
        adopted=found.adopted,
    )


def _claimant(row: Row) -> ResourceId:
    columns = Columns(TABLE, row)
    resource = columns.resource("resource")
    if _CLAIM + key_of(resource.key) != row.key:
        raise columns.damaged("resource", "is another resource's")
    return resource
