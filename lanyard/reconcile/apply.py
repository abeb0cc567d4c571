"""Does what the guard allowed: intent on record first, then Azure, then the outcome on record.

Additions come first, removals (apply_removals.py) last. One failed action never stops the others.
What fails is an Outcome; the caller decides when to come back.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DetachIdentity,
    ReattachIdentity,
    ReplaceIdentity,
    UpgradeInstances,
    changes_identity,
    gives_identity,
    is_removal,
    takes_from_resource,
)
from lanyard.planning.attempts import as_ended
from lanyard.planning.outcomes import Outcome, attempt, failed, only
from lanyard.reconcile.additions import giving
from lanyard.reconcile.apply_removals import REPLAN_DELAY, RemovalSteps
from lanyard.reconcile.dangling import References
from lanyard.reconcile.identity_writes import IdentityWrites
from lanyard.reconcile.made_identities import MadeIdentities
from lanyard.reconcile.make_before_break import not_lost, not_waiting
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.recording import Recorder
from lanyard.reconcile.services import Services
from lanyard.reconcile.settled import Done, settled
from lanyard.record.claims import Result
from lanyard.record.identities import IdentityLedger
from lanyard.values.compute import (
    ComputeResource,
    ManagedIdentity,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.errors import ComesWith, NoIdentity, Permanent, Refused, Temporary
from lanyard.values.grants import Grant
from lanyard.values.own_identity import made_for
from lanyard.values.resource_id import ResourceId


async def apply(
    actions: Sequence[Action], services: Services, progress: Progress, recorder: Recorder
) -> None:
    """Carry the actions out: each is on record before anything is done, and its outcome after.

    `progress` has what became of them. Raises Temporary, Permanent where the record cannot be
    written.
    """
    await recorder.intended(actions)
    try:
        await Application(services, progress).run(actions)
    finally:
        await recorder.outcomes(progress.outcomes, progress.effects)


async def see(principal_id: str, holders: IdentityLedger, progress: Progress) -> None:
    """Put a system-assigned principal on record: a delete event carries none."""
    record = progress.record
    if principal_id not in record.system_principals:
        await holders.learn_holder(principal_id, record.id)
        seen = record.system_principals | {principal_id}
        await progress.save(replace(record, system_principals=seen))


@dataclass(frozen=True, slots=True)
class Application:
    """The actions of one plan, carried out."""

    services: Services
    progress: Progress

    async def run(self, actions: Iterable[Action]) -> None:
        """Carry the actions out: additions first, removals only when none of those failed."""
        progress, todo = self.progress, list(actions)
        additions = [action for action in todo if not is_removal(action)]
        async with giving(additions, self.services.additions, progress) as within:
            await MadeIdentities(self.services, progress).make(only(CreateIdentity, within))
            await self._give(within)
        upgrades = only(UpgradeInstances, additions)
        await self._upgrade(upgrades)
        removals = not_waiting([action for action in todo if is_removal(action)], progress)
        removals = await not_lost(removals, progress, self.services)
        if await self._detach(only(DetachIdentity, removals), upgrade=bool(upgrades)):
            await self._upgrade(upgrades)
        rest = self._unless_lost([a for a in removals if not isinstance(a, DetachIdentity)])
        await RemovalSteps(self.services, progress).run(rest)
        await self._settle()

    def _unless_lost(self, removals: Sequence[Action]) -> list[Action]:
        """An identity that the resource is due turned out to be missing: nothing more is taken from
        it before that was looked at.
        """
        progress = self.progress
        lost = [one for one in progress.gone_identities if UserAssigned(one) in progress.principals]
        if not lost:
            return list(removals)
        taking = [action for action in removals if takes_from_resource(action)]
        failure = Temporary(f"{lost[0]} is not there any more: planned again", REPLAN_DELAY)
        progress.outcomes += failed(taking, failure)
        return [action for action in removals if action not in taking]

    async def _give(self, additions: Sequence[Action]) -> None:
        """Identities and roles, side by side; roles of an identity that is being attached after it,
        and only where it was: nobody would use them.

        What takes the place of another identity comes when all else is there, its roles too.
        """
        additions = await self._confirmed(additions)
        known = self.progress.principals
        attaching = {UserAssigned(a.id) for a in only(AttachIdentity, additions)}
        ready = [a for a in only(AssignRole, additions) if a.to in known and a.to not in attaching]
        await self._intend(additions, ready)
        await asyncio.gather(self._change_identity(additions), *(self._assign(a) for a in ready))
        for replacement in only(ReplaceIdentity, not_waiting(additions, self.progress)):
            await self._replace(replacement)
        late = self._of_attached([a for a in only(AssignRole, additions) if a not in ready])
        await self._intend([], [a for a in late if a.to in known])
        await asyncio.gather(*(self._assign(a) for a in late))

    async def _confirmed(self, additions: Sequence[Action]) -> Sequence[Action]:
        """One that was seen before is read again: one body alone shows that it has not what is to
        be attached, and what it had all the time would be Lanyard's.
        """
        progress, changes = self.progress, any(map(changes_identity, additions))
        if progress.resource is None or not progress.seen_before or not changes:
            return additions
        try:
            progress.resource = await self.services.compute.unchanged(progress.resource)
        except (Temporary, Permanent) as failure:
            # What was planned on a body that is no more is not done, its roles neither.
            elsewhere = (CreateIdentity, UpgradeInstances)
            progress.outcomes += failed(
                [a for a in additions if not isinstance(a, elsewhere)], failure
            )
            return []
        return additions

    def _of_attached(self, assigns: Sequence[AssignRole]) -> list[AssignRole]:
        """Without the roles of what could not be attached, which wait for it."""
        failures: dict[PrincipalRef, Temporary | Permanent] = {
            UserAssigned(o.action.id): o.failure
            # What is given up now is waited for no more.
            for o in as_ended(self.progress.outcomes, self.progress.change)
            if isinstance(o.action, AttachIdentity) and o.failure is not None
        }
        waiting = [a for a in assigns if a.to in failures and a.to in self.progress.principals]
        for action in waiting:
            missing = _not_attached(action, failures[action.to])
            self.progress.outcomes.append(Outcome(action, failure=missing))
        return [action for action in assigns if action not in waiting]

    async def _replace(self, replacement: ReplaceIdentity) -> None:
        progress = self.progress
        if progress.resource is None:
            return
        if isinstance(replacement.new, UserAssigned):
            await progress.save(
                progress.record.attaching([replacement.new.id], self.services.now())
            )
        writes = self._writes(progress.resource)
        await self._written(writes, [await writes.replace(replacement)])

    async def _detach(self, detaches: Sequence[DetachIdentity], *, upgrade: bool) -> bool:
        """Returns whether there was any; `upgrade`: instances are to be brought up to it."""
        progress = self.progress
        if progress.resource is None:
            return False
        attached = progress.resource.identity.user_assigned
        still = [action for action in detaches if action.id in attached]
        progress.outcomes += [Outcome(a, "it was replaced") for a in detaches if a not in still]
        if still:
            record = progress.record
            lag = record.instances_lag or upgrade
            # A person may have left to others meanwhile what is to go.
            await progress.save(replace(record, instances_lag=lag), anew=True)
            writes = self._writes(progress.resource)
            progress.outcomes += await writes.detach(still)
            progress.resource = writes.resource
            progress.gone_identities += writes.lost
        return bool(still)

    async def _intend(self, todo: Sequence[Action], assigns: Sequence[AssignRole]) -> None:
        """Write ahead: after a crash the next reconcile knows what may have been begun."""
        record = self.progress.record
        now = self.services.now()
        # The second half of a repair leaves an attachment to whoever made it; one whose identity
        # could not be made is not attempted.
        begun = only(AttachIdentity, self._writable(todo))
        attaches = [action.id for action in begun if not action.in_repair]
        self.progress.newly_attached.update(set(attaches) - record.attachments.keys())
        repairs = {action.id for action in only(ReattachIdentity, todo)}
        intended = replace(
            record.attaching(attaches, now),
            in_repair=record.in_repair | repairs,
            pending=record.pending | {self._grant(action) for action in assigns},
            instances_lag=record.instances_lag or self._leaves_instances_behind(todo),
        )
        await self.progress.save(intended)

    async def _settle(self) -> None:
        progress, resource = self.progress, self.progress.resource
        progress.outcomes[:] = as_ended(progress.outcomes, progress.change)
        done = Done(
            tuple(progress.outcomes),
            frozenset(progress.granted.values()),
            progress.principals,
            resource.identity.user_assigned.keys() if resource is not None else frozenset(),
            progress.newly_attached,
        )
        gone = progress.resource is None
        after = settled(progress.record, done, gone=gone)
        given_by = progress.givers(progress.principals, after.owned())
        await progress.save(replace(after, given_by=given_by))

    async def _change_identity(self, additions: Sequence[Action]) -> None:
        progress, changes = self.progress, self._not_repaired(self._writable(additions))
        if not changes or progress.resource is None:
            return
        writes = self._writes(progress.resource)
        await self._written(writes, await writes.add(changes))

    async def _written(self, writes: IdentityWrites, outcomes: list[Outcome]) -> None:
        """Go on from the resource as it is after these writes."""
        progress = self.progress
        progress.gone_identities += writes.gone
        if writes.resource is not progress.resource:
            # Its last change is Lanyard's own, and was seen.
            seen = progress.record.life.shown(self.services.now())
            progress.record = replace(progress.record, life=seen)
        progress.resource = writes.resource
        try:
            await self._learn(writes.resource)
        except (Temporary, Permanent) as surprise:
            outcomes = [o if o.failure else Outcome(o.action, failure=surprise) for o in outcomes]
        progress.outcomes += outcomes

    def _writes(self, resource: ComputeResource) -> IdentityWrites:
        services = self.services
        presence = services.identity_presence
        references = References(services.identities, presence, services.directory)
        due = (to.id for to in self.progress.principals if isinstance(to, UserAssigned))
        return IdentityWrites(
            compute=services.compute,
            identities=services.identities,
            references=references,
            removals=self.progress.removals,
            resource=resource,
            wanted=frozenset(due),
        )

    def _writable(self, todo: Sequence[Action]) -> list[Action]:
        """What goes into one write. Identities that could not be made are left out; their failure
        is on record already.
        """
        made = self.progress.principals
        missing = {a.id for a in only(CreateIdentity, todo) if UserAssigned(a.id) not in made}
        return [
            action
            for action in todo
            if changes_identity(action)
            and not isinstance(action, ReplaceIdentity)
            and getattr(action, "id", None) not in missing
        ]

    def _not_repaired(self, changes: Sequence[Action]) -> list[Action]:
        """Without the repairs that are none: made once more, the identity turned out to have the
        principal that the resource shows. One answer of ARM had missed it.
        """
        progress = self.progress
        if progress.resource is None:
            return []
        shown = progress.resource.identity.user_assigned
        whole = [
            action
            for action in only(ReattachIdentity, changes)
            if shown.get(action.id) == progress.principals.get(UserAssigned(action.id))
        ]
        progress.outcomes += [Outcome(action, "it has its principal") for action in whole]
        return [action for action in changes if action not in whole]

    async def _learn(self, after: ComputeResource) -> None:
        """Principals as the resource shows them now. A surprise means: plan again.

        A resource goes on showing the principal of an identity that was deleted and made again, so
        only what ARM answers for the identity itself counts as new.
        """
        progress = self.progress
        system = after.identity.system_principal_id
        if system is not None:
            progress.principals[SystemAssigned()] = system
            await see(system, self.services.identity_ledger, progress)
        for identity, principal in after.identity.user_assigned.items():
            known = progress.principals.get(UserAssigned(identity))
            if principal is None or known in (None, principal):
                continue
            current = await self._current(identity)
            if current is not None and current.principal_id != known:
                owner = made_for(current.tags, self.services.assignments.installation)
                ledger = self.services.identity_ledger
                await ledger.learn_principal(identity, current.principal_id, owner)
            message = f"{identity} was recreated: the resource shows another principal"
            raise Temporary(message, REPLAN_DELAY)

    async def _current(self, identity: ResourceId) -> ManagedIdentity | None:
        """None, too, where it may not be read: what was written stands all the same."""
        try:
            return await self.services.identities.details(identity)
        except Permanent:
            return None  # the plan that is made anew reads it, and names the refusal

    def _grant(self, action: AssignRole) -> Grant:
        principal = self.progress.principals[action.to]
        return Grant(action.scope, action.role_id, principal, action.condition)

    async def _assign(self, action: AssignRole) -> None:
        self.progress.outcomes.append(await attempt(action, self._claim(action)))

    async def _claim(self, action: AssignRole) -> str:
        if action.to not in self.progress.principals:
            self._wait_for(action.to)
            raise NoIdentity(f"{action.to} is not there, so it gets no role")
        grant = self._grant(action)
        anew = action.key in self.progress.removals.orders.released
        result = await self.services.claims.add(grant, self.progress.record.id, anew=anew)
        self.progress.granted[action] = grant
        if result is Result.ASSIGNED:
            self.progress.made.add(action)
        return str(result)

    def _wait_for(self, to: PrincipalRef) -> None:
        """Raises ComesWith where its making is refused for now: that is what is held."""
        for outcome in self.progress.outcomes:
            made, failure = outcome.action, outcome.failure
            is_it = isinstance(made, CreateIdentity) and UserAssigned(made.id) == to
            if is_it and isinstance(failure, Refused):
                raise ComesWith(f"{to} is not there yet", failure.delay)

    def _leaves_instances_behind(self, todo: Sequence[Action]) -> bool:
        resource = self.progress.resource
        return resource is not None and resource.manual_upgrade and any(map(gives_identity, todo))

    async def _upgrade(self, upgrades: Sequence[UpgradeInstances]) -> None:
        """After what is given, so that nothing is taken before instances have it; after what is
        detached, so that they do not keep it.
        """
        for upgrade in upgrades if self.progress.record.instances_lag else ():
            outcome = await attempt(upgrade, self._upgrade_instances())
            if outcome.failure is None:
                await self.progress.save(replace(self.progress.record, instances_lag=False))
            self.progress.outcomes.append(outcome)

    async def _upgrade_instances(self) -> str:
        assert self.progress.resource is not None, "a resource that is gone has no instances"
        await self.services.compute.upgrade_instances(self.progress.resource)
        return "all instances have the model's identity"


def _not_attached(action: AssignRole, failure: Temporary | Permanent) -> ComesWith | NoIdentity:
    """Why a role is not given: `failure` is why its identity is not attached."""
    why = f"{action.to} is not attached, so it gets no role"
    return ComesWith(why, failure.delay) if isinstance(failure, Temporary) else NoIdentity(why)
