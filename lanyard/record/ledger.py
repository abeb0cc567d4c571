"""What Lanyard saw and owns, in two tables.

    resources    one row a compute resource: its principals, what we attached and claimed for it
    identities   one row a user-assigned identity: its principal id, which saves a call;
                 one row a system-assigned principal: the resource it was last seen on;
                 one row an unknown principal: since when the directory does not know it

Grants and the claims on them (claims.py), decisions (decisions.py) and what is held (held.py) are
in tables of their own.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pydantic import FiniteFloat, TypeAdapter

from lanyard.planning.plan import Owned
from lanyard.ports.tables import Row, RowChanged, RowExists, Table, key_of
from lanyard.record.rows import Columns
from lanyard.values.errors import Temporary
from lanyard.values.grants import Grant
from lanyard.values.resource_id import InvalidResourceId, ResourceId

# Another worker changed the row meanwhile: start over soon with what it wrote.
_CONFLICT_DELAY = 2.0
# The partition of the principals; those of the identities are subscription ids.
_PRINCIPALS = "principal"
_UNKNOWN = "unknown"

_IDS = TypeAdapter(frozenset[str])
_GRANTS = TypeAdapter(frozenset[Grant])
_TEXTS = TypeAdapter(Mapping[str, str])
_MOMENTS = TypeAdapter(Mapping[str, FiniteFloat])
_REPAIRS = TypeAdapter(Mapping[str, tuple[FiniteFloat, ...]])


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """What the ledger knows of one resource. `row` is the version it was read at (None: new).

    `attachments` were made by Lanyard; `dedicated` are identities made for this resource alone.
    `grants` are claimed and assigned, `pending` ones intended and not yet confirmed.
    `system_principals` are object ids seen as its system-assigned identity and not yet looked
    after; `gone_at` maps those found gone to the moment (seconds since the epoch). `held` is a
    digest of the held actions last recorded, so that the same refusal is recorded once.

    `confirmed` maps an attached identity (lower-case id) to the principal it was attached with;
    `repairs` maps what had to be put back to the moments when it was; both are of the resource
    that `incarnation` tells from another one under the same id.
    """

    id: ResourceId
    attachments: frozenset[ResourceId] = frozenset()
    grants: frozenset[Grant] = frozenset()
    pending: frozenset[Grant] = frozenset()
    system_principals: frozenset[str] = frozenset()
    gone_at: Mapping[str, float] = field(default_factory=dict)
    instances_lag: bool = False
    dedicated: frozenset[ResourceId] = frozenset()
    held: str = ""
    confirmed: Mapping[str, str] = field(default_factory=dict)
    repairs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    incarnation: str = ""
    row: Row | None = field(default=None, compare=False)

    def owned(self) -> Owned:
        """The part that the planner compares."""
        return Owned(
            self.attachments,
            self.grants,
            self.pending,
            self.system_principals,
            self.instances_lag,
            self.dedicated,
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to remember."""
        return self.owned() == Owned()


@dataclass(frozen=True, slots=True)
class IdentityRecord:
    """What the ledger knows of a user-assigned identity. `former` are principals that it had and
    that are not looked after yet, with the moment they were found gone (0: just now).
    """

    id: ResourceId
    principal: str | None = None
    former: Mapping[str, float] = field(default_factory=dict)
    row: Row | None = field(default=None, compare=False)

    def left(self) -> dict[str, float]:
        """The former principals, once the present one has left, too."""
        return dict(self.former) | ({self.principal: 0.0} if self.principal else {})


def _conflict(resource: ResourceId) -> Temporary:
    return Temporary(f"{resource} is being reconciled by another worker", _CONFLICT_DELAY)


