"""The listing of subscriptions that the policy's names and management groups are held against.

Sweeps keep it, so that all instances go by one and the same, which is a part of the policy's
version; what is not whole is none.
"""

import hashlib
import logging
from collections.abc import Sequence
from itertools import batched

from pydantic import TypeAdapter

from lanyard.ports.tables import Row, Table
from lanyard.record.rows import Columns, DamagedRow
from lanyard.values.subscriptions import NOT_LISTED, Subscription, Subscriptions, listing_of

_PARTITION = "subscriptions"
#: So many in a row: an entity of Azure Tables holds 1 MiB, and a column 32,768 characters.
_IN_A_ROW = 500
_COLUMN = 30_000
_LISTING: TypeAdapter[dict[str, Subscription]] = TypeAdapter(dict[str, Subscription])

log = logging.getLogger("lanyard.policy")


class KeptListing:
    """In the control table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self) -> Subscriptions:
        """The one that was kept last; nothing where none is there, or not as it was written: the
        next sweep keeps it anew. Raises Temporary where the table cannot be read.
        """
        rows = [row async for row in self._table.rows(_PARTITION)]
        try:
            return _whole(rows)
        except DamagedRow as error:
            log.error("the listing of subscriptions counts as lost: %s", error)
            return NOT_LISTED

    async def keep(self, listing: Subscriptions) -> None:
        """In the place of the one before."""
        texts = [
            _LISTING.dump_json(dict(some)).decode()
            for some in batched(sorted(listing.items()), _IN_A_ROW, strict=False)
        ]
        version = _version(texts)
        for number, text in enumerate(texts):
            parts = (text[at : at + _COLUMN] for at in range(0, len(text), _COLUMN))
            columns = {f"text{place:03d}": part for place, part in enumerate(parts)}
            values = {"version": version, "rows": str(len(texts)), **columns}
            await self._table.put(_PARTITION, f"{number:04d}", values)
        if not texts:
            await self._table.delete(_PARTITION, f"{0:04d}")


def _whole(rows: Sequence[Row]) -> Subscriptions:
    """What the rows hold. Raises DamagedRow where they are not of one listing: a write of several
    that was cut off leaves such.
    """
    if not rows:
        return NOT_LISTED
    first = Columns("control", rows[0])
    texts = [_text(row) for row in rows[: first.count("rows")]]
    if first.text("version") != _version(texts):
        raise first.damaged("version", "is of another listing than the rows beside it")
    found: dict[str, Subscription] = {}
    for text in texts:
        some: dict[str, Subscription] = first.parsed("text000", text, _LISTING)
        found |= some
    return listing_of(found)


def _text(row: Row) -> str:
    names = sorted(name for name in row.values if name.startswith("text"))
    return "".join(row.values[name] for name in names)


def _version(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
