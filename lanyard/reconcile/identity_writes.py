"""All changes of one resource's identity block, in as few writes as the service takes.

A machine takes few updates a minute, so everything goes into one write. Azure refuses that write
whole when one identity in it is bad: then the missing ones are found and parked, references to
identities that no longer exist are dropped with them, and the rest goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lanyard.planning.actions import (
    Action,
    AttachIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
)
from lanyard.planning.outcomes import Outcome, failed, only
from lanyard.ports.azure import Compute, Identities
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId

_DONE = "read back from ARM"


@dataclass
class IdentityWrites:
    """Writes to one resource. `resource` is what was read last, by whoever wrote last; `gone` are
    identities that turned out not to exist: what they left is for whoever reconciles them.
    """

    compute: Compute
    identities: Identities
    resource: ComputeResource
    gone: list[ResourceId] = field(default_factory=list)

    async def run(self, actions: Sequence[Action]) -> list[Outcome]:
        """Carry out the identity changes among the actions."""
        outcomes: list[Outcome] = []
        together = [a for a in actions if not isinstance(a, ReattachIdentity)]
        if together:
            outcomes += await self._together(together)
        for action in only(ReattachIdentity, actions):
            outcomes.append(await self._reattach(action))
        return outcomes

    async def _together(self, actions: Sequence[Action]) -> list[Outcome]:
        try:
            await self._write(actions)
        except Temporary as failure:
            return failed(actions, failure)
        except Permanent as failure:
            return await self._without_the_bad_ones(actions, failure)
        return [Outcome(action, _DONE) for action in actions]

    async def _without_the_bad_ones(
        self, actions: Sequence[Action], failure: Permanent
    ) -> list[Outcome]:
        missing = await self._missing([a.id for a in only(AttachIdentity, actions)])
        dangling = await self._missing(list(self.resource.identity.user_assigned))
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
            try:
                await self._write([action], dangling)
            except (Temporary, Permanent) as failure:
                outcomes.append(Outcome(action, failure=failure))
            else:
                outcomes.append(Outcome(action, _DONE))
                dangling = ()
        return outcomes

    async def _missing(self, identities: Sequence[ResourceId]) -> list[ResourceId]:
        """Those that ARM does not know."""
        gone = [one for one in identities if await self.identities.principal(one) is None]
        self.gone += gone
        return gone

    async def _write(self, actions: Sequence[Action], dangling: Sequence[ResourceId] = ()) -> None:
        self.resource = await self.compute.update_identity(
            self.resource,
            add=[action.id for action in only(AttachIdentity, actions)],
            remove=[*(action.id for action in only(DetachIdentity, actions)), *dangling],
            enable_system=bool(only(EnableSystemIdentity, actions)),
        )

    async def _reattach(self, action: ReattachIdentity) -> Outcome:
        try:
            self.resource = await self.compute.reattach(self.resource, action.id)
        except (Temporary, Permanent) as failure:
            return Outcome(action, failure=failure)
        return Outcome(action, _DONE)
