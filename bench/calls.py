"""ARM calls for each thing that happens to a machine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bench.baseline_estate import BaselineEstate
from bench.figures import Budget, Figure, Tell
from bench.options import Options
from bench.timed_estate import TimedEstate, is_poll, machine_events
from simulator.arm.calls import Call
from simulator.clock import Clock
from simulator.virtual_time import run

type Event = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One thing that happens; `budget`: the calls it may cost, polls of the operation left out."""

    name: str
    budget: int | None = None


# What manages the group of each is asked besides, once in five minutes for all that is in it.
_GROUP = 1
NEW = Case("new machine", 3 + _GROUP)  # GET, PATCH, and the GET that reads it back
UNCHANGED = Case("event of a machine that is as desired", 1 + _GROUP)
OWN_WRITE = Case("our own write coming back as an event", 0)
FIVE = Case("five events of one machine at once", 1 + _GROUP)
DELETED = Case("deleted machine, others have the same access")
LAST = Case("deleted machine, the last of its group")
CASES = (NEW, UNCHANGED, OWN_WRITE, FIVE, DELETED, LAST)


def measure(_options: Options, tell: Tell) -> list[Figure]:
    """A row each, and one for the polls of a new machine."""
    tell("calls by the product")
    product = run(_by_product)
    tell("calls by the baseline")
    baseline = _by_baseline()
    rows = [_figure(case, product[case], baseline[case]) for case in CASES]
    polls = Figure(
        "polls of a new machine's PATCH",
        _polls(product[NEW]),
        "calls",
        _polls(baseline[NEW]),
    )
    return [rows[0], polls, *rows[1:]]


def _figure(case: Case, product: list[Call], baseline: list[Call]) -> Figure:
    return Figure(
        f"ARM calls: {case.name}",
        len(product) - _polls(product),
        "calls",
        len(baseline) - _polls(baseline),
        None if case.budget is None else Budget(case.budget),
        ", ".join(call.method for call in product if not is_poll(call)) or "none",
    )


def _polls(calls: list[Call]) -> int:
    return sum(is_poll(call) for call in calls)


async def _by_product(clock: Clock) -> dict[Case, list[Call]]:
    estate = TimedEstate(clock)
    await estate.prepare()
    calls: dict[Case, list[Call]] = {}

    async def count(case: Case, happen: Callable[[], Awaitable[object]], times: int = 1) -> None:
        await happen()
        events = machine_events(estate)
        estate.azure.calls.clear()
        await estate.work_off(events[-1:] * times)
        calls[case] = estate.take_calls()

    await count(NEW, lambda: estate.create_machines(1, first=1))
    own_write = machine_events(estate)
    await estate.work_off(own_write)
    calls[OWN_WRITE] = estate.take_calls()
    await count(UNCHANGED, lambda: estate.create_machines(1, first=1))
    await count(FIVE, lambda: estate.create_machines(1, first=1), times=5)
    await count(DELETED, lambda: estate.delete_vm("vm-00001"))
    await count(LAST, lambda: estate.delete_vm("vm-00000"))
    return calls


def _by_baseline() -> dict[Case, list[Call]]:
    world = BaselineEstate(1)
    world.handle(*world.events)
    calls: dict[Case, list[Call]] = {}

    def count(case: Case, events: list[Event], times: int = 1) -> None:
        world.take_calls()
        world.handle(*(events[-1:] * times))
        calls[case] = world.take_calls()

    count(NEW, world.new_machine("vm-00001"))
    count(OWN_WRITE, world.new_events())
    count(UNCHANGED, world.new_machine("vm-00001"))
    count(FIVE, world.new_machine("vm-00001"), times=5)
    count(DELETED, world.deleted_machine("vm-00001"))
    count(LAST, world.deleted_machine("vm-00000"))
    return calls
