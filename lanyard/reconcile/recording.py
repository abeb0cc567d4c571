"""What one reconcile did and refused, put on record, and published afterwards."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from lanyard.notices.model import AccessRemoved, Notice
from lanyard.notices.of_outcomes import About, of_outcome, of_refusal
from lanyard.planning.actions import (
    Action,
    AssignRole,
    ReleaseGrant,
    RevokeUnclaimed,
    is_removal,
)
from lanyard.planning.orders import Refusal
from lanyard.planning.outcomes import Effects, Outcome, status_of
from lanyard.ports.notifier import Notifier
from lanyard.record.decisions import Author, Decision, Decisions
from lanyard.record.held import HeldActions
from lanyard.telemetry import held, removed
from lanyard.values.removed import Became
from lanyard.values.resource_id import ResourceId


class Records(Protocol):
    """Where a change leaves its traces."""

    @property
    def decisions(self) -> Decisions:
        """Each is on record."""

    @property
    def held(self) -> HeldActions:
        """What is not done now."""

    @property
    def notifier(self) -> Notifier:
        """Who else hears of it."""

    @property
    def author(self) -> Author:
        """On whose account it is, under which version of the policy."""

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes for one change; `principal` is the unknown principal it is about, if it is.

    `async with` it: at the end, whatever that is, what went on record is published.
    """

    records: Records
    resource: ResourceId
    cause: Mapping[str, str]
    principal: str = ""
    notices: list[Notice] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # Not where the work is called off: then there is no time.
        if self.notices and (error is None or isinstance(error, Exception)):
            await self.records.notifier.publish(self.notices)

    async def intended(self, actions: Iterable[Action]) -> None:
        """A decision each before anything is done: a crash leaves no write that is not on record.

        What goes is recorded one by one and whole, right before (removals.py).
        """
        ahead = [action for action in actions if not is_removal(action)]
        await asyncio.gather(*(self._add(a, "intended", "") for a in ahead))

    async def outcomes(self, outcomes: Iterable[Outcome], effects: Effects) -> None:
        """A decision each."""
        for outcome in outcomes:
            reason = outcome.detail if outcome.failure is None else str(outcome.failure)
            grant = _grant(outcome.action, effects)
            became = {
                each.decision_id: each.became
                for each in effects.removed
                if each.action.key == outcome.action.key
            }
            status = status_of(outcome)
            decision = await self._add(outcome.action, status, reason, grant, became)
            notices = list(of_outcome(outcome, effects, decision, self._about()))
            removed(len([notice for notice in notices if isinstance(notice.data, AccessRemoved)]))
            self.notices.extend(notices)

    async def held(self, refusals: Collection[Refusal], unfinished: Collection[str] = ()) -> None:
        """Bring the list of what is held up to date; a decision for what is new on it.

        `unfinished`: the keys of actions that were allowed and did not succeed.
        """
        listed = self.records.held
        for entry in await listed.update(self.resource, refusals, self.principal, unfinished):
            refusal = entry.refusal
            decision = await self.records.decisions.add(
                Decision(
                    self.resource.text,
                    refusal.action,
                    "held",
                    str(refusal),
                    key=refusal.key,
                    rules=refusal.rules,
                    cause=self.cause,
                )
            )
            self.notices.extend(of_refusal(refusal, entry.id, decision, self._about()))
            held(refusal.kind.value)

    async def _add(
        self,
        action: Action,
        outcome: str,
        reason: str,
        grant: str = "",
        became: Mapping[str, Became] | None = None,
    ) -> str:
        rules: tuple[str, ...] = getattr(action, "rules", ())
        decision = Decision(
            self.resource.text,
            str(action),
            outcome,
            reason,
            key=action.key,
            grant=grant,
            rules=rules,
            cause=self.cause,
            became=became or {},
        )
        return await self.records.decisions.add(decision)

    def _about(self) -> About:
        moment = datetime.fromtimestamp(self.records.now(), UTC)
        return About(self.resource, self.cause, self.records.author.policy, moment)


def _grant(action: Action, effects: Effects) -> str:
    """The name of the grant that an action assigned or released, as far as there is one."""
    match action:
        case AssignRole() if action in effects.granted:
            return effects.granted[action].name
        case ReleaseGrant(grant=grant) | RevokeUnclaimed(grant=grant):
            return grant.name
        case _:
            return ""
