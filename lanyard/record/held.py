"""What is not done although it could be: listed, and released or dismissed by a person.

A row an action that is held now. Each reconcile of a resource brings the rows of that resource up
to date. What a person answered stays until the action is done or wanted no more: a release for a
week at most, a dismissal as long as the action is in the plan, or up to the end that they gave it.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from lanyard.planning.orders import Kind, Orders, Pause, Refusal
from lanyard.ports.tables import Row, RowChanged, RowExists, Table
from lanyard.record.rows import Columns, DamagedRow, entries, readable
from lanyard.values.change import Change
from lanyard.values.errors import Because, Permanent, Temporary
from lanyard.values.resource_id import ResourceId

_CONFLICT_DELAY = 2.0
#: A release that did not lead to the action being done by then is asked for again.
RELEASE_LASTS = timedelta(days=7)
#: Before the name of a grant, where an entry is about one.
GRANT = "grant "
# Of a digest in hexadecimal digits: 128 bits in a row's key, and what a person types of them.
_DIGITS = 32
_TYPED = 8


class Answer(StrEnum):
    """What a person decided about a held action."""

    NONE = ""
    RELEASED = "released"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A refusal as listed."""

    #: Hexadecimal digits, of which a person types the first eight.
    full_id: str
    resource: ResourceId
    #: The unknown principal that it is about, or `GRANT` and the name of an unclaimed grant; ""
    #: where it is about `resource` itself.
    principal: str
    refusal: Refusal
    #: UTC.
    since: datetime
    answer: Answer
    #: Who released or dismissed it.
    by: str
    #: When they did, UTC; None where nobody has.
    answered: datetime | None = None
    #: Why they did, in their words, and until when that holds (UTC); None for no end.
    why: str = ""
    until: datetime | None = None
    #: The version that it was read at.
    row: Row | None = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        """As people are shown it."""
        return self.full_id[:_TYPED]

    def at(self, moment: datetime) -> "Entry":
        """As it stands at a moment: a release that is too old, and a dismissal whose time is over,
        is none any more.
        """
        if self.answer is Answer.DISMISSED and self.until is not None:
            return self if moment < self.until else _unanswered(self)
        if self.answer is not Answer.RELEASED or self.answered is None:
            return self
        return self if moment - self.answered < RELEASE_LASTS else _unanswered(self)

    def change(self, source: str) -> Change:
        """The hint that has it looked at again."""
        if self.principal.startswith(GRANT):
            return Change(self.resource, source, grant=self.principal.removeprefix(GRANT))
        return Change(self.resource, source, principal=self.principal)


