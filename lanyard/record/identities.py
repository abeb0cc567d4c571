"""What Lanyard saw of identities and their principals, in one table.

one row a user-assigned identity     its principal id, which saves a call, and those it had
one row a system-assigned principal  the resource it was last seen on
one row an unknown principal         since when the directory does not know it
one row an identity that is made     for which resource, and how long its maker has (making.py)
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pydantic import FiniteFloat, TypeAdapter

from lanyard.planning.life import Life
from lanyard.ports.tables import Row, RowChanged, RowExists, Table, key_of
from lanyard.record.ledger import Conflict, conflict, life_as_json, life_of
from lanyard.record.making import MAKING
from lanyard.record.rows import Columns, DamagedRow, entries, readable
from lanyard.values.own_identity import Known
from lanyard.values.resource_id import ResourceId

# The partition of the principals; those of the identities are subscription ids.
_PRINCIPALS = "principal"
_UNKNOWN = "unknown"
# How often it is learnt anew where others learn of it at the same moment.
_ROUNDS = 8

_MOMENTS = TypeAdapter(Mapping[str, FiniteFloat])


@dataclass(frozen=True, slots=True)
class IdentityRecord:
    """What the ledger knows of a user-assigned identity. `former` are principals that it had and
    that are not looked after yet, with the moment they were found gone (0: just now). `life`: what
    is known of whether it is there. `owner`: see `Known`.
    """

    id: ResourceId
    principal: str | None = None
    owner: str = ""
    former: Mapping[str, float] = field(default_factory=dict)
    life: Life = field(default_factory=Life)
    row: Row | None = field(default=None, compare=False)

    def left(self) -> dict[str, float]:
        """The former principals, once the present one has left, too."""
        return dict(self.former) | ({self.principal: 0.0} if self.principal else {})


class IdentityLedger:
    """Reads and writes of the table. Temporary is raised where another worker was first.

    `now`: seconds since the epoch.
    """

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def identity(self, identity: ResourceId) -> IdentityRecord:
        """What is on record of a user-assigned identity; an empty record for one never seen."""
        row = await self._table.get(identity.subscription, key_of(identity.key))
        return IdentityRecord(identity) if row is None else _identity_record(row)

    async def principal(self, identity: ResourceId) -> str | None:
        """The object id of a user-assigned identity, where it is known."""
        return (await self.identity(identity)).principal

    async def known(self, identity: ResourceId) -> Known | None:
        """The object id of a user-assigned identity, and whose it is, where it is known."""
        record = await self.identity(identity)
        return None if record.principal is None else Known(record.principal, record.owner)

    async def learn_principal(
        self, identity: ResourceId, principal_id: str, owner: str = ""
    ) -> None:
        """Remember the object id of a user-assigned identity, which ARM showed just now, whose it
        is (see `Known`), and the object id that it had before. Many that come at once learn the
        same.
        """
        for _ in range(_ROUNDS):
            try:
                return await self._learn_principal(identity, principal_id, owner)
            except Conflict:
                continue
        raise conflict(identity)

    async def _learn_principal(self, identity: ResourceId, principal_id: str, owner: str) -> None:
        before = await self.identity(identity)
        known = (before.principal, before.owner) == (principal_id, owner)
        if not known or before.life.missing:
            former = {p: at for p, at in before.left().items() if p != principal_id}
            life = before.life.shown(self._now())
            await self.save_identity(
                replace(before, principal=principal_id, owner=owner, former=former, life=life)
            )

    async def lose_principal(self, identity: ResourceId) -> IdentityRecord:
        """The identity, or the principal it had, is gone: what that left is to be looked after."""
        before = await self.identity(identity)
        if before.principal is None:
            return before
        gone = replace(before, principal=None, owner="", former=before.left())
        return await self.save_identity(gone)

    async def save_identity(self, record: IdentityRecord) -> IdentityRecord:
        """Write the record over the version it was read at, with the principals that left now.

        One that says nothing is forgotten; that ARM misses the identity says something.
        """
        identity, now = record.id, self._now()
        former = {p: at or now for p, at in record.former.items()}
        values = {
            "id": identity.text,
            "principalId": record.principal or "",
            "owner": record.owner,
            "former": json.dumps(former),
            "life": life_as_json(record.life),
            "seenAt": self._stamp(),
        }
        key = key_of(identity.key)
        try:
            if record.row is None:
                row = await self._table.insert(identity.subscription, key, values)
            elif record.principal is None and not former and not record.life.missing:
                await self._table.remove(record.row)
                return IdentityRecord(identity)
            else:
                row = await self._table.replace(record.row, values)
        except (RowChanged, RowExists) as error:
            raise conflict(identity) from error
        return _identity_record(row)

    async def holder(self, principal_id: str) -> str:
        """The resource (lower-case id) that a system-assigned principal was last seen on, or ""."""
        row = await self._table.get(_PRINCIPALS, principal_id)
        return "" if row is None else _holder(row).key

    async def learn_holder(self, principal_id: str, resource: ResourceId) -> None:
        """Remember where a system-assigned principal was seen: a move takes it along."""
        values = {"resource": resource.key, "seenAt": self._stamp()}
        await self._table.put(_PRINCIPALS, principal_id, values)

    async def forget_holder(self, principal_id: str) -> None:
        """Forget a principal that is gone and left nothing."""
        await self._table.delete(_PRINCIPALS, principal_id)

    async def unknown_since(self, principal_id: str) -> float:
        """When the directory was first found not to know a principal never seen alive: now, if
        this is the first time (seconds since the epoch).
        """
        row = await self._table.get(_UNKNOWN, principal_id)
        if row is not None:
            return Columns("identities", row).number("since")
        now = self._now()
        await self._table.put(_UNKNOWN, principal_id, {"since": str(now)})
        return now

    async def forget_unknown(self, principal_id: str) -> None:
        """The principal turned up, or nothing of it is left."""
        await self._table.delete(_UNKNOWN, principal_id)

    async def identities(
        self, damaged: list[DamagedRow] | None = None
    ) -> AsyncIterator[IdentityRecord]:
        """Every user-assigned identity on record. See `readable` for what is damaged."""
        async for row in entries(self._table):
            if row.partition not in (_PRINCIPALS, _UNKNOWN, MAKING):
                for record in readable(row, _identity_record, damaged):
                    yield record

    async def holders(
        self, damaged: list[DamagedRow] | None = None
    ) -> AsyncIterator[tuple[str, ResourceId]]:
        """Every system-assigned principal on record, with the resource it was last seen on. The key
        of a row is the principal's. See `readable` for what is damaged.
        """
        async for row in self._table.rows(_PRINCIPALS):
            for holder in readable(row, _holder, damaged):
                yield row.key, holder

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat()


def _identity_record(row: Row) -> IdentityRecord:
    columns = Columns("identities", row)
    return IdentityRecord(
        columns.own_id(),
        columns.text("principalId") or None,
        columns.text("owner"),
        columns.json("former", _MOMENTS),
        life_of(columns),
        row,
    )


def _holder(row: Row) -> ResourceId:
    return Columns("identities", row).resource("resource")
