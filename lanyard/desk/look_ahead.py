"""What a reconcile would do to a resource: read, desired, plan and guard, and nothing is changed.

Without the record of a deployed app what stands already is asked of ARM, and what Lanyard would
take away cannot be known.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from lanyard.desk.standing_grants import Standing
from lanyard.desk.worth_a_look import worth_a_look
from lanyard.planning.actions import ReplaceIdentity, changes_identity
from lanyard.planning.desired import Desired
from lanyard.planning.guard import guard
from lanyard.planning.kept_conditions import beside_what_is_kept
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Situation, Verdict
from lanyard.policy import Policy
from lanyard.ports.azure import Assignments, Compute, Identities
from lanyard.reconcile.decide import AT_WORK, Precedents, consider
from lanyard.reconcile.principals import AskedOnce, Principals, RecordedOnce
from lanyard.reconcile.wanted import wanted_for
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be done to `resource`: the plan, and the guard's verdict on each action."""

    resource: ComputeResource
    wanted: Desired
    plan: Plan
    verdict: Verdict
    #: What a person should know of what is allowed.
    warnings: tuple[str, ...] = ()

    @property
    def restarts(self) -> bool:
        """Whether what is allowed restarts the app."""
        kind = compute_type(self.resource.id.type)
        changes = any(changes_identity(action) for action in self.verdict.allowed)
        return kind is not None and kind.restarts and changes

    @property
    def replaces(self) -> bool:
        """Whether what is allowed takes the place of the one identity that the resource has."""
        return any(isinstance(action, ReplaceIdentity) for action in self.verdict.allowed)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of what is given, and of what Lanyard leaves alone."""
        wanted = self.wanted
        if self.resource.kubelet is None or not (wanted.identities or wanted.system):
            return self.warnings
        return (
            *self.warnings,
            f"its nodes use the kubelet identity {self.resource.kubelet}, which is the cluster's "
            "own: Lanyard does not change it; give pods theirs by workload identity",
        )

    @property
    def at_work(self) -> str:
        """The provisioning state in which Lanyard would wait first, or ""."""
        state = self.resource.provisioning_state
        return state if state.lower() in AT_WORK else ""


def look_ahead(resource: ComputeResource, todo: Plan, situation: Situation) -> Preview:
    """Guard the plan, and say what of it is worth a look. Pure."""
    verdict = guard(todo, situation)
    warnings = tuple(worth_a_look(verdict.allowed, situation))
    return Preview(resource, situation.desired, todo, verdict, warnings)


#: Reads the record of a resource. Raises Temporary, and DamagedRow for one that cannot be read.
type ReadRecord = Callable[[ResourceId], Awaitable[ResourceRecord]]


async def no_record(resource: ResourceId) -> ResourceRecord:
    """Where none is at hand: nothing is known to be Lanyard's."""
    return ResourceRecord(id=resource)


class Previewer:
    """Looks ahead for many resources; what they share is asked for once."""

    def __init__(
        self,
        policy: Policy,
        compute: Compute,
        identities: Identities,
        assignments: Assignments,
        own_principal: str = "",
        record: ReadRecord = no_record,
    ) -> None:
        """`own_principal`: the object id of the app's identity, "" where it is not known."""
        self._record = record
        self._policy = policy
        self._precedents = Precedents(own_principal=own_principal)
        self._compute = compute
        self._assignments = assignments
        self._standing = Standing(assignments)
        self._principals = Principals(
            AskedOnce(identities), RecordedOnce(None), assignments.installation
        )

    async def preview(self, resource: ResourceId) -> Preview | None:
        """What would be done to the resource; None where there is none of that id.

        Raises Temporary, Permanent.
        """
        current = await self._compute.read(resource)
        if current is None:
            return None
        record = await self._record(resource)
        wanted = wanted_for(self._policy, record, current)
        behind = await self._principals.known(wanted, current)
        standing = await self._standing.of(wanted, behind.principals)
        owned = replace(record.owned(), grants=record.grants | standing)
        wanted = beside_what_is_kept(wanted, owned.claimed, behind.principals)
        actual = await self._principals.actual(current, wanted, behind, record.dedicated)
        todo, situation = await consider(
            self._policy, wanted, actual, owned, self._assignments, self._precedents
        )
        return look_ahead(current, todo, situation)
