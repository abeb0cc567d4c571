"""What one reconcile did and refused, put on record."""

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lanyard.actions import Action, ReleaseGrant, RemoveOrphans
from lanyard.decisions import Decision
from lanyard.errors import Refused
from lanyard.model import Change, ResourceId
from lanyard.orders import Refusal
from lanyard.outcomes import Outcome, status_of
from lanyard.services import Services


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes for one change; `principal` is the unknown principal it is about, if it is."""

    services: Services
    resource: ResourceId
    cause: Mapping[str, str]
    principal: str = ""

    async def intended(self, actions: Iterable[Action]) -> None:
        """A decision each before anything is done: a crash leaves no write that is not on record.

        Assignments that go are told one by one and whole, right before (witness.py).
        """
        told = [a for a in actions if not isinstance(a, ReleaseGrant | RemoveOrphans)]
        await asyncio.gather(*(self._add(str(a), "intended", "", _rules(a)) for a in told))

    async def outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """A decision each."""
        for outcome in outcomes:
            reason = outcome.detail if outcome.failure is None else str(outcome.failure)
            await self._add(str(outcome.action), status_of(outcome), reason, _rules(outcome.action))

    async def held(self, refusals: Collection[Refusal]) -> None:
        """Bring the list of what is held up to date; a decision for what is new on it."""
        held = self.services.held
        for refusal in await held.update(self.resource, refusals, self.principal):
            await self._add(refusal.action, "held", str(refusal))

    async def _add(
        self, action: str, outcome: str, reason: str, rules: tuple[str, ...] = ()
    ) -> None:
        decision = Decision(self.resource.text, action, outcome, reason, rules, self.cause)
        await self.services.decisions.add(decision)


def _rules(action: Action) -> tuple[str, ...]:
    rules: tuple[str, ...] = getattr(action, "rules", ())
    return rules


def cause_of(change: Change) -> dict[str, str]:
    """The event that led to a decision, as it is recorded."""
    return {
        "source": change.source,
        "eventId": change.event_id,
        "eventType": change.event_type,
        "correlationId": change.correlation_id,
    }


def refused(outcomes: Iterable[Outcome]) -> list[Refusal]:
    """The removals that the budget or a pause stopped, as they are listed."""
    return [
        Refusal(str(o.action), str(o.failure), o.failure.release, o.failure.releasable)
        for o in outcomes
        if isinstance(o.failure, Refused)
    ]


def digest(refusals: Collection[Refusal]) -> str:
    """Changes when the refusals do; "" for none."""
    if not refusals:
        return ""
    told = sorted((refusal.action, str(refusal)) for refusal in refusals)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
