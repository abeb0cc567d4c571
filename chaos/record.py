"""What Lanyard keeps in its tables, read past the storm, as plain rows."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError

from chaos.stack import Stack
from lanyard.record.rows import MARK

type Row = Mapping[str, str]


@dataclass(frozen=True)
class Decision:
    """`at`: seconds since the epoch. `resource` and `action` are in lower case."""

    at: float
    resource: str
    action: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class Record:
    """The rows of three tables; `claims` are (name of the grant, lower-case id of who claims)."""

    resources: tuple[Row, ...] = ()
    grants: Mapping[str, Row] = field(default_factory=dict)
    claims: frozenset[tuple[str, str]] = frozenset()
    decisions: tuple[Decision, ...] = ()


async def read_record(stack: Stack) -> Record:
    """All of it."""
    names = ("lanyardresources", "lanyardgrants", "lanyarddecisions")
    return record_of(*[await read_rows(stack, name) for name in names])


def record_of(resources: Iterable[Row], grants: list[Row], decisions: Iterable[Row]) -> Record:
    """What the rows of the three tables say."""
    return Record(
        tuple(resources),
        {row["PartitionKey"]: row for row in grants if row["RowKey"] == "grant"},
        frozenset(_claims(grants)),
        tuple(map(_decision, decisions)),
    )


async def read_rows(stack: Stack, name: str) -> list[Row]:
    """Those of one table, in no order; none where there is no such table."""
    async with stack.table(name) as client:
        try:
            return [
                {key: str(value) for key, value in row.items()}
                async for row in client.list_entities()
                if row["PartitionKey"] != MARK
            ]
        except ResourceNotFoundError:
            return []


def _claims(rows: list[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row["RowKey"].startswith("claim|"):
            yield row["PartitionKey"], row["resource"].lower()


def _decision(row: Row) -> Decision:
    at = datetime.fromisoformat(row["at"]).timestamp()
    resource, action = row["resource"].lower(), row["action"].lower()
    return Decision(at, resource, action, row["outcome"], row["reason"])


def listed(row: Row, column: str) -> list[str]:
    """A column that holds a list or an object as JSON."""
    return list(json.loads(row[column]))
