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


#: What makes one row of each row: enough to do for the rows of a page.
_ROW_BY_ROW = ("project", "extend")


@dataclass(frozen=True)
class Query:
    """`filters` come before anything that shapes rows: rights are checked after them.

    `limited`: it says itself how many rows it wants, and Resource Graph gives no further pages.
    """

    table: str
    filters: tuple[Step, ...]
    shapes: tuple[Step, ...]
    finish: tuple[Step, ...]
    limited: bool

    def select(self, rows: Rows) -> Rows:
        """The rows that the leading `where` steps leave."""
        return _apply(self.filters, rows)

    def shape(self, rows: Rows) -> Rows:
        """All later steps that need every row."""
        return _apply(self.shapes, rows)

    def finished(self, rows: Rows) -> Rows:
        """The last steps, which make a row of each, for the rows of one page."""
        return _apply(self.finish, rows)


@lru_cache(maxsize=128)
def parse_query(text: str) -> Query:
    """Raises InvalidQuery."""
    reader = Reader(tokens(text))
    table = reader.name().lower()
    if table not in TABLES:
        raise InvalidQuery(f"the table '{table}' is not simulated")
    steps: list[tuple[str, Step]] = []
    while reader.accept("|"):
        word = reader.name().lower()
        steps.append((word, _read_step(reader, word)))
    if reader.peek() is not None:
        raise reader.unexpected("'|'")
    return _query(table, [word for word, _ in steps], tuple(step for _, step in steps))


def _query(table: str, words: list[str], steps: tuple[Step, ...]) -> Query:
    filters = next((at for at, word in enumerate(words) if word != "where"), len(words))
    last = len(words)
    while last > filters and words[last - 1] in _ROW_BY_ROW:
        last -= 1
    limited = any(word in ("take", "limit") for word in words)
    return Query(table, steps[:filters], steps[filters:last], steps[last:], limited)


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
