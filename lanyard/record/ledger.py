"""What Lanyard saw on each compute resource, attached to it and claimed for it: a row each.

Identities (identities.py), grants and the claims on them (claims.py), decisions (decisions.py) and
what is held (held.py) are in tables of their own.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Self

from pydantic import ConfigDict, FiniteFloat, TypeAdapter

from lanyard.planning.life import Life
from lanyard.planning.plan import Owned
from lanyard.ports.tables import Row, RowChanged, RowExists, Table, id_of, key_of
from lanyard.record.rows import Columns, DamagedRow, entries, readable
from lanyard.values.errors import Temporary
from lanyard.values.grants import Grant
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import InvalidResourceId, ResourceId

# Another worker changed the row meanwhile: start over soon with what it wrote.
_CONFLICT_DELAY = 2.0
_ATTEMPTS = 5

_IDS = TypeAdapter(frozenset[str])
_GRANTS = TypeAdapter(frozenset[Grant])
_DEDICATED = TypeAdapter(Mapping[str, Dedicated], config=ConfigDict(allow_inf_nan=False))
_TEXTS = TypeAdapter(Mapping[str, str])
_MOMENTS = TypeAdapter(Mapping[str, FiniteFloat])
_RULES = TypeAdapter(Mapping[str, tuple[str, ...]])
_REPAIRS = TypeAdapter(Mapping[str, tuple[FiniteFloat, ...]])


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRecord:
    """What the ledger knows of one resource."""

    id: ResourceId
    #: Identities that Lanyard attached, with the moment (seconds since the epoch) when it did.
    attachments: Mapping[ResourceId, float] = field(default_factory=dict)
    #: Of them those that somebody else had made, and a person had adopted. What is not among them
    #: any more is not adopted either.
    adopted: frozenset[ResourceId] = frozenset()
    #: Claimed for the resource, and assigned.
    grants: frozenset[Grant] = frozenset()
    #: Intended, and not yet confirmed.
    pending: frozenset[Grant] = frozenset()
    #: Object ids seen as its system-assigned identity and not yet looked after.
    system_principals: frozenset[str] = frozenset()
    #: Of those found gone, the moment (seconds since the epoch).
    gone_at: Mapping[str, float] = field(default_factory=dict)
    #: The model of a scale set was changed, its instances were not brought up to date yet.
    instances_lag: bool = False
    #: Identities that were taken off, or are about to be, to be attached again.
    in_repair: frozenset[ResourceId] = frozenset()
    #: Identities made for this resource alone.
    dedicated: Mapping[ResourceId, Dedicated] = field(default_factory=dict)
    #: A digest of the held actions last recorded, so that the same refusal is recorded once.
    held: str = ""
    #: The version of the policy that they were recorded under.
    held_under: str = ""
    #: The principal that each attached identity (by its key as a principal) was attached with.
    confirmed: Mapping[str, str] = field(default_factory=dict)
    #: The moments (seconds since the epoch) when something had to be put back, by `repair_key`.
    repairs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    #: The rules that gave each thing it has, as givers.py names them.
    given_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Distinguishes the resource that `confirmed` and `repairs` are of from another under its id.
    incarnation: str = ""
    #: What is known of its life, or of one that is over.
    life: Life = field(default_factory=Life)
    #: Since when (seconds since the epoch) each removal is due, by the action's key.
    due_since: Mapping[str, float] = field(default_factory=dict)
    #: The version that it was read at; None for a new one.
    row: Row | None = field(default=None, compare=False)

    def owned(self) -> Owned:
        """The part that the planner compares."""
        return Owned(
            attachments=frozenset(self.attachments),
            grants=self.grants,
            pending=self.pending,
            system_principals=self.system_principals,
            instances_lag=self.instances_lag,
            dedicated=frozenset(self.dedicated),
            in_repair=self.in_repair,
            attached_as=self.confirmed,
            given_by=self.given_by,
        )

    def attaching(self, identities: Iterable[ResourceId], now: float) -> Self:
        """The record of a resource to which Lanyard attaches these itself, now (seconds since the
        epoch).
        """
        these = dict.fromkeys(identities, now)
        attachments = {**self.attachments, **these}
        return replace(self, attachments=attachments, adopted=self.adopted - these.keys())

    @property
    def left_with(self) -> list[ResourceId]:
        """The identities that were made for the resource at a place from which it moved."""
        return [identity for identity, own in self.dedicated.items() if own.owner]

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to remember."""
        return self.owned() == Owned()