class HeldActions:
    """The list, in one table. `now`: seconds since the epoch."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def of(self, resource: ResourceId, principal: str = "") -> dict[str, Entry]:
        """What is held of one resource, or of one unknown principal, by the actions' keys."""
        entries = [self._read(row) async for row in self._rows(resource)]
        mine = [e for e in entries if (e.resource, e.principal) == (resource, principal)]
        return {entry.refusal.key: entry for entry in mine}

    async def all(self, damaged: list[DamagedRow] | None = None) -> AsyncIterator[Entry]:
        """Everything that is held now, dismissed included. See `readable` for what is damaged."""
        async for row in entries(self._table):
            for entry in readable(row, self._read, damaged):
                yield entry

    async def update(
        self,
        resource: ResourceId,
        refusals: Collection[Refusal],
        principal: str = "",
        unfinished: Collection[str] = (),
    ) -> list[Entry]:
        """Make the list of one resource (or unknown principal) these; returns the new ones.

        What is no longer held goes from the list, and with it what a person answered; but not where
        the action is among `unfinished` (keys): it was allowed and did not succeed. What was
        dismissed before its identity existed stays dismissed.
        """
        before = await self.of(resource, principal)
        wanted = {refusal.key: refusal for refusal in refusals}
        for key in before.keys() - wanted.keys():
            if before[key].answer is Answer.NONE or key not in unfinished:
                await self._drop(before[key])
        fresh = []
        for refusal in wanted.values():
            entry = before.get(refusal.key)
            if entry is None:
                fresh += await self._add(resource, principal, refusal, before)
            elif entry.refusal != refusal or _is_spent(entry, refusal):
                await self._replace(_with(entry, refusal))
        return fresh

    async def find(self, entry_id: str) -> Entry:
        """The entry whose id begins so. Raises Permanent where there is none, or more than one."""
        typed = entry_id.strip().lower()
        # A row that cannot be read is another action's, or none's.
        found = [entry async for entry in self.all([]) if entry.full_id.startswith(typed)]
        if len(typed) < _TYPED or not found:
            raise Permanent(f"nothing with id {entry_id!r} is held; 'lanyard held' lists what is")
        if len(found) > 1:
            named = "; ".join(f"{e.full_id}: {e.refusal.action} of {e.resource}" for e in found)
            raise Permanent(f"id {entry_id!r} fits {len(found)} entries, say which: {named}")
        return found[0]

    async def release(self, entry_id: str, by: str) -> Entry:
        """Let it be done. Raises Permanent for what only a change of the policy releases."""
        entry = await self.find(entry_id)
        if not entry.refusal.releasable:
            raise Permanent(f"{entry.id} cannot be released: {entry.refusal}")
        return await self._answer(entry, Answer.RELEASED, by)

    async def dismiss(
        self, entry_id: str, by: str, why: str = "", until: datetime | None = None
    ) -> Entry:
        """Leave it undone and show it no more, up to a moment (with a zone; None for no end)."""
        return await self._answer(await self.find(entry_id), Answer.DISMISSED, by, why, until)

    async def of_the_pause(self, source: str) -> list[Change]:
        """The hints that have looked at again what a pause holds, each once."""
        # What a damaged row is about the next sweep looks at.
        held = [entry async for entry in self.all([])]
        waiting = {
            entry.change(source): None
            for entry in held
            if entry.refusal.because is Because.PAUSED and entry.answer is not Answer.DISMISSED
        }
        return list(waiting)

    async def forget_answers(self, until: float) -> None:
        """Of a list that was put back from an older moment: what people let be done may have been
        done since, and what they gave up may be wanted again. That they want something kept stays,
        and so does what they answered after `until` (seconds since the epoch): to the list as it
        is.
        """
        doubted = datetime.fromtimestamp(until, UTC)
        async for entry in self.all([]):
            if _is_answered(entry, doubted) and not _keeps(entry):
                await self._replace(_unanswered(entry))

    def _read(self, row: Row) -> Entry:
        return _entry(row).at(self._moment())

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _rows(self, resource: ResourceId) -> AsyncIterator[Row]:
        prefix = _digest(resource.key)
        return self._table.rows(resource.subscription, first=prefix, last=prefix + "~")

    async def _add(
        self,
        resource: ResourceId,
        principal: str,
        refusal: Refusal,
        before: Mapping[str, Entry],
    ) -> list[Entry]:
        """The new entry; none where another worker added it at this moment, or a person dismissed
        the same before its identity existed.
        """
        full_id = _digest(f"{resource.key}|{principal}|{refusal.key}")
        earlier = before.get(refusal.key_before)
        if earlier is not None and earlier.answer is Answer.DISMISSED:
            await self._insert(replace(earlier, full_id=full_id, refusal=refusal))
            return []
        entry = Entry(
            full_id=full_id,
            resource=resource,
            principal=principal,
            refusal=refusal,
            since=self._moment(),
            answer=Answer.NONE,
            by="",
        )
        return [entry] if await self._insert(entry) else []

    async def _insert(self, entry: Entry) -> bool:
        """Whether it was not there."""
        try:
            await self._table.insert(entry.resource.subscription, _row_key(entry), _values(entry))
        except RowExists:
            return False
        return True

    async def _replace(self, entry: Entry) -> None:
        """Not where a person answers at this moment: the next reconcile brings it up to date."""
        assert entry.row is not None, "it was read"
        with suppress(RowChanged):
            await self._table.replace(entry.row, _values(entry))

    async def _drop(self, entry: Entry) -> None:
        """Not where a person answers at this moment: the next reconcile sees to it."""
        assert entry.row is not None, "it was read"
        with suppress(RowChanged):
            await self._table.remove(entry.row)

    async def _answer(
        self, entry: Entry, answer: Answer, by: str, why: str = "", until: datetime | None = None
    ) -> Entry:
        row = await self._table.get(entry.resource.subscription, _row_key(entry))
        if row is None:
            raise Permanent(f"{entry.id} is no longer held")
        answered = {
            "answer": answer.value,
            "by": by,
            "answered": self._moment().isoformat(),
            "why": why,
            "until": _shown(until),
        }
        try:
            row = await self._table.replace(row, {**row.values, **answered})
        except (RowChanged, RowExists) as error:
            raise Temporary(f"{entry.id} is changing", _CONFLICT_DELAY) from error
        return _entry(row)


