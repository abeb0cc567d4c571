"""Rows read back from a table: each column is what it must be, or the row is damaged.

What is on record decides what may be removed. A row that does not say what it should proves
nothing, so whatever asked for it goes no further, and a person is shown which row it is.
"""

import math
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from lanyard.ports.tables import Row, Table, key_of
from lanyard.values.errors import Permanent
from lanyard.values.resource_id import ResourceId

#: The partition, and the key, of the row that says when a table was last known to be whole:
#: relearning.py. It is beside what the table is for.
MARK = "swept"
#: Whole numbers have no more digits than these; Python takes long for many more.
_MOST_DIGITS = 18


async def entries(table: Table) -> AsyncIterator[Row]:
    """All rows of a table but that mark."""
    async for row in table.everything():
        if row.partition != MARK:
            yield row


class DamagedRow(Permanent):
    """A row cannot be read. The message names its table, its keys and the column."""

    def __init__(self, message: str, row: Row) -> None:
        super().__init__(message)
        self.row = row


def readable[T](
    row: Row, read: Callable[[Row], T], damaged: list[DamagedRow] | None
) -> Iterator[T]:
    """What a row holds. One that is damaged goes into the list instead; without one it is raised:
    then nothing may be concluded from the others.
    """
    try:
        value = read(row)
    except DamagedRow as damage:
        if damaged is None:
            raise
        damaged.append(damage)
    else:
        yield value


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a row. `table` is its name without "lanyard". All raise DamagedRow."""

    table: str
    row: Row

    def damaged(self, column: str, why: str) -> DamagedRow:
        """The error for a column that holds something wrong."""
        where = f"table lanyard{self.table}, partition {self.row.partition}, row {self.row.key}"
        return DamagedRow(
            f"{where}: column {column!r} {why}. Nothing is removed on the strength of this row; "
            "put it right, or delete it: then what it held is forgotten, and learnt anew",
            self.row,
        )

    def text(self, column: str) -> str:
        """A text, as it is."""
        value = self.row.values.get(column)
        if value is None:
            raise self.damaged(column, "is missing")
        return value

    def flag(self, column: str) -> bool:
        """True or False."""
        value = self.text(column)
        if value not in ("True", "False"):
            raise self.damaged(column, "is neither True nor False")
        return value == "True"

    def count(self, column: str) -> int:
        """A whole number, not below zero."""
        value = self.text(column)
        if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
            raise self.damaged(column, "is no count")
        return int(value)

    def number(self, column: str) -> float:
        """A finite number: nothing compares with another kind, and then no limit holds."""
        value = self._as(column, float, "is no number")
        if not math.isfinite(value):
            raise self.damaged(column, "is no number")
        return value

    def moment(self, column: str) -> datetime:
        """A date and time with its zone."""
        value = self._as(column, datetime.fromisoformat, "is no date and time")
        if value.tzinfo is None:
            raise self.damaged(column, "has no time zone")
        return value

    def choice[E: StrEnum](self, column: str, kind: type[E]) -> E:
        """One of a few words."""
        return self._as(column, kind, f"is none of {', '.join(repr(str(one)) for one in kind)}")

    def resource(self, column: str) -> ResourceId:
        """A resource id."""
        return self._as(column, ResourceId.parse, "is no resource id")

    def own_id(self) -> ResourceId:
        """The resource that the row is about: one that its key was made of. A row about
        another resource would have that one's grants go.
        """
        found = self.resource("id")
        if key_of(found.key) != self.row.key:
            raise self.damaged("id", "is another resource's")
        return found

    def json[T](self, column: str, kind: TypeAdapter[T]) -> T:
        """What the JSON in it holds, in this very shape."""
        return self.parsed(column, self.text(column), kind)

    def parsed[T](self, column: str, text: str, kind: TypeAdapter[T]) -> T:
        """The same of JSON that takes several columns, this one first."""
        try:
            return kind.validate_json(text, strict=True)
        except ValidationError as error:
            raise self.damaged(column, f"is not as written: {error.errors()[0]['msg']}") from error

    def _as[T](self, column: str, read: Callable[[str], T], why: str) -> T:
        value = self.text(column)
        try:
            return read(value)
        except ValueError as error:
            raise self.damaged(column, why) from error
