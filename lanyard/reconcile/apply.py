"""Does what the guard allowed: intent on record first, then Azure, then the outcome on record.

One failed action never stops the others. What fails is an Outcome; the caller decides when to
come back.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DeleteIdentity,
    DetachIdentity,
    ReleaseGrant,
    RemoveOrphans,
    UpgradeInstances,
    changes_identity,
    is_removal,
)
from lanyard.planning.outcomes import Effects, Outcome, attempt, failed, only
from lanyard.reconcile.identity_writes import IdentityWrites
from lanyard.reconcile.removals import Witnesses
from lanyard.reconcile.services import Services
from lanyard.record.claims import Result
from lanyard.record.ledger import ResourceRecord
from lanyard.record.repairs import after_repairs
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId

# A resource that is back, or an identity that was recreated, is planned again this soon.
_REPLAN_DELAY = 2.0


class Application:
    """The actions of one plan, carried out. Make one a reconcile."""

    def __init__(
        self,
        services: Services,
        resource: ComputeResource | None,
        record: ResourceRecord,
        principals: Mapping[PrincipalRef, str],
        witnesses: Witnesses,
    ) -> None:
        self._services = services
        self._resource = resource
        self.record = record
        self._principals = dict(principals)
        self._witnesses = witnesses
        self._confirmed: set[Grant] = set()
        self._made: dict[AssignRole, Grant] = {}
        self._deleted: set[ResourceId] = set()
        self.outcomes: list[Outcome] = []
        self.gone_identities: list[ResourceId] = []

    @property
    def effects(self) -> Effects:
        """What was changed so far, beside what the outcomes tell."""
        told = self._witnesses.told
        return Effects(self._made, self._principals, frozenset(self._deleted), told)

    async def run(self, actions: Iterable[Action]) -> None:
        """Carry the actions out, additions first. `outcomes` and `record` tell the rest, and
        `gone_identities` those that are to be reconciled themselves.
        """
        todo = list(actions)
        own = frozenset(a.id for a in only(CreateIdentity, todo) if a.dedicated)
        await self.save(replace(self.record, dedicated=self.record.dedicated | own))
        await self._create_identities(only(CreateIdentity, todo))
        ready = [a for a in only(AssignRole, todo) if a.to in self._principals]
        await self._intend(todo, ready)
        await asyncio.gather(self._change_identity(todo), *(self._assign(a) for a in ready))
        late = [a for a in only(AssignRole, todo) if a not in ready]
        await self._intend([], [a for a in late if a.to in self._principals])
        await asyncio.gather(*(self._assign(a) for a in late))
        for upgrade in only(UpgradeInstances, todo):
            self.outcomes.append(await attempt(upgrade, self._upgrade_instances()))
        await self._remove([a for a in todo if is_removal(a) and not changes_identity(a)])
        await self.save(self._settled())

    # Intent and outcome, on record.

    async def save(self, record: ResourceRecord) -> None:
        """Write the record where it differs from the one on file."""
        if record != self.record:
            self.record = await self._services.ledger.save(record)

    async def see_system_identity(self) -> None:
        """Put the principal of the resource's system-assigned identity on record, if it has one."""
        if self._resource is not None and self._resource.identity.system_principal_id is not None:
            await self.see(self._resource.identity.system_principal_id)

    async def see(self, principal_id: str) -> None:
        """Put a system-assigned principal on record: a delete event carries none."""
        if principal_id not in self.record.system_principals:
            await self._services.ledger.learn_holder(principal_id, self.record.id)
            seen = self.record.system_principals | {principal_id}
            await self.save(replace(self.record, system_principals=seen))

    async def _intend(self, todo: list[Action], assigns: list[AssignRole]) -> None:
        """Write ahead: after a crash the next reconcile knows what may have been begun."""
        attachments = frozenset(a.id for a in only(AttachIdentity, todo))
        intended = replace(
            self.record,
            attachments=self.record.attachments | attachments,
            pending=self.record.pending | {self._grant(a) for a in assigns},
            instances_lag=self.record.instances_lag or bool(only(UpgradeInstances, todo)),
        )
        await self.save(intended)

    def _settled(self) -> ResourceRecord:
        """The record after what was done; what failed stays on it and is tried or undone again."""
        done = [outcome.action for outcome in self.outcomes if outcome.failure is None]
        refused = [o.action for o in self.outcomes if isinstance(o.failure, Permanent)]
        detached = {a.id for a in only(DetachIdentity, done)}
        detached |= {a.id for a in only(AttachIdentity, refused)}
        assigned = {grant.name for grant in self._confirmed}
        released = {a.grant.name for a in only(ReleaseGrant, done)} - assigned
        cleaned = {a.principal_id for a in only(RemoveOrphans, done)}
        attached = self._attached(done)
        old = self.record
        kept = {grant for grant in old.grants if grant.name not in released | assigned}
        # One that could not be made may be made by someone else: then it is theirs.
        not_ours = {a.id for a in only(CreateIdentity, refused)}
        return replace(
            old,
            dedicated=old.dedicated - not_ours - {a.id for a in only(DeleteIdentity, done)},
            attachments=old.attachments - detached if self._resource else frozenset(),
            grants=frozenset(kept | self._confirmed),
            pending=frozenset(g for g in old.pending if g.name not in released | assigned),
            system_principals=old.system_principals - cleaned,
            gone_at={p: at for p, at in old.gone_at.items() if p not in cleaned},
            instances_lag=old.instances_lag and not only(UpgradeInstances, done),
            confirmed={
                key: principal
                for key, principal in {**old.confirmed, **attached}.items()
                if key not in {identity.key for identity in detached}
            },
            repairs=after_repairs(
                old,
                done,
                attached,
                {f"identity {identity.key}" for identity in detached}
                | {f"grant {name}" for name in released},
                self._services.now(),
            ),
        )

    def _attached(self, done: list[Action]) -> dict[str, str]:
        """The identities that were attached, by their principals."""
        refs = [UserAssigned(action.id) for action in only(AttachIdentity, done)]
        return {ref.id.key: self._principals[ref] for ref in refs if ref in self._principals}

    # Additions.

    async def _create_identities(self, actions: list[CreateIdentity]) -> None:
        made = await asyncio.gather(*(attempt(a, self._create(a)) for a in actions))
        self.outcomes += made

    async def _create(self, action: CreateIdentity) -> str:
        principal = await self._services.identities.create(action.id, action.location)
        await self._services.ledger.learn_principal(action.id, principal)
        self._principals[UserAssigned(action.id)] = principal
        return f"principal {principal}"

    async def _change_identity(self, todo: list[Action]) -> None:
        """Identities that could not be made are left out; their failure is on record already."""
        missing = {
            a.id for a in only(CreateIdentity, todo) if UserAssigned(a.id) not in self._principals
        }
        changes = [a for a in todo if changes_identity(a) and getattr(a, "id", None) not in missing]
        if not changes or self._resource is None:
            return
        writes = IdentityWrites(self._services.compute, self._services.identities, self._resource)
        outcomes = await writes.run(changes)
        self.gone_identities += writes.gone
        try:
            await self._learn(writes.resource)
        except (Temporary, Permanent) as surprise:
            outcomes = [o if o.failure else Outcome(o.action, failure=surprise) for o in outcomes]
        self.outcomes += outcomes

    async def _learn(self, after: ComputeResource) -> None:
        """Principals as the resource shows them now. A surprise means: plan again.

        A resource goes on showing the principal of an identity that was deleted and made again, so
        only ARM's word for the identity itself counts as new.
        """
        system = after.identity.system_principal_id
        if system is not None:
            self._principals[SystemAssigned()] = system
            await self.see(system)
        for identity, principal in after.identity.user_assigned.items():
            known = self._principals.get(UserAssigned(identity))
            if principal is None or known in (None, principal):
                continue
            current = await self._services.identities.principal(identity)
            if current is not None and current != known:
                await self._services.ledger.learn_principal(identity, current)
            message = f"{identity} was recreated: the resource shows another principal"
            raise Temporary(message, _REPLAN_DELAY)

    def _grant(self, action: AssignRole) -> Grant:
        principal = self._principals[action.to]
        return Grant(action.scope, action.role_id, principal, action.condition)

    async def _assign(self, action: AssignRole) -> None:
        self.outcomes.append(await attempt(action, self._claim(action)))

    async def _claim(self, action: AssignRole) -> str:
        if action.to not in self._principals:
            raise Permanent(f"{action.to} is not there, so it gets no role")
        grant = self._grant(action)
        result = await self._services.claims.add(grant, self.record.id)
        self._confirmed.add(grant)
        if result is Result.ASSIGNED:
            self._made[action] = grant
        return str(result)

    async def _upgrade_instances(self) -> str:
        assert self._resource is not None, "a resource that is gone has no instances"
        await self._services.compute.upgrade_instances(self._resource)
        return "all instances have the model's identity"

    # Removals.

    async def _remove(self, removals: list[Action]) -> None:
        if not removals:
            return
        try:
            await self._still_gone()
        except (Temporary, Permanent) as failure:
            self.outcomes += failed(removals, failure)
            return
        releases = only(ReleaseGrant, removals)
        await self._intend_releases(releases)
        for release in releases:
            self.outcomes.append(await attempt(release, self._release(release)))
        for deletion in only(DeleteIdentity, removals):
            self.outcomes.append(await attempt(deletion, self._delete_identity(deletion)))
        for orphans in only(RemoveOrphans, removals):
            self.outcomes.append(await attempt(orphans, self._remove_orphans(orphans)))

    async def _intend_releases(self, releases: list[ReleaseGrant]) -> None:
        """Write ahead that these claims go: whoever looked at an older record stops here, and after
        a crash a claim that is wanted again is made again.
        """
        going = {a.grant for a in releases} - self._confirmed
        record = self.record
        await self.save(
            replace(record, grants=record.grants - going, pending=record.pending | going)
        )

    async def _still_gone(self) -> None:
        """Read again right before removing what a resource had that was not there a moment ago."""
        if self._resource is None and await self._services.compute.read(self.record.id) is not None:
            raise Temporary(f"{self.record.id} is there again", _REPLAN_DELAY)

    async def _release(self, action: ReleaseGrant) -> str:
        if action.grant.name in {grant.name for grant in self._confirmed}:
            # Planned while its identity was thought missing, and it turned out to be there.
            return "kept: it was assigned in this very plan"
        result = await self._services.claims.drop(
            action.grant, self.record.id, self._witnesses.of(action)
        )
        return "its last claim is gone" if result is Result.REVOKED else str(result)

    async def _delete_identity(self, action: DeleteIdentity) -> str:
        """What its assignments were is looked after when the event of its deletion comes."""
        services = self._services
        using = {found async for found in services.ledger.having(action.id)}
        using |= set(await services.index.resources_with(action.id))
        if others := sorted(using - {self.record.id}):
            return f"kept: {others[0]} uses it too"
        await self._witnesses.spend(action)
        await services.identities.delete(action.id)
        self._deleted.add(action.id)
        return "nothing else used it"

    async def _remove_orphans(self, action: RemoveOrphans) -> str:
        holder = await self._services.ledger.holder(action.principal_id)
        if holder not in ("", self.record.id.key):
            return f"kept: it is the identity of {holder} now"
        removed = await self._services.orphans.remove(
            action.principal_id,
            self.record.gone_at[action.principal_id],
            self.record.id.subscription,
            self._witnesses.of(action),
        )
        await self._services.ledger.forget_holder(action.principal_id)
        return f"{len(removed)} removed"