class Conflict(Temporary):
    """Another worker changed the row of a resource or identity meanwhile."""


def conflict(resource: ResourceId) -> Conflict:
    """The error where that is so."""
    return Conflict(f"{resource} is being reconciled by another worker", _CONFLICT_DELAY)


class Ledger:
    """Reads and writes of the table. Temporary is raised where another worker was first."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def resource(self, resource: ResourceId) -> ResourceRecord:
        """The record of a resource; an empty one for a resource never seen."""
        row = await self._table.get(resource.subscription, key_of(resource.key))
        return ResourceRecord(id=resource) if row is None else _record(row)

    async def under(self, scope: ResourceId) -> AsyncIterator[ResourceId]:
        """The known resources at or below a resource group or subscription."""
        first = key_of(scope.key)
        # "}" follows "|" in code order, so the range holds all keys that begin with first + "|".
        async for row in self._table.rows(scope.subscription, first=first, last=first + "}"):
            # Only the id: what else is wrong with a row is reported when its resource is looked at.
            if (found := _whose(row)).within(scope):
                yield found

    async def records(
        self, damaged: list[DamagedRow] | None = None
    ) -> AsyncIterator[ResourceRecord]:
        """Every resource on record. See `readable` for what is damaged."""
        async for row in entries(self._table):
            for record in readable(row, _record, damaged):
                yield record

    async def save(self, record: ResourceRecord) -> ResourceRecord:
        """Write the record over the version it was read at."""
        resource = record.id
        try:
            if record.row is not None:
                row = await self._table.replace(record.row, _values(record))
            else:
                row = await self._table.insert(
                    resource.subscription, key_of(resource.key), _values(record)
                )
        except (RowChanged, RowExists) as error:
            raise conflict(resource) from error
        return _record(row)

    async def update(
        self, resource: ResourceId, change: Callable[[ResourceRecord], ResourceRecord]
    ) -> ResourceRecord:
        """Change the record as it is now, and again where another worker wrote it meanwhile.
        Raises Temporary where that goes on.
        """
        for _ in range(_ATTEMPTS):
            record = await self.resource(resource)
            if (changed := change(record)) == record:
                return record
            with suppress(Conflict):
                return await self.save(changed)
        raise conflict(resource)

    async def forget(self, record: ResourceRecord) -> None:
        """Remove the row of a resource that is gone and left nothing, as it was read.

        Raises Temporary where another worker wrote it meanwhile: the resource may be back.
        """
        if record.row is None:
            return
        try:
            await self._table.remove(record.row)
        except RowChanged as error:
            raise conflict(record.id) from error

    async def having(
        self,
        identity: ResourceId,
        damaged: list[DamagedRow] | None = None,
        *,
        living: bool = False,
    ) -> AsyncIterator[ResourceId]:
        """The resources that Lanyard attached an identity to, in any subscription; `living`:
        without those that ARM misses. See `readable` for what is damaged.
        """
        async for record in self.records(damaged):
            if identity in record.attachments and not (living and record.life.missing):
                yield record.id

    async def left(self, identity: ResourceId, place: ResourceId) -> bool:
        """Whether a resource that moved has an identity that was made for it at this place."""
        async for record in self.records([]):
            own = record.dedicated.get(identity)
            if own is not None and own.owner == place.key:
                return True
        return False


def _whose(row: Row) -> ResourceId:
    """Of which resource a row is, by its key where its columns do not say it."""
    columns = Columns("resources", row)
    try:
        return columns.own_id()
    except DamagedRow as damage:
        try:
            return ResourceId.parse(id_of(row.key))
        except InvalidResourceId:
            raise damage from None


def _values(record: ResourceRecord) -> dict[str, str]:
    return {
        "id": record.id.text,
        "attachments": _by_id_as_json(record.attachments),
        "adopted": _ids_as_json(record.adopted & record.attachments.keys()),
        "grants": json.dumps(_grants_as_json(record.grants)),
        "pending": json.dumps(_grants_as_json(record.pending)),
        "systemPrincipals": json.dumps(sorted(record.system_principals)),
        "goneAt": json.dumps(dict(record.gone_at)),
        "instancesLag": str(record.instances_lag),
        "inRepair": _ids_as_json(record.in_repair),
        "dedicated": _by_id_as_json({one: asdict(own) for one, own in record.dedicated.items()}),
        "held": record.held,
        "heldUnder": record.held_under,
        "confirmed": json.dumps(dict(record.confirmed)),
        "repairs": json.dumps({what: list(at) for what, at in record.repairs.items()}),
        "givenBy": json.dumps({what: list(rules) for what, rules in record.given_by.items()}),
        "incarnation": record.incarnation,
        "life": life_as_json(record.life),
        "dueSince": json.dumps(dict(record.due_since)),
    }


def _record(row: Row) -> ResourceRecord:
    columns = Columns("resources", row)
    return ResourceRecord(
        id=columns.own_id(),
        attachments=_by_id(columns, "attachments", _MOMENTS),
        adopted=_ids(columns, "adopted"),
        grants=columns.json("grants", _GRANTS),
        pending=columns.json("pending", _GRANTS),
        system_principals=columns.json("systemPrincipals", _IDS),
        gone_at=columns.json("goneAt", _MOMENTS),
        instances_lag=columns.flag("instancesLag"),
        in_repair=_ids(columns, "inRepair"),
        dedicated=_by_id(columns, "dedicated", _DEDICATED),
        held=columns.text("held"),
        held_under=columns.text("heldUnder"),
        confirmed=columns.json("confirmed", _TEXTS),
        repairs=columns.json("repairs", _REPAIRS),
        given_by=columns.json("givenBy", _RULES),
        incarnation=columns.text("incarnation"),
        life=life_of(columns),
        due_since=columns.json("dueSince", _MOMENTS),
        row=row,
    )


def life_as_json(life: Life) -> str:
    """A life as a column has it."""
    return json.dumps(asdict(life))


def life_of(columns: Columns) -> Life:
    """The life in the column "life". Raises DamagedRow."""
    try:
        return Life(**columns.json("life", _MOMENTS))
    except TypeError as error:
        raise columns.damaged("life", f"is not as written: {error}") from error


def _by_id_as_json(values: Mapping[ResourceId, object]) -> str:
    return json.dumps({one.text: values[one] for one in sorted(values)})


def _ids_as_json(ids: Iterable[ResourceId]) -> str:
    return json.dumps(sorted(one.text for one in ids))


def _by_id[T](
    columns: Columns, column: str, kind: TypeAdapter[Mapping[str, T]]
) -> dict[ResourceId, T]:
    values = columns.json(column, kind)
    return {_id(text, columns, column): value for text, value in values.items()}


def _ids(columns: Columns, column: str) -> frozenset[ResourceId]:
    return frozenset(_id(text, columns, column) for text in columns.json(column, _IDS))


def _id(text: str, columns: Columns, column: str) -> ResourceId:
    try:
        return ResourceId.parse(text)
    except InvalidResourceId as error:
        raise columns.damaged(column, f"holds no resource id: {error}") from error


def _grants_as_json(grants: Iterable[Grant]) -> list[dict[str, str | None]]:
    return [
        {
            "kind": grant.kind.value,
            "scope": grant.scope,
            "role_id": grant.role_id,
            "principal_id": grant.principal_id,
            "condition": grant.condition,
        }
        for grant in sorted(grants, key=lambda grant: grant.name)
    ]
