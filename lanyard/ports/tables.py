"""What Lanyard needs of a table: rows under two keys, changed only by who saw the latest version.

Azure Tables is the one implementation (lanyard/azure/storage/tables.py); tests use one in memory.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, fields
from typing import Protocol

from lanyard.values.resource_id import folded

type Values = Mapping[str, str]


class RowExists(Exception):
    """An insert met a row with the same keys."""


class RowChanged(Exception):
    """The row is no longer the version that was read, or is gone."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read. `version` is its ETag."""

    partition: str
    key: str
    values: Values
    version: str


class Table(Protocol):
    """Rows of text values. Keys must not contain / \\ # ? or control characters."""

    async def get(self, partition: str, key: str) -> Row | None:
        """The row, or None."""

    async def insert(self, partition: str, key: str, values: Values) -> Row:
        """Add a row. Raises RowExists."""

    async def replace(self, row: Row, values: Values) -> Row:
        """Give the row as read new values. Raises RowChanged."""

    async def put(self, partition: str, key: str, values: Values) -> None:
        """Add or overwrite a row, whatever is there."""

    async def delete(self, partition: str, key: str) -> None:
        """Remove a row, whatever is in it; a missing one is fine."""

    async def remove(self, row: Row) -> None:
        """Remove the row as read; a missing one is fine. Raises RowChanged."""

    def everything(self) -> AsyncIterator[Row]:
        """All rows of all partitions."""

    def rows(self, partition: str, *, first: str = "", last: str = "") -> AsyncIterator[Row]:
        """The rows of a partition in key order, keys from `first` up to (not with) `last`."""


class Journal(Table, Protocol):
    """A table whose oldest partitions are found without reading the others."""

    def before(self, partition: str) -> AsyncIterator[Row]:
        """All rows of the partitions whose names sort before this one."""


@dataclass(frozen=True, slots=True)
class Tables[T: Journal]:
    """Lanyard's tables: docs/architecture.md lists what is in each."""

    resources: T
    identities: T
    grants: T
    decisions: T
    held: T
    control: T

    @classmethod
    def named(cls, open_table: Callable[[str], T]) -> "Tables[T]":
        """All of them, each opened by its name in the storage account."""
        return cls(*(open_table(f"lanyard{part.name}") for part in fields(cls)))


def key_of(resource_id: str) -> str:
    """A resource id as a table key: lower case, because ids are, and without slashes.

    A bar that a name has itself stands after a blank, which no segment of an id ends in.
    """
    return folded(resource_id).replace("|", " |").replace("/", "|")


def id_of(key: str) -> str:
    """The resource id (lower case) that a key was made of."""
    return "|".join(part.replace("|", "/") for part in key.split(" |"))