def not_done(entries: Iterable[Entry]) -> frozenset[str]:
    """The keys of what Azure reports as done and does not do: that is known by the list alone."""
    return frozenset(e.refusal.key for e in entries if e.refusal.because is Because.NOT_DONE)


def _is_spent(entry: Entry, refusal: Refusal) -> bool:
    """Whether what a person released was tried, and Azure did not do it again."""
    return entry.answer is Answer.RELEASED and refusal.because is Because.NOT_DONE


def _is_answered(entry: Entry, before: datetime) -> bool:
    """Whether somebody answered, and by then."""
    if entry.answer is Answer.NONE:
        return False
    return entry.answered is None or entry.answered <= before


def _keeps(entry: Entry) -> bool:
    """Whether a person wants a removal not to be done."""
    return entry.answer is Answer.DISMISSED and entry.refusal.kind is Kind.REMOVAL


def _with(entry: Entry, refusal: Refusal) -> Entry:
    if _is_spent(entry, refusal):
        entry = _unanswered(entry)
    return replace(entry, refusal=refusal)


def _unanswered(entry: Entry) -> Entry:
    return replace(entry, answer=Answer.NONE, by="", answered=None, why="", until=None)


def orders(pause: Pause | None, entries: Iterable[Entry]) -> Orders:
    """What is in force, from the pause and from what persons answered about held actions."""
    entries = list(entries)
    return Orders(
        pause,
        frozenset(e.refusal.key for e in entries if e.answer is Answer.RELEASED),
        {e.refusal.key: e.by for e in entries if e.answer is Answer.DISMISSED},
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _row_key(entry: Entry) -> str:
    """All of one resource side by side; a resource's id may be as long as a key can be."""
    return f"{_digest(entry.resource.key)}|{entry.full_id}"


def _values(entry: Entry) -> dict[str, str]:
    refusal = entry.refusal
    return {
        "resource": entry.resource.text,
        "principal": entry.principal,
        "key": refusal.key,
        "because": refusal.because.value,
        "action": refusal.action,
        "reason": refusal.reason,
        "release": refusal.release,
        "releasable": str(refusal.releasable),
        "kind": refusal.kind.value,
        "since": entry.since.isoformat(),
        "answer": entry.answer.value,
        "by": entry.by,
        "answered": _shown(entry.answered),
        "why": entry.why,
        "until": _shown(entry.until),
    }


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _entry(row: Row) -> Entry:
    columns = Columns("held", row)
    resource, principal = columns.resource("resource"), columns.text("principal")
    refusal = _refusal(columns)
    entry = Entry(
        full_id=_digest(f"{resource.key}|{principal}|{refusal.key}"),
        resource=resource,
        principal=principal,
        refusal=refusal,
        since=columns.moment("since"),
        answer=columns.choice("answer", Answer),
        by=columns.text("by"),
        answered=columns.moment("answered") if columns.text("answered") else None,
        why=columns.text("why"),
        until=columns.moment("until") if columns.text("until") else None,
        row=row,
    )
    if _row_key(entry) != row.key:
        # An answer about one action must not be taken for one about another.
        raise columns.damaged("key", "is not what its row's key was made of")
    return entry


def _refusal(columns: Columns) -> Refusal:
    return Refusal(
        key=columns.text("key"),
        because=columns.choice("because", Because),
        action=columns.text("action"),
        reason=columns.text("reason"),
        release=columns.text("release"),
        releasable=columns.flag("releasable"),
        kind=columns.choice("kind", Kind),
    )
