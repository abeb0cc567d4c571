"""All changes of one resource's identity block, in as few writes as the service takes.

A machine takes few updates a minute, so what is added goes into one write, and what is detached
into one more, after it. Azure refuses a write whole when one identity in it is bad: then the
missing ones are found and parked, references to identities that no longer exist are dropped with
them (dangling.py), and the rest goes on.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from lanyard.planning.actions import (
    Action,
    AttachIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReplaceIdentity,
)
from lanyard.planning.life import LOST_IDENTITY, WRITE_LAG
from lanyard.planning.outcomes import Outcome, failed, only
from lanyard.ports.azure import Compute, Identities
from lanyard.reconcile.apply_removals import REPLAN_DELAY
from lanyard.reconcile.dangling import Found, References
from lanyard.reconcile.removals import Detach, Removals, attachment
from lanyard.values.compute import ComputeResource, UserAssigned
from lanyard.values.errors import MayPass, Permanent, Temporary
from lanyard.values.removed import Taken
from lanyard.values.resource_id import ResourceId

_DONE = "read back from ARM"
_UNWANTED = ("Lanyard attached it, and no rule asks for it any more",)
_REPLACED = ("the type has one identity, and a rule accepts that another one takes its place",)
_GONE = (
    "ARM misses it, and did a minute ago or a delete event says so, and the directory does not "
    "know its principal",
)
# Azure's code where a service does not know an identity (recorded).
_UNKNOWN_IDENTITY = "FailedIdentityOperation"
_KNOWN_SOON = 5.0
_RECREATED = ("the resource shows a principal that the identity does not have any more",)


@dataclass(kw_only=True)
class IdentityWrites:
    """Writes to one resource."""

    compute: Compute
    identities: Identities
    #: Says which references to identities are dead.
    references: References
    #: What stands around each write that takes something off.
    removals: Removals
    #: What was read last, by whoever wrote last.
    resource: ComputeResource
    #: The identities that it is due.
    wanted: frozenset[ResourceId] = frozenset()
    #: Those that ARM does not know: what they left is for whoever reconciles them.
    gone: list[ResourceId] = field(default_factory=list)
    #: Whether a write of what was read last was refused.
    refused: bool = False

    async def add(self, actions: Sequence[Action]) -> list[Outcome]:
        """Attach, enable, and attach again what was recreated."""
        return await self._alone(actions, partial(self._add, actions))

    async def detach(self, actions: Sequence[DetachIdentity]) -> list[Outcome]:
        """Detach those that may go, in one write."""
        return await self._alone(actions, partial(self._take_off, actions))

    async def _alone(
        self, actions: Sequence[Action], work: Callable[[], Awaitable[list[Outcome]]]
    ) -> list[Outcome]:
        """Before anything is looked at that must hold right before a removal: the mode, a pause."""
        try:
            async with self.compute.alone(self.resource):
                return await work()
        except (Temporary, Permanent) as failure:
            return failed(actions, failure)

    async def _add(self, actions: Sequence[Action]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        together = [a for a in actions if not isinstance(a, ReattachIdentity)]
        if together:
            outcomes += await self._together(together)
        for action in only(ReattachIdentity, actions):
            outcomes.append(await self._reattach(action))
        return outcomes

    async def _take_off(self, actions: Sequence[DetachIdentity]) -> list[Outcome]:
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

    async def replace(self, action: ReplaceIdentity) -> Outcome:
        """Give the new identity the place of the old one, in one write."""
        new, old = action.new, action.old
        add = [new.id] if isinstance(new, UserAssigned) else []
        remove = [old.id] if isinstance(old, UserAssigned) else []
        try:
            removed = attachment(await self._with_principals(remove), old, Taken.DETACH)
            async with self.removals.removing(action, removed, _REPLACED):
                self.resource = await self.compute.update_identity(
                    self.resource, add=add, remove=remove, enable_system=not add
                )
        except Temporary as failure:
            return Outcome(action, failure=failure)
        except Permanent as failure:
            return Outcome(action, failure=await self._explained(add, failure))
        return Outcome(action, _DONE)

    async def _explained(
        self, added: Sequence[ResourceId], failure: Permanent
    ) -> Temporary | Permanent:
        """A refused write, by what it added that does not exist."""
        try:
            missing = await self._missing(added)
        except (Temporary, Permanent) as unknown:
            return unknown
        return (
            await self._no_such(missing[0], failure) if missing else _known_soon(failure, Found())
        )

    async def _past_dangling(
        self, action: Action, detaches: Sequence[Detach]
    ) -> Mapping[ResourceId, Temporary | Permanent]:
        """The write of these; once more without what keeps Azure from taking any. Returns and
        raises as `_write`.
        """
        try:
            return await self._write((), detaches)
        except Permanent as refusal:
            failure = refusal
        found, going = await self._dangling(), {each.identity for each in detaches}
        if self.lost:
            raise Temporary(f"{self.lost[0]} is wanted, and not there", REPLAN_DELAY)
        if drops := _drops(action, [one for one in found.gone if one not in going]):
            try:
                return await self._write((), [*detaches, *drops])
            except Permanent as refusal:
                failure = refusal
        raise found.doubt or _known_soon(failure, found)

    async def _together(self, actions: Sequence[Action]) -> list[Outcome]:
        try:
            await self._write(actions, ())
        except Temporary as failure:
            return failed(actions, failure)
        except Permanent as failure:
            return await self._without_the_bad_ones(actions, failure)
        return [Outcome(action, _DONE) for action in actions]

    async def _without_the_bad_ones(
        self, actions: Sequence[Action], failure: Permanent
    ) -> list[Outcome]:
        try:
            missing = await self._missing([a.id for a in only(AttachIdentity, actions)])
            found = await self._dangling()
        except (Temporary, Permanent) as unknown:
            return failed(actions, unknown)
        bad = [a for a in only(AttachIdentity, actions) if a.id in missing]
        good = [action for action in actions if action not in bad]
        outcomes = [Outcome(a, failure=await self._no_such(a.id, failure)) for a in bad]
        if not good or not (bad or found.gone or len(good) > 1):
            return outcomes + failed(good, found.doubt or _known_soon(failure, found))
        return outcomes + await self._one_by_one(good, found)

    async def _one_by_one(self, actions: Sequence[Action], found: Found) -> list[Outcome]:
        outcomes: list[Outcome] = []
        dangling = found.gone
        for action in actions:
            try:
                refused = await self._write([action], _drops(action, dangling))
            except Temporary as failure:
                outcomes.append(Outcome(action, failure=failure))
            except Permanent as failure:
                outcomes.append(Outcome(action, failure=found.doubt or _known_soon(failure, found)))
            else:
                outcomes.append(Outcome(action, _DONE))
                dangling = [identity for identity in dangling if identity in refused]
        return outcomes

    async def _no_such(self, identity: ResourceId, failure: Permanent) -> MayPass:
        """One that was made, or seen first, a moment ago may only be missed by a replica of ARM.
        Any other one was there by the record alone: it is looked at (`gone`), and a later plan
        makes it, or holds what waits for it.
        """
        presence = self.references.presence
        known = await presence.ledger.identity(identity)
        fresh = known.principal and known.life.alive > presence.now() - WRITE_LAG
        delay = _KNOWN_SOON if fresh else LOST_IDENTITY
        return MayPass(f"{identity} does not exist", delay, failure.code)

    async def _missing(self, identities: Sequence[ResourceId]) -> list[ResourceId]:
        """Those that ARM does not know. One that may not be read is none of them."""
        gone = []
        for one in identities:
            with suppress(Permanent):
                if await self.identities.principal(one) is None:
                    gone.append(one)
        self.gone += gone
        return gone

    @property
    def lost(self) -> list[ResourceId]:
        """What the resource is due, and shows, and ARM does not know: nothing is taken before that
        is looked at.
        """
        return [identity for identity in self.gone if identity in self.wanted]

    async def _dangling(self) -> Found:
        found = await self.references.dangling(self.resource.identity.user_assigned)
        self.gone += found.missing
        return found

    async def _write(
        self, actions: Sequence[Action], detaches: Sequence[Detach]
    ) -> Mapping[ResourceId, Temporary | Permanent]:
        """One write of what is added and taken off; returns what stays because its removal is
        refused. Raises that where the write fails while it stays.
        """
        known = await self._with_principals(each.identity for each in detaches)
        refused: Mapping[ResourceId, Temporary | Permanent] = {}
        try:
            async with self.removals.detaching(known, detaches) as refused:
                await self._write_without(refused, actions, detaches)
        except Permanent as failure:
            kept = [refused[d.identity] for d in detaches if _keeps(d, refused)]
            if not kept:
                raise
            raise kept[0] from failure
        dropped = [d for d in detaches if d.taken is Taken.DANGLING and d.identity not in refused]
        await self.references.forget(drop.identity for drop in dropped)
        return refused

    async def _write_without(
        self,
        refused: Mapping[ResourceId, Temporary | Permanent],
        actions: Sequence[Action],
        detaches: Sequence[Detach],
    ) -> None:
        add = [a.id for a in only(AttachIdentity, actions)]
        remove = [each.identity for each in detaches if each.identity not in refused]
        enable_system = bool(only(EnableSystemIdentity, actions))
        if not (add or remove or enable_system):
            return
        if self.refused:
            # It took a while to ask why: the resource may be another one by now.
            self.resource = await self.compute.unchanged(self.resource)
        self.refused = True
        self.resource = await self.compute.update_identity(
            self.resource, add=add, remove=remove, enable_system=enable_system
        )
        self.refused = False

    async def _with_principals(self, going: Iterable[ResourceId]) -> ComputeResource:
        """The resource with the principals of what goes, for the record: where it shows none, what
        is on record or what ARM answers for the identity.
        """
        shown = self.resource.identity.user_assigned
        known = {one: await self._principal(one) for one in going if shown.get(one) is None}
        identity = replace(self.resource.identity, user_assigned={**shown, **known})
        return replace(self.resource, identity=identity)

    async def _principal(self, identity: ResourceId) -> str | None:
        on_record = await self.references.presence.ledger.principal(identity)
        return on_record or await self.identities.principal(identity)

    async def _reattach(self, action: ReattachIdentity) -> Outcome:
        """The dead principal is detached for a moment: that half is a removal, and done when it is
        done, whatever becomes of the other one.
        """
        detach = Detach(action, action.id, Taken.REATTACH, _RECREATED)
        try:
            refused = await self._past_dangling(action, [detach])
            if not refused:
                self.resource = await self.compute.update_identity(self.resource, add=[action.id])
        except (Temporary, Permanent) as failure:
            return Outcome(action, failure=failure)
        return Outcome(action, _DONE, refused.get(action.id))


def _known_soon(failure: Permanent, found: Found) -> Temporary | Permanent:
    """Of a write in which every identity is there, as ARM answers: one that was made seconds ago
    may not be known to each service yet.
    """
    if failure.code != _UNKNOWN_IDENTITY or found.missing:
        return failure
    return MayPass(str(failure), _KNOWN_SOON, failure.code, uncertain=failure.uncertain)


def _drops(action: Action, dangling: Iterable[ResourceId]) -> list[Detach]:
    """What an action takes off besides."""
    return [Detach(action, one, Taken.DANGLING, _GONE) for one in dangling]


def _keeps(detach: Detach, refused: Mapping[ResourceId, Temporary | Permanent]) -> bool:
    """Whether it is a reference that keeps Azure from taking a write, and may not be dropped."""
    return detach.taken is Taken.DANGLING and detach.identity in refused
