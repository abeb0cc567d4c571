"""What Lanyard saw, did, owns and decided, in three tables.

    resources    one row a compute resource: its principals, what we attached and claimed for it
    identities   one row a user-assigned identity: its principal id, which saves a call;
                 one row a system-assigned principal: the resource it was last seen on
    decisions    append-only: every change and every refusal, with its reason; removals in full

Grants and the claims on them are in a fourth (claims.py).
"""

import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from lanyard.errors import Temporary
from lanyard.model import Grant, ResourceId
from lanyard.plan import Owned
from lanyard.tables import Row, RowChanged, RowExists, Table, key_of

# Another worker changed the row meanwhile: start over soon with what it wrote.
_CONFLICT_DELAY = 2.0
# The partition of the principals; those of the identities are subscription ids.
_PRINCIPALS = "principal"
# Keeps the order of decisions that one process takes within the same microsecond.
_sequence = itertools.count()


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """What the ledger knows of one resource. `row` is the version it was read at (None: new).

    `attachments` were made by Lanyard; `dedicated` are identities made for this resource alone.
    `grants` are claimed and assigned, `pending` ones intended and not yet confirmed.
    `system_principals` are object ids seen as its system-assigned identity and not yet looked
    after; `gone_at` maps those found gone to the moment (seconds since the epoch). `held` is a
    digest of the held actions last recorded, so that the same refusal is recorded once.
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
class Decision:
    """One line of the record. `outcome`: "intended", "done", "held", "failed" or "later".

    `assignment` is the whole role assignment of a removal, as ARM returned it.
    """

    resource: str
    action: str
    outcome: str
    reason: str = ""
    rules: tuple[str, ...] = ()
    cause: Mapping[str, str] = field(default_factory=dict)  # the event that led to it
    assignment: Mapping[str, object] | None = None


def _conflict(resource: ResourceId) -> Temporary:
    return Temporary(f"{resource} is being reconciled by another worker", _CONFLICT_DELAY)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """Reads and writes of the three tables. Temporary is raised where another worker was first."""

    def __init__(
        self,
        resources: Table,
        identities: Table,
        decisions: Table,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._resources = resources
        self._identities = identities
        self._decisions = decisions
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
            found = _record(row).id
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

    async def principal(self, identity: ResourceId) -> str | None:
        """The object id of a user-assigned identity, where it is known."""
        row = await self._identities.get(identity.subscription, key_of(identity.key))
        return None if row is None else row.values["principalId"]

    async def principal_gone_at(self, identity: ResourceId, now: float) -> float:
        """When the principal on record was first found gone: `now`, if this is the first time."""
        row = await self._identities.get(identity.subscription, key_of(identity.key))
        if row is None:
            return now
        if "goneAt" not in row.values:
            try:
                row = await self._identities.replace(row, {**row.values, "goneAt": str(now)})
            except RowChanged as error:
                raise _conflict(identity) from error
        return float(row.values["goneAt"])

    async def having(self, identity: ResourceId) -> AsyncIterator[ResourceId]:
        """The resources that Lanyard attached an identity to, in any subscription."""
        async for record in self.records():
            if identity in record.attachments:
                yield record.id

    async def forget_principal(self, identity: ResourceId) -> None:
        """Forget the object id of an identity that turned out to be gone."""
        await self._identities.delete(identity.subscription, key_of(identity.key))

    async def learn_principal(self, identity: ResourceId, principal_id: str) -> None:
        """Remember the object id of a user-assigned identity."""
        values = {"id": identity.text, "principalId": principal_id, "seenAt": self._stamp()}
        await self._identities.put(identity.subscription, key_of(identity.key), values)

    async def holder(self, principal_id: str) -> str:
        """The resource (lower-case id) that a system-assigned principal was last seen on, or ""."""
        row = await self._identities.get(_PRINCIPALS, principal_id)
        return "" if row is None else row.values["resource"]

    async def learn_holder(self, principal_id: str, resource: ResourceId) -> None:
        """Remember where a system-assigned principal was seen: a move takes it along."""
        values = {"resource": resource.key, "seenAt": self._stamp()}
        await self._identities.put(_PRINCIPALS, principal_id, values)

    async def forget_holder(self, principal_id: str) -> None:
        """Forget a principal that is gone and left nothing."""
        await self._identities.delete(_PRINCIPALS, principal_id)

    async def decide(self, decision: Decision) -> None:
        """Append to the record: a row a decision, by day, latest last."""
        moment = self._now()
        values = {
            "at": moment.isoformat(),
            "resource": decision.resource,
            "action": decision.action,
            "outcome": decision.outcome,
            "reason": decision.reason,
            "rules": json.dumps(decision.rules),
            "cause": json.dumps(dict(decision.cause)),
        }
        if decision.assignment is not None:
            values["assignment"] = json.dumps(dict(decision.assignment))
        key = f"{moment:%H%M%S.%f}-{next(_sequence):08d}-{uuid4()}"
        await self._decisions.insert(f"{moment:%Y-%m-%d}", key, values)

    async def decisions(self, day: datetime) -> AsyncIterator[Mapping[str, str]]:
        """The decisions of one day (UTC), oldest first."""
        async for row in self._decisions.rows(f"{day:%Y-%m-%d}"):
            yield row.values

    def _stamp(self) -> str:
        return self._now().isoformat()


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
    }


def _record(row: Row) -> ResourceRecord:
    values = row.values
    return ResourceRecord(
        ResourceId.parse(values["id"]),
        frozenset(ResourceId.parse(text) for text in json.loads(values["attachments"])),
        frozenset(Grant(**grant) for grant in json.loads(values["grants"])),
        frozenset(Grant(**grant) for grant in json.loads(values["pending"])),
        frozenset(json.loads(values["systemPrincipals"])),
        json.loads(values["goneAt"]),
        values["instancesLag"] == "True",
        frozenset(ResourceId.parse(text) for text in json.loads(values["dedicated"])),
        values["held"],
        row,
    )


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
