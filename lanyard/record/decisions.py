"""The record of decisions, append-only: what was done or refused, when, by whom, why, on which
evidence and under which policy. A removal keeps all of what it takes away, to have it undone.
"""

import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4

from pydantic import Field, TypeAdapter

from lanyard.ports.tables import Journal, Row
from lanyard.record.rows import Columns, DamagedRow, readable
from lanyard.values.errors import Permanent
from lanyard.values.removed import Became, Removed

# One line a decision, all of one form: alerts and the workbook (infra/) read it.
log = logging.getLogger("lanyard.decisions")
#: The key of a sweep's line.
SWEEP = "sweep"
#: What is on record of a policy that cannot be used.
REFUSED = "policy refused"
#: What is on record of a new version of it, before it takes anything away.
POLICY_CHANGED = "policy changed"
# Keeps the order of decisions that one process takes within the same microsecond.
_sequence = itertools.count()

#: So many hexadecimal digits end an id and are enough to find it; all of them sort before this day.
_SHORT = 8
_AFTER_ALL = "9999"

# No name that a person signs in by has a space in it.
_APP = "app "

_TEXTS = TypeAdapter(tuple[str, ...])
_CAUSE = TypeAdapter(Mapping[str, str])
_REMOVED: TypeAdapter[Removed] = TypeAdapter(Annotated[Removed, Field(discriminator="kind")])
_BECAME = TypeAdapter(Mapping[str, Became])


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the record."""

    #: Its id, or "" for what is about none.
    resource: str
    #: For people.
    action: str
    #: "intended", "done", "held", "failed" or "later".
    outcome: str
    reason: str = ""
    _: KW_ONLY
    #: The action's own key, or SWEEP; "" where the line is about neither.
    key: str = ""
    #: The name of the grant that was assigned or released.
    grant: str = ""
    #: Those that asked for it.
    rules: tuple[str, ...] = ()
    #: The event that led to the decision.
    cause: Mapping[str, str] = field(default_factory=dict)
    #: What proved that a removal might be done.
    evidence: tuple[str, ...] = ()
    #: Of a removal: all of what it takes away.
    removed: Removed | None = None
    #: What became of removals, by the ids of the decisions that keep what they took away.
    became: Mapping[str, Became] = field(default_factory=dict)


def app_name(client_id: str) -> str:
    """How the app with this client id signs its decisions."""
    return f"{_APP}{client_id}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it is on record. `by`: the app, or a person; `policy`: the version in force."""

    id: str
    at: datetime
    by: str
    policy: str
    decision: Decision

    @property
    def short_id(self) -> str:
        """The end of its id, which `Decisions.read` takes, too."""
        return self.id[-_SHORT:]

    @property
    def client_id(self) -> str:
        """Of the app that decided; "" where it was a person."""
        return self.by.removeprefix(_APP) if self.by.startswith(_APP) else ""


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, under which version of the policy: on every line of the record."""

    name: str
    policy: str


class Decisions:
    """Adds to the record and reads it. A partition a day (UTC). `now`: seconds since the epoch."""

    def __init__(self, table: Journal, author: Author, now: Callable[[], float]) -> None:
        self._table = table
        self._author = author
        self._now = now

    async def add(self, decision: Decision) -> str:
        """Append to the record; returns the decision's id."""
        moment = datetime.fromtimestamp(self._now(), UTC)
        day = f"{moment:%Y-%m-%d}"
        key = f"{moment:%H%M%S.%f}-{next(_sequence):06d}-{uuid4().hex[:8]}"
        values = _values(decision) | {
            "at": moment.isoformat(),
            "by": self._author.name,
            "policy": self._author.policy,
        }
        await self._table.insert(day, key, values)
        line = decision.outcome, decision.action, decision.resource, decision.reason
        log.info("decision %s: %s: %s: %s", *line)
        return f"{day}T{key}"

    async def read(self, decision_id: str) -> Recorded:
        """The decision with this id, or whose id ends so. Raises Permanent where there is none, or
        where there are several.
        """
        if len(decision_id.strip()) == _SHORT:
            return await self._read_short(decision_id.strip().lower())
        day, _, key = decision_id.strip().partition("T")
        row = await self._table.get(day, key) if key and _is_plain(decision_id) else None
        if row is None:
            raise _none(decision_id)
        return _recorded(row)

    async def _read_short(self, end: str) -> Recorded:
        rows = self._table.before(_AFTER_ALL)
        found = [row async for row in rows if row.key.endswith(f"-{end}")]
        if not found:
            raise _none(end)
        if len(found) > 1:
            named = ", ".join(f"{row.partition}T{row.key}" for row in found)
            raise Permanent(f"{len(found)} decisions end in {end!r}, say which: {named}")
        return _recorded(found[0])

    async def between(
        self, since: datetime, until: datetime, damaged: list[DamagedRow] | None = None
    ) -> AsyncIterator[Recorded]:
        """The decisions from `since` up to (not with) `until`, oldest first; both with a zone. Rows
        of those days that cannot be read go into `damaged`; without it the first one is raised.
        """
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        day = since.date()
        while day <= until.date():
            async for row in self._table.rows(day.isoformat()):
                for found in readable(row, _recorded, damaged):
                    if since <= found.at < until:
                        yield found
            day += timedelta(days=1)

    async def forget_older(self, days: int) -> int:
        """Remove what is older than so many days; returns how many decisions that were."""
        first = datetime.fromtimestamp(self._now(), UTC).date() - timedelta(days=days)
        rows = [row async for row in self._table.before(first.isoformat())]
        for row in rows:
            await self._table.delete(row.partition, row.key)
        return len(rows)


def _none(decision_id: str) -> Permanent:
    return Permanent(f"no decision {decision_id!r} is on record; 'lanyard history' has them")


def _is_plain(text: str) -> bool:
    return not set("/\\#?") & set(text) and text.isprintable()


def _values(decision: Decision) -> dict[str, str]:
    values = {
        "resource": decision.resource,
        "action": decision.action,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "key": decision.key,
        "grant": decision.grant,
        "rules": json.dumps(decision.rules),
        "cause": json.dumps(dict(decision.cause)),
        "evidence": json.dumps(decision.evidence),
        "became": json.dumps(dict(decision.became)),
    }
    if decision.removed is not None:
        values["removed"] = _REMOVED.dump_json(decision.removed).decode()
    return values


def _recorded(row: Row) -> Recorded:
    columns = Columns("decisions", row)
    decision = Decision(
        columns.text("resource"),
        columns.text("action"),
        columns.text("outcome"),
        columns.text("reason"),
        key=columns.text("key"),
        grant=columns.text("grant"),
        rules=columns.json("rules", _TEXTS),
        cause=columns.json("cause", _CAUSE),
        evidence=columns.json("evidence", _TEXTS),
        removed=columns.json("removed", _REMOVED) if row.values.get("removed") else None,
        became=columns.json("became", _BECAME),
    )
    return Recorded(
        f"{row.partition}T{row.key}",
        columns.moment("at"),
        columns.text("by"),
        columns.text("policy"),
        decision,
    )
