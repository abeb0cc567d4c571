"""Does what the guard allowed: intent on record first, then Azure, then the outcome on record.

One failed action never stops the others. What fails is an Outcome; the caller decides when to
come back.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lanyard.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReleaseGrant,
    RemoveOrphans,
)
from lanyard.claims import Claims, Result
from lanyard.errors import Permanent, Temporary
from lanyard.ledger import Decision, Ledger, ResourceRecord
from lanyard.model import (
    ComputeResource,
    Grant,
    PrincipalRef,
    RoleAssignment,
    SystemAssigned,
    UserAssigned,
)
from lanyard.orphans import Orphans
from lanyard.ports import Compute, Identities

# The identity of a deleted and quickly recreated resource is read again this soon.
_REPLAN_DELAY = 2.0


@dataclass(frozen=True, slots=True)
class Services:
    """What a reconcile works with; one set an app."""

    compute: Compute
    identities: Identities
    ledger: Ledger
    claims: Claims
    orphans: Orphans


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action. `failure` is None where it was done."""

    action: Action
    detail: str = ""
    failure: Temporary | Permanent | None = None


class Application:
    """The actions of one plan, carried out. Make one a reconcile."""

    def __init__(
        self,
        services: Services,
        resource: ComputeResource | None,
        record: ResourceRecord,
        principals: Mapping[PrincipalRef, str],
        cause: Mapping[str, str],
    ) -> None:
        self._services = services
        self._resource = resource
        self.record = record
        self._principals = dict(principals)
        self._cause = cause
        self._confirmed: set[Grant] = set()
        self.outcomes: list[Outcome] = []

    async def run(self, actions: Iterable[Action]) -> None:
        """Carry the actions out, additions first. `outcomes` and `record` tell the rest."""
        todo = list(actions)
        await self._all(CreateIdentity, todo, self._create)
        writes = [self._write_identity(todo)] if self._identity_actions(todo) else []
        ready = [a for a in _only(AssignRole, todo) if a.to in self._principals]
        await self._intend(todo, ready)
        await asyncio.gather(*writes, *(self._attempt(a, self._assign(a)) for a in ready))
        late = [a for a in _only(AssignRole, todo) if a not in ready]
        await self._intend([], [a for a in late if a.to in self._principals])
        await asyncio.gather(*(self._attempt(a, self._assign(a)) for a in late))
        await self._remove([a for a in todo if isinstance(a, ReleaseGrant | RemoveOrphans)])
        await self.save(self._settled())

    async def _remove(self, removals: list[ReleaseGrant | RemoveOrphans]) -> None:
        if not removals:
            return
        try:
            await self._still_gone()
        except (Temporary, Permanent) as failure:
            self.outcomes += [Outcome(action, failure=failure) for action in removals]
            return
        for action in removals:
            work = self._release if isinstance(action, ReleaseGrant) else self._remove_orphans
            await self._attempt(action, work(action))  # type: ignore[arg-type]

    async def _still_gone(self) -> None:
        """Read again right before removing what a resource had that was not there a moment ago."""
        if self._resource is None and await self._services.compute.read(self.record.id) is not None:
            raise Temporary(f"{self.record.id} is there again", _REPLAN_DELAY)

    async def _all(self, kind: type[CreateIdentity], todo: list[Action], do: Any) -> None:
        await asyncio.gather(*(self._attempt(a, do(a)) for a in _only(kind, todo)))

    async def _attempt(self, action: Action, work: Awaitable[str]) -> None:
        try:
            self.outcomes.append(Outcome(action, await work))
        except (Temporary, Permanent) as failure:
            self.outcomes.append(Outcome(action, failure=failure))

    async def _intend(self, todo: list[Action], assigns: list[AssignRole]) -> None:
        """Write ahead: after a crash the next reconcile knows what may have been begun."""
        attachments = frozenset(a.id for a in _only(AttachIdentity, todo))
        intended = replace(
            self.record,
            attachments=self.record.attachments | attachments,
            pending=self.record.pending | {self._grant(a) for a in assigns},
        )
        await self.save(intended)

    async def save(self, record: ResourceRecord) -> None:
        """Write the record where it differs from the one on file."""
        if record != self.record:
            self.record = await self._services.ledger.save(record)

    def _settled(self) -> ResourceRecord:
        """The record after what was done; what failed stays on it and is tried or undone again."""
        done = [outcome.action for outcome in self.outcomes if outcome.failure is None]
        refused = [o.action for o in self.outcomes if isinstance(o.failure, Permanent)]
        detached = {a.id for a in _only(DetachIdentity, done)}
        detached |= {a.id for a in _only(AttachIdentity, refused)}
        released = {a.grant for a in _only(ReleaseGrant, done)}
        cleaned = {a.principal_id for a in _only(RemoveOrphans, done)}
        record = self.record
        return replace(
            record,
            attachments=record.attachments - detached if self._resource else frozenset(),
            grants=(record.grants | self._confirmed) - released,
            pending=record.pending - self._confirmed - released,
            system_principals=record.system_principals - cleaned,
            gone_at={p: at for p, at in record.gone_at.items() if p not in cleaned},
        )

    async def _create(self, action: CreateIdentity) -> str:
        principal = await self._services.identities.create(action.id, action.location)
        await self._services.ledger.learn_principal(action.id, principal)
        self._principals[UserAssigned(action.id)] = principal
        return f"principal {principal}"

    @staticmethod
    def _identity_actions(todo: list[Action]) -> list[Action]:
        return [
            a for a in todo if isinstance(a, AttachIdentity | DetachIdentity | EnableSystemIdentity)
        ]

    async def _write_identity(self, todo: list[Action]) -> None:
        """All changes of the identity block in one PATCH: a VM takes few updates a minute."""
        actions = self._identity_actions(todo)
        missing = {a.id for a in _only(CreateIdentity, todo)} - {
            ref.id for ref in self._principals if isinstance(ref, UserAssigned)
        }
        doable = [a for a in actions if not (isinstance(a, AttachIdentity) and a.id in missing)]
        if not doable or self._resource is None:
            return
        try:
            after = await self._services.compute.update_identity(
                self._resource,
                add=[a.id for a in _only(AttachIdentity, doable)],
                remove=[a.id for a in _only(DetachIdentity, doable)],
                enable_system=any(isinstance(a, EnableSystemIdentity) for a in doable),
            )
            await self._learn(after)
        except (Temporary, Permanent) as failure:
            self.outcomes += [Outcome(action, failure=failure) for action in doable]
        else:
            self.outcomes += [Outcome(action, "read back from ARM") for action in doable]

    async def _learn(self, after: ComputeResource) -> None:
        """Principals as the resource shows them now. A surprise means: plan again."""
        system = after.identity.system_principal_id
        if system is not None:
            self._principals[SystemAssigned()] = system
            seen = self.record.system_principals | {system}
            await self.save(replace(self.record, system_principals=seen))
        for identity, principal in after.identity.user_assigned.items():
            known = self._principals.get(UserAssigned(identity))
            if principal is not None and known not in (None, principal):
                await self._services.ledger.learn_principal(identity, principal)
                raise Temporary(f"{identity} was recreated: it has another principal", 0)

    def _grant(self, action: AssignRole) -> Grant:
        return Grant(action.scope, action.role_id, self._principals[action.to])

    async def _assign(self, action: AssignRole) -> str:
        if action.to not in self._principals:
            raise Permanent(f"{action.to} is not there, so it gets no role")
        grant = self._grant(action)
        result = await self._services.claims.add(grant, self.record.id)
        self._confirmed.add(grant)
        return str(result)

    async def _release(self, action: ReleaseGrant) -> str:
        result = await self._services.claims.drop(
            action.grant, self.record.id, self._witness(action)
        )
        return "its last claim is gone" if result is Result.REVOKED else str(result)

    async def _remove_orphans(self, action: RemoveOrphans) -> str:
        removed = await self._services.orphans.remove(
            action.principal_id,
            self.record.gone_at[action.principal_id],
            self.record.id.subscription,
            self._witness(action),
        )
        return f"{len(removed)} removed"

    def _witness(self, action: Action) -> Any:
        async def record(assignment: RoleAssignment) -> None:
            await self._services.ledger.decide(
                Decision(
                    self.record.id.text,
                    str(action),
                    "intended",
                    f"remove {assignment.id}",
                    cause=self._cause,
                    assignment=assignment.raw,
                )
            )

        return record


def _only[T](kind: type[T], actions: Iterable[Any]) -> list[T]:
    return [action for action in actions if isinstance(action, kind)]
