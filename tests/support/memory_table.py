"""A table in memory with the ETag semantics of Azure Tables."""

import asyncio
import itertools
from collections.abc import AsyncIterator

from lanyard.ports.tables import Row, RowChanged, RowExists, Values


class MemoryTable:
    """Rows in a dict; every write gives the row a new version."""

    # Every operation lets others go first, as a call over the network does.

    def __init__(self) -> None:
        self.content: dict[tuple[str, str], Row] = {}
        self._versions = itertools.count(1)

    async def get(self, partition: str, key: str) -> Row | None:
        await asyncio.sleep(0)
        return self.content.get((partition, key))

    async def insert(self, partition: str, key: str, values: Values) -> Row:
        await asyncio.sleep(0)
        if (partition, key) in self.content:
            raise RowExists(key)
        return self.seed(partition, key, values)

    async def replace(self, row: Row, values: Values) -> Row:
        await asyncio.sleep(0)
        stored = self.content.get((row.partition, row.key))
        if stored is None or stored.version != row.version:
            raise RowChanged(row.key)
        return self.seed(row.partition, row.key, values)

    async def put(self, partition: str, key: str, values: Values) -> None:
        await asyncio.sleep(0)
        self.seed(partition, key, values)

    async def delete(self, partition: str, key: str) -> None:
        await asyncio.sleep(0)
        self.content.pop((partition, key), None)

    async def remove(self, row: Row) -> None:
        await asyncio.sleep(0)
        stored = self.content.get((row.partition, row.key))
        if stored is not None and stored.version != row.version:
            raise RowChanged(row.key)
        self.content.pop((row.partition, row.key), None)

    async def everything(self) -> AsyncIterator[Row]:
        for _, row in sorted(self.content.items()):
            yield row

    async def before(self, partition: str) -> AsyncIterator[Row]:
        for (owner, _), row in sorted(self.content.items()):
            if owner < partition:
                yield row

    async def rows(self, partition: str, *, first: str = "", last: str = "") -> AsyncIterator[Row]:
        for (owner, key), row in sorted(self.content.items()):
            if owner == partition and first <= key and (not last or key < last):
                yield row

    def seed(self, partition: str, key: str, values: Values) -> Row:
        for text in (partition, key):
            assert not set("/\\#?") & set(text), f"Azure Tables refuses the key {text!r}"
        row = Row(partition, key, dict(values), str(next(self._versions)))
        self.content[partition, key] = row
        return row
