"""The plan for some subscriptions, the question, and the work, one subscription after the other."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.onboarding.steps import (
    CHANGES,
    Watched,
    confirm,
    shaped,
    show_notes,
    show_step,
)
from lanyard.desk.onboarding.steps import Step, Verb
from lanyard.values.resource_id import is_guid, last_name

RUN_SHAPE = {
    "version": "`1`",
    "dryRun": "whether nothing was to be changed",
    "subscriptions[]": "as they were named",
    "subscriptions[].subscription": "its id",
    "subscriptions[].steps[]": "the parts, in the order in which they are made or taken back",
    **shaped("subscriptions[].steps[]"),
    "subscriptions[].notes[]": "what a person should know",
}
_AGAIN = "run it again: what is done stays as it is. A new right takes up to ten minutes to count"
_STAY = (
    "role assignments that Lanyard made stay, also on the record of the app, which may not read "
    "them any more: its sweeps then fail. They are better taken back before, by a policy that does "
    "not match the subscription; 'lanyard uninstall --grants' takes back all there are"
)
_WORDS = {
    Verb.CREATE: ("created", "to create"),
    Verb.CHANGE: ("changed", "to change"),
    Verb.REMOVE: ("removed", "to remove"),
    Verb.KEEP: ("as it should be", "as it should be"),
}


#: How many grants there are in a subscription.
type Count = Callable[[str], Awaitable[int]]


class Flow(Protocol):
    """The work on one subscription, or on a management group."""

    notes: list[str]

    @property
    def subscription(self) -> str:
        """Its id; of a management group the whole one, as ARM has it."""

    def go(self, *, write: bool) -> AsyncIterator[Step]:
        """The steps, done or planned."""


@dataclass(frozen=True, slots=True)
class Asking:
    """`command` is asked for; `yes`: without a question."""

    command: str
    terminal: Terminal
    dry_run: bool
    yes: bool
    json: bool

    async def run(
        self,
        subscriptions: Iterable[str],
        make: Callable[[str], Flow],
        count: Count | None = None,
    ) -> int:
        """Returns the exit code. `make` begins the work on a subscription; `count`: how many
        grants stay in it.
        """
        named = list(subscriptions)
        planned = [await planned_of(make(each), self.terminal) for each in named]
        failed, todo = any(each.failed for each in planned), any(each.changes for each in planned)
        if self.dry_run or failed or not todo:
            show_plans(planned, self.terminal)
            await self._end(planned, count, planned=True)
            return 1 if failed else CHANGES if todo else 0
        if not self.yes:
            show_plans(planned, self.terminal)
            self._show_left(await _left(planned, count))
        confirm(f"{self.command}: go on?", yes=self.yes, json=self.json)
        done = [await done_of(make(each), self.terminal) for each in named]
        await self._end(done, count, planned=False)
        return 1 if any(each.failed for each in done) else 0

    async def _end(self, watched: list[Watched], count: Count | None, *, planned: bool) -> None:
        left = await _left(watched, count)
        if self.json:
            documents = [each.as_json() for each in watched]
            for document, number in zip(documents, left, strict=False):
                document["grantsLeft"] = number
            Terminal.json({"version": 1, "dryRun": self.dry_run, "subscriptions": documents})
        self._show_left(left)
        if any(each.failed for each in watched):
            self.terminal.error(f"nothing was changed\n{_AGAIN}" if planned else _AGAIN)
        self.terminal.show((f"{self.command}: {summary(watched, planned=planned)}", "dim"))

    def _show_left(self, left: list[int]) -> None:
        if sum(left):
            show_notes(self.terminal, [f"{sum(left)} {_STAY}"])


async def _left(watched: Iterable[Watched], count: Count | None) -> list[int]:
    return [await count(each.subscription) for each in watched] if count else []


async def planned_of(flow: Flow, terminal: Terminal) -> Watched:
    """What would be done in a subscription; shown by `show_plans`."""
    watched = Watched(flow.subscription, notes=flow.notes)
    looked = f"{_place(flow.subscription)}: parts looked at"
    with terminal.counting() as counted:
        await watched.follow(flow.go(write=False), lambda _: counted(looked, len(watched.steps)))
    return watched


async def done_of(flow: Flow, terminal: Terminal) -> Watched:
    """What was done in a subscription, shown as it is done."""
    watched = Watched(flow.subscription, notes=flow.notes)
    terminal.show((_place(flow.subscription), "bold"))
    await watched.follow(flow.go(write=True), lambda step: show_step(terminal, step, planned=False))
    show_notes(terminal, flow.notes)
    return watched


def show_plans(planned: Iterable[Watched], terminal: Terminal) -> None:
    """The plans."""
    for watched in planned:
        terminal.show((_place(watched.subscription), "bold"))
        for step in watched.steps:
            show_step(terminal, step, planned=True)
        show_notes(terminal, watched.notes)


def _place(id_: str) -> str:
    return f"subscription {id_}" if is_guid(id_) else f"management group {last_name(id_)}"


def summary(watched: Iterable[Watched], *, planned: bool) -> str:
    """Counts in words."""
    steps = [step for each in watched for step in each.steps]
    failed = sum(bool(step.error) for step in steps)
    counts = Counter(step.verb for step in steps if not step.error)
    parts = [f"{counts[verb]} {words[planned]}" for verb, words in _WORDS.items() if counts[verb]]
    parts += [f"{failed} failed"] if failed else []
    return ", ".join(parts) or "nothing of it is there"
