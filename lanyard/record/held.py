"""What is not done although it could be: listed, and released or dismissed by a person.

A row an action that is held now. Each reconcile of a resource brings the rows of that resource up
to date; what a person said about one stays on it until it is no longer held.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from lanyard.planning.orders import Kind, Orders, Pause, Refusal
from lanyard.ports.tables import Row, RowChanged, RowExists, Table, key_of
from lanyard.record.rows import Columns
from lanyard.values.change import Change
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId

_CONFLICT_DELAY = 2.0
#: Before the name of a grant, where an entry is about one.
GRANT = "grant "


class Word(StrEnum):
    """What a person said about a held action."""

    NONE = ""
    RELEASED = "released"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Entry:
    """A refusal as listed. `since` is UTC; `by` is who released or dismissed it.

    `principal` is the unknown principal that it is about, or `GRANT` and the name of an unclaimed
    grant; "" where `resource` itself tells.
    """

    id: str
    resource: ResourceId
    principal: str
    refusal: Refusal
    since: datetime
    word: Word
    by: str

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
        """What is held of one resource, or of one unknown principal, by action."""
        entries = [_entry(row) async for row in self._rows(resource)]
        mine = [e for e in entries if (e.resource, e.principal) == (resource, principal)]
        return {entry.refusal.action: entry for entry in mine}

    async def all(self) -> AsyncIterator[Entry]:
        """Everything that is held now, dismissed included."""
        async for row in self._table.everything():
            yield _entry(row)

    async def update(
        self, resource: ResourceId, refusals: Collection[Refusal], principal: str = ""
    ) -> list[Entry]:
        """Make the list of one resource (or unknown principal) these; returns the new ones.

        What is no longer held goes from the list, and with it what was said about it.
        """
        before = await self.of(resource, principal)
        wanted = {refusal.action: refusal for refusal in refusals}
        for action in before.keys() - wanted.keys():
            await self._table.delete(resource.subscription, _key(resource, principal, action))
        fresh = []
        for refusal in wanted.values():
            entry = before.get(refusal.action)
            if entry is None:
                fresh.append(await self._write(resource, principal, refusal, None))
            elif entry.refusal != refusal:
                await self._write(resource, principal, refusal, entry)
        return fresh

    async def find(self, entry_id: str) -> Entry:
        """The entry with this id. Raises Permanent where nothing like it is held."""
        async for entry in self.all():
            if entry.id == entry_id.strip().lower():
                return entry
        raise Permanent(f"nothing with id {entry_id!r} is held; 'lanyard held' lists what is")

    async def release(self, entry_id: str, by: str) -> Entry:
        """Let it be done. Raises Permanent for what only a change of the policy releases."""
        entry = await self.find(entry_id)
        if not entry.refusal.releasable:
            raise Permanent(f"{entry.id} is not released by a word: {entry.refusal.release}")
        return await self._say(entry, Word.RELEASED, by)

    async def dismiss(self, entry_id: str, by: str) -> Entry:
        """Leave it undone and tell no more of it."""
        return await self._say(await self.find(entry_id), Word.DISMISSED, by)

    def _rows(self, resource: ResourceId) -> AsyncIterator[Row]:
        prefix = key_of(resource.key) + "|h"
        return self._table.rows(resource.subscription, first=prefix, last=prefix + "~")

    async def _write(
        self, resource: ResourceId, principal: str, refusal: Refusal, before: Entry | None
    ) -> Entry:
        since = datetime.fromtimestamp(self._now(), UTC) if before is None else before.since
        word, by = (before.word, before.by) if before is not None else (Word.NONE, "")
        key = _key(resource, principal, refusal.action)
        entry = Entry(key[-8:], resource, principal, refusal, since, word, by)
        await self._table.put(resource.subscription, key, _values(entry))
        return entry

    async def _say(self, entry: Entry, word: Word, by: str) -> Entry:
        key = _key(entry.resource, entry.principal, entry.refusal.action)
        row = await self._table.get(entry.resource.subscription, key)
        if row is None:
            raise Permanent(f"{entry.id} is no longer held")
        try:
            row = await self._table.replace(row, {**row.values, "word": word.value, "by": by})
        except (RowChanged, RowExists) as error:
            raise Temporary(f"{entry.id} is changing", _CONFLICT_DELAY) from error
        return _entry(row)


def orders(pause: Pause | None, entries: Iterable[Entry]) -> Orders:
    """What is in force, from the pause and from what was said about held actions."""
    entries = list(entries)
    return Orders(
        pause,
        frozenset(e.refusal.action for e in entries if e.word is Word.RELEASED),
        {e.refusal.action: e.by for e in entries if e.word is Word.DISMISSED},
    )


def _key(resource: ResourceId, principal: str, action: str) -> str:
    """Ends in the entry's id, eight hexadecimal digits that a person can type."""
    content = f"{resource.key}|{principal}|{action}"
    return f"{key_of(resource.key)}|h{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _values(entry: Entry) -> dict[str, str]:
    return {
        "resource": entry.resource.text,
        "principal": entry.principal,
        "action": entry.refusal.action,
        "reason": entry.refusal.reason,
        "release": entry.refusal.release,
        "releasable": str(entry.refusal.releasable),
        "kind": entry.refusal.kind.value,
        "since": entry.since.isoformat(),
        "word": entry.word.value,
        "by": entry.by,
    }


def _entry(row: Row) -> Entry:
    columns = Columns("held", row)
    resource, principal = columns.resource("resource"), columns.text("principal")
    refusal = Refusal(
        columns.text("action"),
        columns.text("reason"),
        columns.text("release"),
        columns.flag("releasable"),
        columns.word("kind", Kind),
    )
    if _key(resource, principal, refusal.action) != row.key:
        # A word about one action must not be heard as one about another.
        raise columns.damaged("action", "is not what its key was made of")
    return Entry(
        row.key[-8:],
        resource,
        principal,
        refusal,
        columns.moment("since"),
        columns.word("word", Word),
        columns.text("by"),
    )
