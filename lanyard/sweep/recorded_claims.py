"""What the ledger has on record of grants and of who claims them, as a sweep keeps it."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field

from lanyard.record.claims import Claims
from lanyard.record.grant_rows import BaselessClaim
from lanyard.record.rows import DamagedRow
from lanyard.sweep.in_turns import read_in_turns
from lanyard.sweep.spill import Spill
from lanyard.values.grants import Standing, State
from lanyard.values.resource_id import subscription_of


@dataclass(slots=True, kw_only=True)
class RecordedClaims:
    """What grows with the grants may be kept elsewhere than in memory."""

    #: By the names of the grants.
    standing: MutableMapping[str, Standing]
    #: Those on their way, in or out.
    on_the_way: list[Standing] = field(default_factory=list)
    #: Claims of what is not given.
    baseless: list[BaselessClaim] = field(default_factory=list)
    #: The subscriptions (lower case) of their scopes.
    subscriptions: set[str] = field(default_factory=set)

    def add(self, standing: Standing) -> None:
        """One grant."""
        self.standing[standing.grant.name] = standing
        if standing.state is not State.ACTIVE:
            self.on_the_way.append(standing)
        if where := subscription_of(standing.grant.scope):
            self.subscriptions.add(where.subscription)


async def read_claims(claims: Claims, spill: Spill, damaged: list[DamagedRow]) -> RecordedClaims:
    """All that can be read; the other rows are `damaged`. Raises Temporary, Permanent."""
    found = RecordedClaims(standing=spill.mapping())
    async for standing in read_in_turns(claims.standing(damaged, found.baseless)):
        found.add(standing)
    return found
