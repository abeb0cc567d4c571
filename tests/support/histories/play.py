"""Plays a history through the real handlers, with the model beside it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from textwrap import indent

from lanyard.policy.document import IdentitySpec, RemovalLimit
from tests.support.histories.model import Finding
from tests.support.histories.policies import Features, Policy
from tests.support.histories.promises import NOT_YET, PROMISES, Violation
from tests.support.histories.quiet import settle
from tests.support.histories.steps import Quiet, Resume, Step
from tests.support.histories.storage import moment
from tests.support.histories.world import World, handlers_of, new_world

#: What the policy file of the product at hand can say.
FEATURES = Features(
    grace="grace_minutes" in RemovalLimit.model_fields,
    delete_after="delete_after_hours" in IdentitySpec.model_fields,
)
#: The policy of a history that names none.
FIRST = Policy()
#: Every history ends so: the last pause, the last quiet.
_END = (Resume(), Quiet())


@dataclass(frozen=True, repr=False)
class History:
    """Steps under a first policy. Prints as the test that it is."""

    steps: tuple[Step, ...]
    policy: Policy = FIRST

    def __repr__(self) -> str:
        lines = [f"    {step!r}," for step in self.steps]
        if self.policy != FIRST:
            lines.append(f"    policy={self.policy!r},")
        return "\n".join(("history(", *lines, ")"))


def history(*steps: Step, policy: Policy = FIRST) -> History:
    """These steps, one after the other, under a policy."""
    return History(steps, policy)


def play(told: History, off: Collection[str] = NOT_YET) -> None:
    """Raises Violation at the first step after which a promise is broken that is not `off`."""
    asyncio.run(_play(told, off))


async def _play(told: History, off: Collection[str]) -> None:
    world = await new_world(told.policy, FEATURES)
    with handlers_of(world.estate):
        for number, step in enumerate((*told.steps, *_END)):
            try:
                await _take(world, step)
            except AssertionError as surprise:
                account = await _account(world, told, number, [])
                message = f"no promise was broken, but it cannot be played: {surprise}\n{account}"
                raise AssertionError(message) from surprise
            findings = [each for each in world.model.findings if each.promise not in off]
            world.model.findings.clear()
            if findings:
                account = await _account(world, told, number, findings)
                raise Violation({each.promise for each in findings}, account)


async def _take(world: World, step: Step) -> None:
    model = world.model
    world.moments.append(moment(world))
    model.note()
    await step.act(world)
    model.note()
    world.quiet = False
    await world.mail.send(step.fate)
    await world.mail.work()
    if isinstance(step, Quiet):
        await settle(world)
    model.look()


async def _account(world: World, told: History, number: int, findings: list[Finding]) -> str:
    """What a person needs to see what went wrong: the steps, what was seen, what Lanyard says."""
    seen = [f"{each.promise} ({PROMISES[each.promise]}): {each.seen}" for each in findings]
    steps = [*map(repr, told.steps), *map(repr, _END)]
    marked = [f"  {'→' if at == number else ' '} {step}" for at, step in enumerate(steps)]
    decisions = [
        f"    {each.outcome}: {each.action} of {each.resource.rpartition('/')[2]}: {each.reason}"
        for each in (await world.estate.recorded())[-_SHOWN:]
    ]
    parts = (*seen, "steps:", *marked, "on record, the last lines:", *decisions, "as a test:")
    test = ("def test_it() -> None:", "    play(", indent(f"{told!r}", " " * 8), "    )")
    return "\n".join((*parts, *test))


_SHOWN = 12

__all__ = ["FEATURES", "History", "history", "play"]
