"""A query: a table and steps. `where`, `project`, `extend`, `order by`, `take`, `limit`, `count`
and `distinct`; whatever else Kusto has is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from simulator.resource_graph.expressions import Reader, Value
from simulator.resource_graph.tokens import InvalidQuery, tokens
from simulator.state import Json

type Rows = list[Json]
type Step = Callable[[Rows], Rows]

#: Those that hold resources: most types are in the first.
RESOURCE_TABLES = ("resources", "computeresources", "batchresources")
TABLES = frozenset({*RESOURCE_TABLES, "authorizationresources", "resourcecontainers"})


@dataclass(frozen=True)
class Query:
    """`filters` come before anything that shapes rows: rights are checked after them."""

    table: str
    filters: tuple[Step, ...]
    shapes: tuple[Step, ...]

    def select(self, rows: Rows) -> Rows:
        """The rows that the leading `where` steps leave."""
        return _apply(self.filters, rows)

    def shape(self, rows: Rows) -> Rows:
        """All later steps."""
        return _apply(self.shapes, rows)


@lru_cache(maxsize=128)
def parse_query(text: str) -> Query:
    """Raises InvalidQuery."""
    reader = Reader(tokens(text))
    table = reader.name().lower()
    if table not in TABLES:
        raise InvalidQuery(f"the table '{table}' is not simulated")
    filters: list[Step] = []
    shapes: list[Step] = []
    while reader.accept("|"):
        word = reader.name().lower()
        step = _read_step(reader, word)
        (filters if word == "where" and not shapes else shapes).append(step)
    if reader.peek() is not None:
        raise reader.unexpected("'|'")
    return Query(table, tuple(filters), tuple(shapes))


def _apply(steps: tuple[Step, ...], rows: Rows) -> Rows:
    for step in steps:
        rows = step(rows)
    return rows


def _read_step(reader: Reader, word: str) -> Step:
    reading = _STEPS.get(word)
    if reading is None:
        raise InvalidQuery(f"the operator '{word}' is not simulated")
    return reading(reader)


def _where(reader: Reader) -> Step:
    fits = reader.predicate()
    return lambda rows: [row for row in rows if fits(row)]


def _project(reader: Reader) -> Step:
    columns = _columns(reader)
    return lambda rows: [{name: value(row) for name, value in columns} for row in rows]


def _extend(reader: Reader) -> Step:
    columns = _columns(reader)
    return lambda rows: [row | {name: value(row) for name, value in columns} for row in rows]


def _distinct(reader: Reader) -> Step:
    columns = _columns(reader)

    def distinct(rows: Rows) -> Rows:
        shaped = [{name: value(row) for name, value in columns} for row in rows]
        return list({repr(row): row for row in shaped}.values())

    return distinct


def _columns(reader: Reader) -> list[tuple[str, Value]]:
    columns = [_column(reader)]
    while reader.accept(","):
        columns.append(_column(reader))
    return columns


def _column(reader: Reader) -> tuple[str, Value]:
    """`name = value`, or a path, which becomes "a_b" as in Kusto."""
    start = reader.at
    name = reader.name()
    if reader.accept("="):
        return name, reader.value()
    reader.at = start
    value = reader.value()
    return "_".join(reader.words_since(start)), value


def _order(reader: Reader) -> Step:
    reader.expect("by")
    keys = [_sort_key(reader)]
    while reader.accept(","):
        keys.append(_sort_key(reader))

    def ordered(rows: Rows) -> Rows:
        for value, descending in reversed(keys):
            rows = sorted(rows, key=_sort_by(value), reverse=descending)
        return rows

    return ordered


def _sort_key(reader: Reader) -> tuple[Value, bool]:
    """Descending unless it says `asc`, as in Kusto."""
    value = reader.value()
    if reader.accept("asc"):
        return value, False
    reader.accept("desc")
    return value, True


def _sort_by(value: Value) -> Callable[[Json], tuple[bool, str]]:
    return lambda row: (value(row) is not None, str(value(row)).lower())


def _take(reader: Reader) -> Step:
    count = int(reader.next("number").text)
    return lambda rows: rows[:count]


def _count(_reader: Reader) -> Step:
    return lambda rows: [{"Count": len(rows)}]


_STEPS: dict[str, Callable[[Reader], Step]] = {
    "where": _where,
    "project": _project,
    "extend": _extend,
    "distinct": _distinct,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "count": _count,
}