class Ledger:
    """Reads and writes of the two tables. Temporary is raised where another worker was first.

    `now`: seconds since the epoch.
    """

    def __init__(self, resources: Table, identities: Table, now: Callable[[], float]) -> None:
        self._resources = resources
        self._identities = identities
        self._now = now

    async def resource(self, resource: ResourceId) -> ResourceRecord:
        """The record of a resource; an empty one for a resource never seen."""
        row = await self._resources.get(resource.subscription, key_of(resource.key))
        return ResourceRecord(resource) if row is None else _record(row)

    async def under(self, scope: ResourceId) -> AsyncIterator[ResourceId]:
        """The known resources at or below a resource group or subscription."""
        first = key_of(scope.key)
        # "}" follows "|" in code order, so the range holds all keys that begin with first + "|".
        async for row in self._resources.rows(scope.subscription, first=first, last=first + "}"):
            # Only the id: what else is wrong with a row is told when its resource is looked at.
            found = _own_id(Columns("resources", row))
            if found.within(scope):
                yield found

    async def records(self) -> AsyncIterator[ResourceRecord]:
        """Every resource on record."""
        async for row in self._resources.everything():
            yield _record(row)

    async def save(self, record: ResourceRecord) -> ResourceRecord:
        """Write the record over the version it was read at."""
        resource = record.id
        try:
            if record.row is not None:
                row = await self._resources.replace(record.row, _values(record))
            else:
                row = await self._resources.insert(
                    resource.subscription, key_of(resource.key), _values(record)
                )
        except (RowChanged, RowExists) as error:
            raise _conflict(resource) from error
        return _record(row)

    async def forget(self, record: ResourceRecord) -> None:
        """Remove the row of a resource that is gone and left nothing, as it was read.

        Raises Temporary where another worker wrote it meanwhile: the resource may be back.
        """
        if record.row is None:
            return
        try:
            await self._resources.remove(record.row)
        except RowChanged as error:
            raise _conflict(record.id) from error

    async def identity(self, identity: ResourceId) -> IdentityRecord:
        """What is on record of a user-assigned identity; an empty record for one never seen."""
        row = await self._identities.get(identity.subscription, key_of(identity.key))
        return IdentityRecord(identity) if row is None else _identity_record(row)

    async def principal(self, identity: ResourceId) -> str | None:
        """The object id of a user-assigned identity, where it is known."""
        return (await self.identity(identity)).principal

    async def having(self, identity: ResourceId) -> AsyncIterator[ResourceId]:
        """The resources that Lanyard attached an identity to, in any subscription."""
        async for record in self.records():
            if identity in record.attachments:
                yield record.id

    async def learn_principal(self, identity: ResourceId, principal_id: str) -> None:
        """Remember the object id of a user-assigned identity, and the one it had before."""
        before = await self.identity(identity)
        if before.principal != principal_id:
            former = {p: at for p, at in before.left().items() if p != principal_id}
            await self.save_identity(replace(before, principal=principal_id, former=former))

    async def lose_principal(self, identity: ResourceId) -> IdentityRecord:
        """The identity, or the principal it had, is gone: what that left is to be looked after."""
        before = await self.identity(identity)
        if before.principal is None:
            return before
        return await self.save_identity(replace(before, principal=None, former=before.left()))

    async def save_identity(self, record: IdentityRecord) -> IdentityRecord:
        """Write the record over the version it was read at, with the principals that left now."""
        identity, now = record.id, self._now()
        former = {p: at or now for p, at in record.former.items()}
        values = {
            "id": identity.text,
            "principalId": record.principal or "",
            "former": json.dumps(former),
            "seenAt": self._stamp(),
        }
        key = key_of(identity.key)
        try:
            if record.row is None:
                row = await self._identities.insert(identity.subscription, key, values)
            elif record.principal is None and not former:
                await self._identities.remove(record.row)
                return IdentityRecord(identity)
            else:
                row = await self._identities.replace(record.row, values)
        except (RowChanged, RowExists) as error:
            raise _conflict(identity) from error
        return _identity_record(row)

    async def holder(self, principal_id: str) -> str:
        """The resource (lower-case id) that a system-assigned principal was last seen on, or ""."""
        row = await self._identities.get(_PRINCIPALS, principal_id)
        return "" if row is None else _holder(row).key

    async def learn_holder(self, principal_id: str, resource: ResourceId) -> None:
        """Remember where a system-assigned principal was seen: a move takes it along."""
        values = {"resource": resource.key, "seenAt": self._stamp()}
        await self._identities.put(_PRINCIPALS, principal_id, values)

    async def forget_holder(self, principal_id: str) -> None:
        """Forget a principal that is gone and left nothing."""
        await self._identities.delete(_PRINCIPALS, principal_id)

    async def unknown_since(self, principal_id: str) -> float:
        """When the directory was first found not to know a principal never seen alive: now, if
        this is the first time (seconds since the epoch).
        """
        row = await self._identities.get(_UNKNOWN, principal_id)
        if row is not None:
            return Columns("identities", row).number("since")
        now = self._now()
        await self._identities.put(_UNKNOWN, principal_id, {"since": str(now)})
        return now

    async def forget_unknown(self, principal_id: str) -> None:
        """The principal turned up, or nothing of it is left."""
        await self._identities.delete(_UNKNOWN, principal_id)

    async def identities(self) -> AsyncIterator[IdentityRecord]:
        """Every user-assigned identity on record."""
        async for row in self._identities.everything():
            if row.partition not in (_PRINCIPALS, _UNKNOWN):
                yield _identity_record(row)

    async def holders(self) -> AsyncIterator[tuple[str, ResourceId]]:
        """Every system-assigned principal on record, with the resource it was last seen on."""
        async for row in self._identities.rows(_PRINCIPALS):
            yield row.key, _holder(row)

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat()


