"""What one sweep has read, on the local disk: memory holds a batch of it, however large the estate.

Each kind of thing is a table of a temporary database, whose file SQLite unlinks as soon as it is
open: nothing of it is left, whatever becomes of the process. Everything is found by its key, so no
order is relied on in which a service, or a table, lists things. docs/dev/adr/0025 says why.
"""

import pickle
import sqlite3
from collections.abc import ItemsView, Iterator, MutableMapping, MutableSet, ValuesView
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lanyard.values.errors import Temporary

#: So many are written, and read, at a time.
_BATCH = 200
#: What SQLite keeps in memory of it, in KiB.
_CACHE = 4096
_FULL_DELAY = 300.0
# Nobody reads it after a crash: it needs neither a journal nor flushes.
_SETTINGS = ("page_size=16384", "journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE}")


class Spill:
    """The database of one sweep, to be closed. Whatever works on its collections raises Temporary
    where the disk takes no more.
    """

    def __init__(self) -> None:
        # Without a name it is a file that nobody else can open.
        self._connection = sqlite3.connect("", isolation_level=None)
        self._numbers = count(1)
        for setting in _SETTINGS:
            self._connection.execute(f"PRAGMA {setting}")

    def mapping[V](self) -> "SpilledMapping[V]":
        """A new and empty one. Its values must not be changed in place."""
        return SpilledMapping(self._table())

    def keys(self) -> "SpilledKeys":
        """A new and empty set."""
        return SpilledKeys(self._table())

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def _table(self) -> "_Table":
        table = _Table(self._connection, f"table{next(self._numbers)}")
        columns = "number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB"
        table.ask(f"CREATE TABLE {table.name} ({columns})")
        return table


class SpilledMapping[V](MutableMapping[str, V]):
    """Like a dict, in the order in which keys were first put, and in that of the keys."""

    def __init__(self, table: "_Table") -> None:
        self._table = table

    def __getitem__(self, key: str) -> V:
        value: V = self._table.value(key)
        return value

    def __setitem__(self, key: str, value: V) -> None:
        self._table.put(key, value)

    def __delitem__(self, key: str) -> None:
        self._table.remove(key)

    def __contains__(self, key: object) -> bool:
        return self._table.has(key)

    def __iter__(self) -> Iterator[str]:
        return self._table.keys()

    def __len__(self) -> int:
        return self._table.count()

    def items(self) -> ItemsView[str, V]:
        """All of them, some at a time."""
        return _Items(self)

    def values(self) -> ValuesView[V]:
        """All of them, some at a time."""
        return _Values(self)

    def stored(self) -> Iterator[tuple[str, V]]:
        """All of them, in the order in which their keys were first put."""
        for _, key, value in self._table.rows("number", after=0):
            yield _text(key), pickle.loads(value)  # noqa: S301 - what `put` wrote

    def by_key(self, after: str = "") -> Iterator[tuple[str, V]]:
        """Those whose keys follow, in the order of the keys, by code points."""
        for key, _, value in self._table.rows("key", after=_blob(after)):
            yield _text(key), pickle.loads(value)  # noqa: S301 - what `put` wrote


class SpilledKeys(MutableSet[str]):
    """Like a set, in the order in which its members were first added."""

    def __init__(self, table: "_Table") -> None:
        self._table = table

    def __contains__(self, key: object) -> bool:
        return self._table.has(key)

    def __iter__(self) -> Iterator[str]:
        return self._table.keys()

    def __len__(self) -> int:
        return self._table.count()

    def add(self, value: str) -> None:
        """Add it, if it is not there."""
        self._table.put(value, None)

    def discard(self, value: str) -> None:
        """Take it out, if it is there."""
        if value in self:
            self._table.remove(value)


class _Items[V](ItemsView[str, V]):
    _mapping: SpilledMapping[V]

    def __iter__(self) -> Iterator[tuple[str, V]]:
        return self._mapping.stored()


class _Values[V](ValuesView[V]):
    _mapping: SpilledMapping[V]

    def __iter__(self) -> Iterator[V]:
        return (value for _, value in self._mapping.stored())


@dataclass(slots=True)
class _Table:
    """Pickled values by their keys. What is new waits until it is a batch."""

    connection: sqlite3.Connection
    #: One of this module's: it stands in the queries.
    name: str
    _new: dict[str, Any] = field(init=False, default_factory=dict)

    def put(self, key: str, value: Any) -> None:
        self._new[key] = value
        if len(self._new) >= _BATCH:
            self._write()

    def has(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        return key in self._new or bool(self._find("1", key))

    def value(self, key: str) -> Any:
        if key in self._new:
            return self._new[key]
        for (found,) in self._find("value", key):
            return pickle.loads(found)  # noqa: S301 - what `put` wrote
        raise KeyError(key)

    def remove(self, key: str) -> None:
        if not self.has(key):
            raise KeyError(key)
        self._write()
        self.ask(f"DELETE FROM {self.name} WHERE key = ?", _blob(key))  # noqa: S608

    def count(self) -> int:
        self._write()
        ((found,),) = self.ask(f"SELECT count(*) FROM {self.name}")  # noqa: S608
        return int(found)

    def keys(self) -> Iterator[str]:
        query = f"SELECT number, key FROM {self.name} WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608
        return (_text(key) for _, key in self._pages(query, 0))

    def rows(self, column: str, after: object) -> Iterator[tuple[Any, ...]]:
        """That column, and the key and the value, of the rows after one, in the column's order."""
        query = (
            f"SELECT {column}, key, value FROM {self.name} "  # noqa: S608
            f"WHERE {column} > ? ORDER BY {column} LIMIT ?"
        )
        return self._pages(query, after)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with _on_disk():
            return self.connection.execute(query, values).fetchall()

    def _find(self, column: str, key: str) -> list[tuple[Any, ...]]:
        return self.ask(f"SELECT {column} FROM {self.name} WHERE key = ?", _blob(key))  # noqa: S608

    def _pages(self, query: str, after: object) -> Iterator[tuple[Any, ...]]:
        """Row by row, so that what is put meanwhile is in no cursor's way."""
        while True:
            self._write()
            page = self.ask(query, after, _BATCH)
            yield from page
            if len(page) < _BATCH:
                return
            after = page[-1][0]

    def _write(self) -> None:
        if not self._new:
            return
        insert = (
            f"INSERT INTO {self.name} (key, value) VALUES (?, ?) "  # noqa: S608
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )
        rows = [(_blob(key), pickle.dumps(value, 5)) for key, value in self._new.items()]
        with _on_disk():
            self.connection.execute("BEGIN")
            self.connection.executemany(insert, rows)
            self.connection.execute("COMMIT")
        self._new.clear()


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        message = f"what was read cannot be kept on the local disk: {error}"
        raise Temporary(message, _FULL_DELAY) from error


def _blob(key: str) -> bytes:
    """UTF-8 sorts as code points do; a listing may hold what is no text."""
    return key.encode("utf-8", "surrogatepass")


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogatepass")
