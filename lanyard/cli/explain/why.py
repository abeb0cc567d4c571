"""Why a role assignment is there: from it to the claims on it, the rules that ask, the event that
led to it, and what would have to change for it to go. Everything is read, nothing changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from lanyard.cli.frame.connect import App
from lanyard.desk.worth_a_look import standing_otherwise
from lanyard.planning.desired import Desired, WantedGrant, desired
from lanyard.planning.needs import needs_grant
from lanyard.policy import Policy
from lanyard.record.decisions import Recorded
from lanyard.record.ledger import ResourceRecord
from lanyard.record.rows import DamagedRow
from lanyard.values.compute import ComputeResource, SystemAssigned
from lanyard.values.grants import Grant, RoleAssignment, Standing, State
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.stamps import Stamp

#: Of the resources that claim one assignment, so many are read.
MOST_CLAIMS = 10
_NOT_OURS = (
    "Lanyard did not make it and leaves it alone; whoever made it may delete it; it is cleaned up "
    "when its principal exists neither in ARM nor in the directory any more"
)
_LOOK_BACK = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Claim:
    """A resource needs the assignment. `rules` are those of the policy that ask for it now,
    `kept_by` those that exclude the resource, which keeps it; `decision` is what gave it to the
    resource, where the record still has it.
    """

    resource: ResourceId
    exists: bool
    rules: tuple[str, ...]
    decision: Recorded | None = None
    kept_by: tuple[str, ...] = ()
    #: Of which it is not known whether they are for the resource, which keeps it meanwhile.
    perhaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """One role assignment. `standing` is what Lanyard has on record of it, if it has anything;
    `kept_by` is who had its removal undone. `more` claims were not read. `otherwise`: what `plan`
    says where a rule asks for it on another condition; "" where none does.
    """

    assignment: RoleAssignment
    standing: Standing | None
    claims: tuple[Claim, ...] = ()
    more: int = 0
    kept_by: str = ""
    otherwise: str = ""

    @property
    def lanyards(self) -> bool:
        """Whether Lanyard made it, or it was adopted."""
        return self.standing is not None and self.standing.ours

    @property
    def adopted(self) -> bool:
        """Whether somebody else made it, and a person had it adopted."""
        stamp = Stamp.of(self.assignment.description)
        return self.lanyards and stamp is not None and stamp.adoption is not None

    @property
    def condition_changed(self) -> bool:
        """Whether somebody changed the condition under which Lanyard gave it."""
        if self.standing is None or not self.standing.ours:
            return False
        given = self.standing.state is State.ACTIVE
        return given and not self.assignment.serves(self.standing.grant)

    def ways_out(self) -> list[str]:
        """What would have to change for it to go, in words."""
        kept = f"{self.kept_by} has to withdraw the undo: lanyard undo --withdraw DECISION"
        if not self.lanyards:
            return [kept if self.kept_by else _NOT_OURS]
        ways = [_way_out(claim) for claim in self.claims]
        if self.more:
            ways.append(f"{self.more} more resources have to give it up")
        if self.kept_by:
            ways.append(kept)
        return ways or ["nothing claims it: the next sweep removes it"]


def _way_out(claim: Claim) -> str:
    if not claim.exists:
        return f"{claim.resource} is gone: its claim is released when it is looked at"
    if not claim.rules and claim.kept_by:
        rules = " and ".join(f"'{rule}'" for rule in claim.kept_by)
        return (
            f"{claim.resource} is deleted, or rule {rules} excludes {claim.resource} no more: its "
            "match passes it by"
        )
    if not claim.rules and claim.perhaps:
        rules = " and ".join(f"'{rule}'" for rule in claim.perhaps)
        return (
            f"{claim.resource} is deleted, or a sweep finds that rule {rules} is not for its "
            "subscription, whose name or management groups are not known"
        )
    if not claim.rules:
        return f"no rule asks for it for {claim.resource} any more: its claim is being released"
    rules = " and ".join(f"'{rule}'" for rule in claim.rules)
    return f"{claim.resource} is deleted, or rule {rules} is no longer for it or gives less"


@dataclass(slots=True)
class Explainer:
    """Explains several assignments; what they share is read once."""

    app: App
    policy: Policy
    #: Rows that cannot be read: what they are about may be Lanyard's all the same.
    damaged: list[DamagedRow] = field(default_factory=list)
    _standing: dict[str, Standing] | None = None
    _resources: dict[ResourceId, ComputeResource | None] = field(default_factory=dict)
    _record: list[Recorded] | None = None

    async def resource(self, resource: ResourceId) -> ComputeResource | None:
        """The resource as ARM has it now; None for one that is gone."""
        if resource not in self._resources:
            self._resources[resource] = await self.app.azure.compute.read(resource)
        return self._resources[resource]

    async def record(self, resource: ResourceId) -> ResourceRecord:
        """What is on record of it; nothing where that cannot be read."""
        try:
            return await self.app.ledger().resource(resource)
        except DamagedRow as damage:
            self.damaged.append(damage)
            return ResourceRecord(id=resource)

    async def of_principals(self, principals: Iterable[str], resource: ResourceId) -> list[Why]:
        """The assignments that these, which the resource has, hold at, above and below its
        subscription.
        """
        assignments = self.app.azure.assignments
        found = [
            each
            for principal in principals
            for each in await assignments.of_principal(principal, resource.subscription)
        ]
        return [await self.explain(each, (resource,)) for each in found]

    async def of_principal_anywhere(self, principal: str) -> list[Why]:
        """The assignments that it holds anywhere, as Resource Graph lists them."""
        ids = await self.app.azure.index.assignments_of(principal)
        return [why for each in ids if (why := await self.of_assignment(each)) is not None]

    async def of_assignment(self, assignment_id: str) -> Why | None:
        """One assignment; None for one that is not there."""
        found = await self.app.azure.assignments.read(assignment_id)
        return None if found is None else await self.explain(found)

    async def explain(self, assignment: RoleAssignment, having: tuple[ResourceId, ...] = ()) -> Why:
        """The chain behind an assignment. `having`: resources of which it is known that they have
        its principal.
        """
        standing = (await self._all_standing()).get(folded(assignment.id))
        if standing is None:
            return Why(assignment, None, otherwise=await self._otherwise(assignment, having))
        shown = standing.claimants[:MOST_CLAIMS]
        claims = [await self._claim(standing.grant, one) for one in shown]
        return Why(
            assignment,
            standing,
            tuple(claims),
            more=len(standing.claimants) - len(shown),
            kept_by=await self.app.claims().kept(standing.grant),
            otherwise=await self._otherwise(assignment, (*having, *shown)),
        )

    async def _otherwise(self, assignment: RoleAssignment, having: Iterable[ResourceId]) -> str:
        """By the first of these for which a rule asks for it on another condition."""
        stands = Grant(*assignment.content, assignment.condition)
        for one in having:
            found = await self.resource(one)
            wanted = found and _asking(desired(self.policy, found), found, stands)
            # Where two rules contradict each other, what stands stays.
            if wanted and not wanted.contradicted:
                asked = wanted.granted(stands.principal_id)
                if note := standing_otherwise(asked, stands.condition):
                    return note
        return ""

    async def _claim(self, grant: Grant, resource: ResourceId) -> Claim:
        found = await self.resource(resource)
        decision = await self._decision(grant, resource)
        if found is None:
            return Claim(resource, False, (), decision)
        wanted = desired(self.policy, found)
        keeps = needs_grant(wanted, found, {}, grant)
        kept_by = wanted.kept.excluding if keeps else ()
        perhaps = wanted.kept.undecided if keeps else ()
        return Claim(resource, True, _rules(wanted, found, grant), decision, kept_by, perhaps)

    async def _decision(self, grant: Grant, resource: ResourceId) -> Recorded | None:
        """What gave the role to the resource last."""
        for recorded in reversed(await self._recent()):
            decision = recorded.decision
            named = folded(decision.resource) == resource.key
            if named and decision.outcome == "done" and decision.grant == grant.name:
                return recorded
        return None

    async def _recent(self) -> list[Recorded]:
        if self._record is None:
            now = self.app.time() + timedelta(hours=1)
            record = self.app.decisions().between(now - _LOOK_BACK, now)
            self._record = [one async for one in record if one.decision.grant]
        return self._record

    async def _all_standing(self) -> dict[str, Standing]:
        if self._standing is None:
            found = [one async for one in self.app.claims().standing(self.damaged)]
            self._standing = {folded(one.assignment_id): one for one in found}
        return self._standing


def _rules(desired: Desired, resource: ComputeResource, grant: Grant) -> tuple[str, ...]:
    """The rules that ask for just this grant for the resource."""
    wanted = _asking(desired, resource, grant)
    return () if wanted is None else wanted.rules


def _asking(desired: Desired, resource: ComputeResource, grant: Grant) -> WantedGrant | None:
    """What the rules ask for the resource that is this grant, on whichever condition."""
    for wanted in desired.grants:
        same = wanted.granted(grant.principal_id).key == grant.key
        if same and principal_of(resource, wanted.to) in (grant.principal_id, None):
            return wanted
    return None


def principal_of(resource: ComputeResource, to: object) -> str | None:
    """The principal that an identity of the resource shows, as far as it shows one."""
    if isinstance(to, SystemAssigned):
        return resource.identity.system_principal_id
    return resource.identity.user_assigned.get(getattr(to, "id", resource.id))
