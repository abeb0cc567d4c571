"""A sweep of a hundred thousand resources, and of a tenth of them: what grows, and what may not."""

import gc
import tracemalloc
from dataclasses import dataclass
from math import ceil
from time import process_time

from bench.figures import Budget, Figure, Tell
from bench.options import Options
from bench.prepared import PreparedAnswers, PreparedTable, watched
from bench.sweep import adopt
from lanyard.sweep.report import SweepReport
from simulator.azure import Azure
from simulator.clock import Clock
from simulator.seeding import Sizes, fill
from simulator.virtual_time import run
from tests.support.estate import POLICY, Estate

_SUBSCRIPTIONS, _GROUPS = 25, 20
_PAGE = 1000
#: Of CPU, of memory in MB and its growth, and of one turn of the event loop.
_SECONDS, _MEGABYTES, _GROWTH, _HOLD = 30.0, 200.0, 1.5, 0.1


@dataclass(frozen=True)
class _Swept:
    """`cpu` seconds of this process, `hold` those of the event loop's longest turn; `peak` bytes
    that the sweep allocated at most.
    """

    report: SweepReport
    calls: int
    least: int
    cpu: float
    hold: float
    peak: int


def measure(options: Options, tell: Tell) -> list[Figure]:
    """The same estate in two sizes; memory is traced in a run of its own."""
    small, large = (
        run(lambda clock, times=times: _measured(clock, options, times, tell))  # type: ignore[misc]
        for times in (1, 10)
    )
    listed, assignments = 10 * options.resources, 10 * options.assignments
    sizes = f"{listed:,} resources, {assignments:,} assignments"
    tenth = f"of a tenth: {{}}; {_SUBSCRIPTIONS} subscriptions, {_SUBSCRIPTIONS * _GROUPS} rules"
    return [
        Figure(f"sweep of {sizes}: calls", large.calls, "calls", None, Budget(large.least)),
        Figure(
            "large sweep: the product's own CPU time",
            large.cpu,
            "s",
            None,
            Budget(_SECONDS),
            tenth.format(f"{small.cpu:.2f} s"),
        ),
        Figure(
            "large sweep: memory allocated at most",
            large.peak / 2**20,
            "MB",
            None,
            Budget(_MEGABYTES),
            tenth.format(f"{small.peak / 2**20:.1f} MB"),
        ),
        Figure(
            "large sweep: memory ÷ that of a tenth",
            large.peak / small.peak,
            "",
            None,
            Budget(_GROWTH),
        ),
        Figure(
            "large sweep: the event loop's longest turn",
            large.hold,
            "s",
            None,
            Budget(_HOLD),
            tenth.format(f"{small.hold:.3f} s"),
        ),
    ]


async def _measured(clock: Clock, options: Options, times: int, tell: Tell) -> _Swept:
    resources, assignments = times * options.resources, times * options.assignments
    tell(f"{resources:,} resources and {assignments:,} assignments are made")
    estate = Estate(POLICY, Azure(seed=7, clock=clock), PreparedTable)
    contents = fill(
        estate.azure,
        Sizes(
            subscriptions=_SUBSCRIPTIONS,
            groups=_GROUPS,
            machines=resources // 2,
            web_apps=resources - resources // 2,
            identities=_SUBSCRIPTIONS * _GROUPS,
            system_assigned=0,
            user_assigned=1,
            assignments=assignments,
        ),
    )
    await adopt(estate, contents)
    answers = PreparedAnswers(estate.azure.app, clock)
    estate.azure.transport = lambda: answers  # type: ignore[method-assign]
    tell(f"{resources:,} resources: Azure's answers are prepared")
    estate.azure.calls.clear()
    sweeps = estate.instance().sweeps
    first = await sweeps.run()
    calls, answers.complete = len(estate.azure.calls), True
    listed = first.listed + len(contents.identities)
    least = ceil(listed / _PAGE) + ceil(first.assignments / _PAGE) + 2  # groups, and the directory
    tell(f"{resources:,} resources: time")
    # The collector need not go through what is the simulator's.
    gc.collect()
    gc.freeze()
    started = process_time()
    with watched() as holds:
        report = await sweeps.run()
    cpu = process_time() - started
    gc.unfreeze()
    tell(f"{resources:,} resources: memory")
    tracemalloc.start()
    await sweeps.run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if (report.listed, report.drifted) != (resources, 0):
        raise AssertionError(f"not the estate that was meant: {report}")
    return _Swept(report, calls, least, cpu, holds.longest, peak)
