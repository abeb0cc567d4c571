"""What stands around every removal: a place in the budget, and the whole of it on record first."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lanyard.planning.actions import Action
from lanyard.planning.givers import Givers, taken_key
from lanyard.planning.orders import Orders
from lanyard.planning.outcomes import Removal
from lanyard.policy import Mode
from lanyard.record.budget import Place, RemovalBudget
from lanyard.record.decisions import Decision, Decisions
from lanyard.values.compute import ComputeResource, PrincipalRef, UserAssigned
from lanyard.values.errors import Because, Permanent, Refused, Temporary
from lanyard.values.removed import Became, Removed, RemovedAttachment, Taken
from lanyard.values.resource_id import ResourceId

# What the mode or a person forbids is looked at again with the next event, or so much later
# (seconds).
_DELAY = 3600.0


class Detach(NamedTuple):
    """An identity that a write is to take off a resource."""

    #: That it is part of.
    action: Action
    identity: ResourceId
    taken: Taken
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """The removals of one reconcile."""

    #: Of the policy.
    mode: Mode
    decisions: Decisions
    budget: RemovalBudget
    #: What they are about.
    resource: ResourceId
    cause: Mapping[str, str]
    #: What persons decided about it.
    orders: Orders
    #: Which rules gave what the resource has, as givers.py names it.
    given_by: Givers = field(default_factory=dict)
    #: What went on record, in the order it was done.
    recorded: list[Removal] = field(default_factory=list)

    @asynccontextmanager
    async def removing(
        self, action: Action, removed: Removed, evidence: tuple[str, ...]
    ) -> AsyncIterator[None]:
        """The write that takes something away goes in here, and nothing else.

        Raises Refused where the mode, a pause or the budget forbids it. Where the write fails and
        took nothing away its place is given back; where nobody knows, it stays counted.
        """
        place = await self.reserve(action)
        try:
            number = await self._record(action, removed, evidence)
        except (Temporary, Permanent):
            await self._give_back(place)
            raise
        try:
            yield
        except (Temporary, Permanent) as failure:
            self._became(number, _after(failure))
            if not failure.uncertain:
                await self._give_back(place)
            raise
        self._became(number, Became.DONE)

    @asynccontextmanager
    async def detaching(
        self, resource: ComputeResource, detaches: Iterable[Detach]
    ) -> AsyncIterator[Mapping[ResourceId, Temporary | Permanent]]:
        """The same for one write that takes several identities off a resource.

        Gives those that may not go, with the reason: the write leaves them out.
        """
        refused: dict[ResourceId, Temporary | Permanent] = {}
        async with AsyncExitStack() as places:
            for detach in detaches:
                removed = attachment(resource, UserAssigned(detach.identity), detach.taken)
                one = self.removing(detach.action, removed, detach.evidence)
                try:
                    await places.enter_async_context(one)
                except (Temporary, Permanent) as failure:
                    refused[detach.identity] = failure
            yield refused

    async def reserve(self, action: Action) -> Place | None:
        """A place in the budget; one that a person released is not held to it, nor to the mode.

        What a person dismissed has none: an addition may take something off besides.
        """
        if by := self.orders.dismissed.get(action.key):
            raise Refused(
                Because.DISMISSED, f"dismissed by {by}", _DELAY, "release it", releasable=True
            )
        released = action.key in self.orders.released
        if self.mode is not Mode.FULL and not released:
            raise Refused(
                Because.MODE,
                f"mode is {self.mode}, and this takes something away",
                _DELAY,
                "set 'mode: full', or release it",
                releasable=True,
            )
        rules = self.given_by.get(taken_key(action), ())
        return await self.budget.reserve(rules=rules, released=released)

    async def _give_back(self, place: Place | None) -> None:
        """What cannot be given back stays counted: too few are removed then, never too many."""
        if place is not None:
            with suppress(Temporary, Permanent):
                await self.budget.give_back(place)

    async def _record(self, action: Action, removed: Removed, evidence: tuple[str, ...]) -> int:
        """Returns where it is in `recorded`."""
        decision = Decision(
            self.resource.text,
            str(action),
            "intended",
            f"remove {removed}",
            key=action.key,
            rules=self.given_by.get(taken_key(action), ()),
            cause=self.cause,
            evidence=evidence,
            removed=removed,
        )
        decision_id = await self.decisions.add(decision)
        self.recorded.append(Removal(action, removed, evidence, decision_id))
        return len(self.recorded) - 1

    def _became(self, number: int, became: Became) -> None:
        self.recorded[number] = replace(self.recorded[number], became=became)


def _after(failure: Temporary | Permanent) -> Became:
    if failure.uncertain:
        return Became.UNKNOWN
    return Became.FAILED if isinstance(failure, Permanent) else Became.GIVEN_BACK


def attachment(
    resource: ComputeResource, identity: PrincipalRef, taken: Taken
) -> RemovedAttachment:
    """An identity of a resource as the record keeps it when it is taken off."""
    shown = resource.identity
    if isinstance(identity, UserAssigned):
        text, principal = identity.id.text, shown.user_assigned.get(identity.id)
    else:
        text, principal = "", shown.system_principal_id
    return RemovedAttachment(resource.id.text, text, principal or "", taken, resource.incarnation)
