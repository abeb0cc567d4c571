"""Reads why role assignments are there: from each to the claims on it, the rules that ask, and the
event that led to it. Everything is read, nothing changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lanyard.cli.explain.waits import Waits
from lanyard.cli.explain.why import Claim, Why
from lanyard.cli.frame.connect import App
from lanyard.cli.frame.short_ids import is_about
from lanyard.desk.worth_a_look import standing_otherwise
from lanyard.planning.actions import ReleaseGrant, RevokeUnclaimed
from lanyard.planning.desired import Desired, WantedGrant, desired
from lanyard.planning.needs import needs_grant
from lanyard.planning.orphans import held_once_gone
from lanyard.policy import Policy
from lanyard.record.decisions import Recorded
from lanyard.record.held import Entry
from lanyard.record.ledger import ResourceRecord
from lanyard.record.rows import DamagedRow
from lanyard.values.compute import ComputeResource, SystemAssigned
from lanyard.values.errors import LanyardError
from lanyard.values.grants import Grant, RoleAssignment, Standing
from lanyard.values.listed import ListedRole
from lanyard.values.resource_id import ResourceId, folded, subscription_of
from lanyard.values.roles import role_name

#: Of the resources that claim one assignment, so many are read.
MOST_CLAIMS = 10
_LOOK_BACK = timedelta(days=31)


@dataclass(slots=True, kw_only=True)
class Explainer:
    """Explains several assignments; what they share is read once."""

    app: App
    policy: Policy
    #: Rows that cannot be read: what they are about may be Lanyard's all the same.
    damaged: list[DamagedRow] = field(default_factory=list)
    #: By the folded ids of the assignments.
    _standing: dict[str, Standing] | None = None
    _resources: dict[ResourceId, ComputeResource | None] = field(default_factory=dict)
    #: Of the last weeks, what is about grants.
    _record: list[Recorded] | None = None
    _waits: Waits | None = None
    #: Roles that can be assigned in each subscription, by GUID.
    _roles: dict[ResourceId, Mapping[str, ListedRole]] = field(default_factory=dict)
    #: The principals that Lanyard saw alive.
    _seen: frozenset[str] | None = None

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

    async def assignments_named(self, name: str) -> list[str]:
        """The ids of the role assignments of this name (GUID, lower case): those that Resource
        Graph lists, and those on record, which it may not list yet.
        """
        on_record = {one for one in await self._all_standing() if one.endswith(f"/{name}")}
        listed = await self.app.reading.inventory.assignments_named(name)
        return sorted(on_record | set(map(folded, listed)))

    async def past_called(self, name: str) -> list[ResourceId]:
        """The resources of this name, or shown so, about which something was decided lately."""
        record = self.app.decisions().between(*self._lately())
        past = {one.decision.resource async for one in record if one.decision.resource}
        return sorted({ResourceId.parse(one) for one in past if is_about(one, name)})

    async def of_assignment(self, assignment_id: str) -> Why | None:
        """One assignment; None for one that is not there."""
        found = await self.app.azure.assignments.read(assignment_id)
        return None if found is None else await self.explain(found)

    async def explain(self, assignment: RoleAssignment, having: tuple[ResourceId, ...] = ()) -> Why:
        """The chain behind an assignment. `having`: resources of which it is known that they have
        its principal.
        """
        role = await self._role(assignment)
        standing = (await self._all_standing()).get(folded(assignment.id))
        if standing is None:
            otherwise = await self._otherwise(assignment, having)
            held = await self._held_once_gone(assignment)
            return Why(assignment=assignment, role=role, otherwise=otherwise, held=held)
        shown = standing.claimants[:MOST_CLAIMS]
        claims = [await self._claim(standing.grant, one) for one in shown]
        return Why(
            assignment=assignment,
            role=role,
            standing=standing,
            claims=tuple(claims),
            more=len(standing.claimants) - len(shown),
            kept_by=await self.app.claims().kept(standing.grant),
            otherwise=await self._otherwise(assignment, (*having, *shown)),
            held=await self._held(standing, assignment),
        )

    async def _role(self, assignment: RoleAssignment) -> str:
        """The name of its role, of a custom one, too; the GUID where it cannot be read."""
        role, where = assignment.role_id, subscription_of(assignment.scope)
        if (name := role_name(role)) != role or where is None:
            return name
        if where not in self._roles:
            try:
                self._roles[where] = await self.app.reading.rights.roles(where)
            except LanyardError:
                self._roles[where] = {}
        listed = self._roles[where].get(role)
        return role if listed is None else listed.name or role

    async def waits(self) -> Waits:
        """What is held, and what would be."""
        if self._waits is None:
            held = [entry async for entry in self.app.held().all(self.damaged)]
            pause = await self.app.kill_switch().read()
            self._waits = Waits(tuple(held), pause, self.policy)
        return self._waits

    async def held_of(self, resource: ResourceId) -> tuple[Entry, ...]:
        """What is held of a resource."""
        return (await self.waits()).of(resource)

    async def held_about(
        self, principal: str, identity: ResourceId | None = None
    ) -> tuple[Entry, ...]:
        """What is held that is about a principal (object id), or an identity that has it."""
        return (await self.waits()).about(principal, identity)

    async def _held(self, standing: Standing, assignment: RoleAssignment) -> str:
        """Why one without claims, or of others, stays."""
        if standing.ours:
            return (await self.waits()).why(RevokeUnclaimed(standing.grant))
        return await self._held_once_gone(assignment)

    async def _held_once_gone(self, assignment: RoleAssignment) -> str:
        principal = assignment.principal_id
        is_seen, orders = principal in await self._all_seen(), (await self.waits()).orders
        return held_once_gone(assignment.scope, principal, self.policy, orders, seen=is_seen)

    async def _all_seen(self) -> frozenset[str]:
        """The principals that Lanyard saw alive, by its record."""
        if self._seen is None:
            ledger = self.app.services().identity_ledger
            holders = [principal async for principal, _ in ledger.holders(self.damaged)]
            identities = [one async for one in ledger.identities(self.damaged)]
            self._seen = frozenset(holders).union(*(one.left() for one in identities))
        return self._seen

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
        held = (await self.waits()).why(ReleaseGrant(grant), resource)
        if found is None:
            return Claim(resource=resource, exists=False, decision=decision, held=held)
        wanted = desired(self.policy, found)
        keeps = needs_grant(wanted, found, {}, grant)
        return Claim(
            resource=resource,
            exists=True,
            rules=_rules(wanted, found, grant),
            decision=decision,
            kept_by=wanted.kept.excluding if keeps else (),
            perhaps=wanted.kept.undecided if keeps else (),
            held=held,
        )

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
            record = self.app.decisions().between(*self._lately())
            self._record = [one async for one in record if one.decision.grant]
        return self._record

    def _lately(self) -> tuple[datetime, datetime]:
        """What is read of the record."""
        now = self.app.time() + timedelta(hours=1)
        return now - _LOOK_BACK, now

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
