"""Removals that no resource's plan holds: of what an identity left, of an orphan.

What persons decided, the guard, the attempt and the record, once for all of them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lanyard.planning.actions import Action
from lanyard.planning.attempts import as_ended
from lanyard.planning.guard import guard_alone
from lanyard.planning.outcomes import Effects, Outcome, attempt
from lanyard.policy import Policy
from lanyard.reconcile.recording import Recorder
from lanyard.reconcile.refusals import refused, unfinished
from lanyard.reconcile.removals import Removals
from lanyard.reconcile.services import Services
from lanyard.record.assignment_deletion import Removing
from lanyard.record.held import orders
from lanyard.values.change import Change, cause_of


@dataclass(frozen=True, slots=True)
class LoneRemovals:
    """Those that one change leads to. `about` is the orphan that they are about, as an entry of
    what is held names it; "" where it is the changed resource itself.
    """

    policy: Policy
    services: Services
    change: Change
    about: str = ""

    async def run[A: Action](
        self, actions: Sequence[A], remove: Callable[[A, Removing], Awaitable[str]]
    ) -> list[Outcome]:
        """Have `remove` do those of the actions that may be done; returns what became of them.

        Without actions only the list of what is held is brought up to date.
        """
        services, resource = self.services, self.change.resource
        entries = await services.held.of(resource, self.about)
        in_force = orders(await services.kill_switch.read(), entries.values())
        verdict = guard_alone(actions, self.policy, in_force)
        held = {entry.action for entry in verdict.held}
        allowed = [action for action in actions if action not in held]
        cause = cause_of(self.change)
        removals = Removals(
            mode=self.policy.mode,
            decisions=services.decisions,
            budget=services.budget,
            resource=resource,
            cause=cause,
            orders=in_force,
        )
        async with Recorder(services, resource, cause, self.about) as recorder:
            tried = [await attempt(a, remove(a, partial(removals.removing, a))) for a in allowed]
            outcomes = as_ended(tried, self.change)
            await recorder.outcomes(outcomes, Effects(removed=removals.recorded))
            refusals = [*(entry.refusal() for entry in verdict.held), *refused(outcomes)]
            await recorder.held(refusals, unfinished(outcomes))
        return outcomes
