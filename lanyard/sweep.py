"""The whole estate, looked over: what events did not tell is found here, and put on the same queue.

Resource Graph gives every resource with its identity, a thousand a page; the ledger gives what is
known. A resource whose plan is not empty, and one that the ledger knows and the listing does not
hold, is put on the queue, and so is every resource whose grant someone deleted. Nothing is decided
here: whoever takes the message reads it fresh.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from lanyard.desired import desired
from lanyard.errors import Temporary
from lanyard.guard import Situation, guard
from lanyard.ledger import ResourceRecord
from lanyard.model import (
    Change,
    ComputeResource,
    Grant,
    ResourceId,
)
from lanyard.plan import Actual, plan
from lanyard.policy import Policy
from lanyard.principals import AskedOnce, known_principals
from lanyard.services import Services

#: Puts a change on the queue of work.
type Enqueue = Callable[[Change], Awaitable[None]]

_UNTRUSTED_DELAY = 300.0


@dataclass(frozen=True, slots=True)
class SweepReport:
    """Counts of one sweep: resources listed, of them not as desired, known but not listed; and
    grants of ours whose assignment is gone.
    """

    listed: int
    drifted: int
    missing: int
    deleted_grants: int


@dataclass(slots=True)
class Sweep:
    """One sweep. Make one a run."""

    policy: Policy
    services: Services
    enqueue: Enqueue
    _seen: AskedOnce = field(init=False)

    def __post_init__(self) -> None:
        """Many resources share an identity: the ledger and ARM are asked once a sweep for each."""
        self._seen = AskedOnce(self.services.identities, self.services.ledger)

    async def run(self) -> SweepReport:
        """Look over everything. Raises Temporary, Permanent where a listing fails.

        Then only resources that were listed were put on the queue: what a broken listing does not
        hold is not taken for missing.
        """
        services = self.services
        unseen = {record.id: record async for record in services.ledger.records()}
        types = self.policy.types() | {record.type.lower() for record in unseen}
        listed = drifted = 0
        async for resource in services.index.resources(types):
            listed += 1
            record = unseen.pop(resource.id, ResourceRecord(resource.id))
            if await self._needs_a_look(resource, record):
                drifted += 1
                await self.enqueue(Change(resource.id, "sweep"))
        for missing in sorted(unseen):
            await self.enqueue(Change(missing, "sweep"))
        return SweepReport(listed, drifted, len(unseen), await self._deleted_grants())

    async def _deleted_grants(self) -> int:
        """Open the grants whose assignment is gone again, and look at who claims them.

        Resource Graph lags behind, so what it does not list is read from ARM before it counts.
        """
        listed, deleted = await self.services.index.assignments(), 0
        async for grant, claimants in self.services.claims.standing():
            if not listed:
                raise Temporary("Resource Graph lists no role assignment at all", _UNTRUSTED_DELAY)
            if grant.assignment_id.lower() in listed:
                continue
            if await self.services.assignments.read(grant.assignment_id) is None:
                deleted += 1
                await self._reopen(grant, claimants)
        return deleted

    async def _reopen(self, grant: Grant, claimants: Sequence[ResourceId]) -> None:
        ledger = self.services.ledger
        for resource in claimants:
            record = await ledger.resource(resource)
            kept = {known for known in record.grants if known.name != grant.name}
            if len(kept) < len(record.grants):
                pending = record.pending | {grant}
                await ledger.save(replace(record, grants=frozenset(kept), pending=pending))
        await self.services.claims.reopen(grant)
        for resource in claimants:
            await self.enqueue(Change(resource, "sweep"))

    async def _needs_a_look(self, resource: ComputeResource, record: ResourceRecord) -> bool:
        """Whether anything would be done, as far as the listing and the ledger tell."""
        present = resource.identity.system_principal_id
        if present is not None and present not in record.system_principals:
            return True
        wanted = desired(self.policy, resource)
        principals = await known_principals(wanted, resource, self._seen, self._seen)
        todo = plan(wanted, Actual(resource, principals), record.owned())
        # Custom roles are not looked up here: at worst a message is too many, never one too few.
        verdict = guard(todo, Situation(self.policy, wanted, resource))
        return bool(verdict.allowed)


def describe(report: SweepReport) -> str:
    """One line for the log."""
    parts: Iterable[str] = (
        f"{report.listed} resources listed",
        f"{report.drifted} not as desired",
        f"{report.missing} known and not listed",
        f"{report.deleted_grants} grants deleted by others",
    )
    return "sweep: " + ", ".join(parts)
