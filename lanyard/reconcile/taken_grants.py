"""How often somebody took away what a resource is to be given: on record with each grant, and so
the same for all that share it, whoever comes first or last.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from lanyard.planning.desired import Desired
from lanyard.planning.givers import grant_key
from lanyard.ports.cache import Cache
from lanyard.record.ledger import ResourceRecord
from lanyard.record.rows import DamagedRow
from lanyard.values.compute import PrincipalRef
from lanyard.values.grants import Grant


class Counted(Protocol):
    """Where the count is kept: claims.py."""

    async def times_taken(self, grant: Grant) -> int:
        """How often somebody took it away since it was last given. Raises DamagedRow."""


class CountedOnce:
    """Keeps the answers: for looks at many resources that share grants."""

    def __init__(self, claims: Counted) -> None:
        self._claims = claims
        self._answers: Cache[str, int] = Cache()

    async def times_taken(self, grant: Grant) -> int:
        """As `claims` had it when it was first asked. Raises DamagedRow."""
        return await self._answers.get(grant.name, partial(self._claims.times_taken, grant))


async def times_taken(
    wanted: Desired,
    principals: Mapping[PrincipalRef, str],
    record: ResourceRecord,
    claims: Counted,
) -> dict[str, int]:
    """By `repair_key`, of what is wanted and not on record as given; what it has is not asked for.
    Raises Temporary.
    """
    owned = record.owned()
    known = [
        owned.to_give(each, principals[each.to]) for each in wanted.grants if each.to in principals
    ]
    missing = [grant for grant in known if grant is not None and grant not in record.grants]
    counts = await asyncio.gather(*(_count(grant, claims) for grant in missing))
    return {grant_key(grant): count for grant, count in zip(missing, counts, strict=True)}


async def _count(grant: Grant, claims: Counted) -> int:
    """A row that cannot be read has its own grant fail, when that is claimed."""
    try:
        return await claims.times_taken(grant)
    except DamagedRow:
        return 0
