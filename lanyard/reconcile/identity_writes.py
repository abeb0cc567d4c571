"""All changes of one resource's identity block, in as few writes as the service takes.

A machine takes few updates a minute, so what is added goes into one write, and what is detached
into one more, after it. Azure refuses a write whole when one identity in it is bad: then the
missing ones are found and parked, references to identities that no longer exist are dropped with
them, and the rest goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lanyard.planning.actions import (
    Action,
    AttachIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
)
from lanyard.planning.outcomes import Outcome, failed, only
from lanyard.ports.azure import Compute, Directory, Identities
from lanyard.reconcile.removals import Detach, Removals
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import compute_type
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.removed import Taken
from lanyard.values.resource_id import ResourceId

_DONE = "read back from ARM"
_UNWANTED = ("Lanyard attached it, and no rule asks for it any more",)
_REPLACED = ("the type has one identity, and a rule accepts that it is replaced",)
_GONE = ("neither ARM nor the directory knows it: they were asked right before",)
_RECREATED = ("the resource shows a principal that the identity does not have any more",)


@dataclass
class IdentityWrites:
    """Writes to one resource. `resource` is what was read last, by whoever wrote last; `gone` are
    identities that turned out not to exist: what they left is for whoever reconciles them.
    """

    compute: Compute
    identities: Identities
    directory: Directory
    removals: Removals
    resource: ComputeResource
    gone: list[ResourceId] = field(default_factory=list)

    async def add(self, actions: Sequence[Action]) -> list[Outcome]:
        """Attach, enable, and attach again what was recreated."""
        outcomes: list[Outcome] = []
        together = [a for a in actions if not isinstance(a, ReattachIdentity)]
        if together:
            outcomes += await self._together(together)
        for action in only(ReattachIdentity, actions):
            outcomes.append(await self._reattach(action))
        return outcomes

    async def detach(self, actions: Sequence[DetachIdentity]) -> list[Outcome]:
        """Detach those that may go, in one write."""
        detaches = [Detach(action, action.id, Taken.DETACH, _UNWANTED) for action in actions]
        try:
            refused = await self._past_dangling(actions[0], detaches)
        except (Temporary, Permanent) as failure:
            return failed(actions, failure)
        return [
            Outcome(action, failure=refused[action.id])
            if action.id in refused
            else Outcome(action, _DONE)
            for action in actions
        ]

    async def _past_dangling(
        self, action: Action, detaches: Sequence[Detach]
    ) -> Mapping[ResourceId, Temporary | Permanent]:
        """The write of these; once more without what keeps Azure from taking any. Returns and
        raises as `_write`.
        """
        try:
            return await self._write((), detaches)
        except Permanent:
            going = {each.identity for each in detaches}
            drops = [drop for drop in await self._drops(action) if drop.identity not in going]
            if not drops:
                raise
        return await self._write((), [*detaches, *drops])

    async def _drops(self, action: Action) -> list[Detach]:
        """What an action takes off besides: a reference to an identity that is gone."""
        return [Detach(action, one, Taken.DANGLING, _GONE) for one in await self._dangling()]

    async def _together(self, actions: Sequence[Action]) -> list[Outcome]:
        replaced = self._replaced(actions)
        try:
            await self._write(actions, replaced)
        except Temporary as failure:
            return failed(actions, failure)
        except Permanent as failure:
            return await self._without_the_bad_ones(actions, failure)
        return [Outcome(action, _DONE) for action in actions]

    def _replaced(self, actions: Sequence[Action]) -> list[Detach]:
        """Of a type with one identity, adding one takes away the one that is there."""
        kind, adds = compute_type(self.resource.id.type), only(AttachIdentity, actions)
        if kind is None or not kind.replaces or not adds:
            return []
        attached = self.resource.identity.user_assigned
        return [Detach(adds[0], identity, Taken.DETACH, _REPLACED) for identity in attached]

    async def _without_the_bad_ones(
        self, actions: Sequence[Action], failure: Permanent
    ) -> list[Outcome]:
        try:
            missing = await self._missing([a.id for a in only(AttachIdentity, actions)])
            dangling = await self._dangling()
        except (Temporary, Permanent) as unknown:
            return failed(actions, unknown)
        bad = [a for a in only(AttachIdentity, actions) if a.id in missing]
        good = [action for action in actions if action not in bad]
        outcomes = [
            Outcome(action, failure=Permanent(f"{action.id} does not exist", failure.code))
            for action in bad
        ]
        if not good or not (bad or dangling or len(good) > 1):
            return outcomes + failed(good, failure)
        return outcomes + await self._one_by_one(good, dangling)

    async def _one_by_one(
        self, actions: Sequence[Action], dangling: Sequence[ResourceId]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for action in actions:
            drops = [Detach(action, identity, Taken.DANGLING, _GONE) for identity in dangling]
            try:
                refused = await self._write([action], [*self._replaced([action]), *drops])
            except (Temporary, Permanent) as failure:
                outcomes.append(Outcome(action, failure=failure))
            else:
                outcomes.append(Outcome(action, _DONE))
                dangling = [identity for identity in dangling if identity in refused]
        return outcomes

    async def _missing(self, identities: Sequence[ResourceId]) -> list[ResourceId]:
        """Those that ARM does not know."""
        gone = [one for one in identities if await self.identities.principal(one) is None]
        self.gone += gone
        return gone

    async def _dangling(self) -> list[ResourceId]:
        """Attached identities that ARM does not know, and whose principals the directory does not
        know either: one answer of ARM alone is no proof.
        """
        attached = self.resource.identity.user_assigned
        missing = await self._missing(list(attached))
        principals = {one: attached[one] for one in missing}
        asked = [principal for principal in principals.values() if principal is not None]
        known = await self.directory.existing(asked) if asked else frozenset()
        return [one for one, principal in principals.items() if principal not in known]

    async def _write(
        self, actions: Sequence[Action], detaches: Sequence[Detach]
    ) -> Mapping[ResourceId, Temporary | Permanent]:
        """One write of what is added and taken off; returns what stays because its removal is
        refused. Raises that where the write would take its place.
        """
        async with self.removals.detaching(self.resource, detaches) as refused:
            add = [a.id for a in only(AttachIdentity, actions)]
            for each in detaches:
                if each.evidence is _REPLACED and each.identity in refused:
                    raise refused[each.identity]
            remove = [each.identity for each in detaches if each.identity not in refused]
            enable_system = bool(only(EnableSystemIdentity, actions))
            if add or remove or enable_system:
                self.resource = await self.compute.update_identity(
                    self.resource, add=add, remove=remove, enable_system=enable_system
                )
        return refused

    async def _reattach(self, action: ReattachIdentity) -> Outcome:
        """The dead principal is detached for a moment: that half is a removal."""
        try:
            try:
                failure = await self._detach_and_attach(action)
            except Permanent:
                drops = [d for d in await self._drops(action) if d.identity != action.id]
                if not drops:
                    raise
                await self._write((), drops)
                failure = await self._detach_and_attach(action)
        except (Temporary, Permanent) as refused:
            return Outcome(action, failure=refused)
        return Outcome(action, _DONE, failure)

    async def _detach_and_attach(self, action: ReattachIdentity) -> Temporary | Permanent | None:
        """Returns why it may not be detached, if it may not."""
        detach = Detach(action, action.id, Taken.REATTACH, _RECREATED)
        async with self.removals.detaching(self.resource, [detach]) as refused:
            if not refused:
                self.resource = await self.compute.reattach(self.resource, action.id)
        return refused.get(action.id)