def _values(record: ResourceRecord) -> dict[str, str]:
    return {
        "id": record.id.text,
        "attachments": json.dumps(sorted(identity.text for identity in record.attachments)),
        "grants": json.dumps(_grants_as_json(record.grants)),
        "pending": json.dumps(_grants_as_json(record.pending)),
        "systemPrincipals": json.dumps(sorted(record.system_principals)),
        "goneAt": json.dumps(dict(record.gone_at)),
        "instancesLag": str(record.instances_lag),
        "dedicated": json.dumps(sorted(identity.text for identity in record.dedicated)),
        "held": record.held,
        "confirmed": json.dumps(dict(record.confirmed)),
        "repairs": json.dumps({what: list(at) for what, at in record.repairs.items()}),
        "incarnation": record.incarnation,
    }


def _record(row: Row) -> ResourceRecord:
    columns = Columns("resources", row)
    return ResourceRecord(
        _own_id(columns),
        _ids(columns, "attachments"),
        columns.json("grants", _GRANTS),
        columns.json("pending", _GRANTS),
        columns.json("systemPrincipals", _IDS),
        columns.json("goneAt", _MOMENTS),
        columns.flag("instancesLag"),
        _ids(columns, "dedicated"),
        columns.text("held"),
        columns.json("confirmed", _TEXTS),
        columns.json("repairs", _REPAIRS),
        columns.text("incarnation"),
        row,
    )


def _identity_record(row: Row) -> IdentityRecord:
    columns = Columns("identities", row)
    return IdentityRecord(
        _own_id(columns),
        columns.text("principalId") or None,
        columns.json("former", _MOMENTS),
        row,
    )


def _own_id(columns: Columns) -> ResourceId:
    """A row that tells of another resource than its key names would have that one's grants go."""
    found = columns.resource("id")
    if key_of(found.key) != columns.row.key:
        raise columns.damaged("id", "is another resource's")
    return found


def _ids(columns: Columns, column: str) -> frozenset[ResourceId]:
    try:
        return frozenset(ResourceId.parse(text) for text in columns.json(column, _IDS))
    except InvalidResourceId as error:
        raise columns.damaged(column, f"holds no resource id: {error}") from error


def _holder(row: Row) -> ResourceId:
    return Columns("identities", row).resource("resource")


def _grants_as_json(grants: Iterable[Grant]) -> list[dict[str, str | None]]:
    return [
        {
            "scope": grant.scope,
            "role_id": grant.role_id,
            "principal_id": grant.principal_id,
            "condition": grant.condition,
        }
        for grant in sorted(grants, key=lambda grant: grant.name)
    ]
