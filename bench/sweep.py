"""A sweep of a large estate in which all is as desired: calls, time and memory."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from time import process_time

from bench.baseline_estate import BaselineEstate
from bench.figures import Budget, Figure, Tell
from bench.latencies import DIRECTORY
from bench.options import Options
from bench.timed_estate import TimedEstate
from lanyard.record.ledger import ResourceRecord
from lanyard.sweep.report import SweepReport
from lanyard.values.resource_id import ResourceId
from simulator.arm.calls import Call
from simulator.clock import Clock
from simulator.faults import Fault
from simulator.seeding import Contents, Sizes, fill
from simulator.virtual_time import run
from tests.support.estate import Estate

_SUBSCRIPTIONS, _GROUPS = 3, 20
_PAGE = 1000
#: The baseline looks at so many machines; what it costs grows with their number alone.
_BASELINE_MACHINES = 100


@dataclass(frozen=True)
class _Swept:
    """One sweep. `seconds` of Azure's clock, `cpu` seconds of this process with the simulator in
    it; `peak` bytes that it allocated at most.
    """

    report: SweepReport
    calls: list[Call]
    directory: int
    principals: int
    seconds: float
    cpu: float
    peak: int


def measure(options: Options, tell: Tell) -> list[Figure]:
    """The same sweep twice: memory is traced in the second alone, because tracing takes time."""
    sizes = f"{options.resources:,} resources and {options.assignments:,} assignments"
    tell(f"{sizes}, time")
    timed = run(lambda clock: _sweep(clock, options, trace=False))
    tell(f"{sizes}, memory")
    traced = run(lambda clock: _sweep(clock, options, trace=True))
    tell(f"the baseline over {_BASELINE_MACHINES} machines")
    calls, seconds = _by_baseline()
    scale = options.resources / _BASELINE_MACHINES
    listed = timed.report.listed + _SUBSCRIPTIONS * _GROUPS  # the identities are listed, too
    pages = ceil(listed / _PAGE) + ceil(timed.report.assignments / _PAGE)
    least = pages + ceil(timed.principals / _PAGE) + 1  # the groups that a service manages
    made = Counter(f"{call.method} {call.path.split('/')[-2]}" for call in timed.calls)
    scaled = f"baseline: {_BASELINE_MACHINES} machines one by one, scaled"
    return [
        Figure(
            f"sweep of {sizes}: calls",
            len(timed.calls) + timed.directory,
            "calls",
            calls * scale,
            Budget(least),
            f"{', '.join(f'{n} {kind}' for kind, n in made.items())}, {timed.directory} directory; "
            f"{timed.principals} principals asked for; {scaled}",
        ),
        Figure("sweep: time on Azure's clock", timed.seconds, "s", seconds * scale, detail=scaled),
        Figure("sweep: CPU time, the simulator's included", timed.cpu, "s"),
        Figure("sweep: memory allocated at most", traced.peak / 2**20, "MB"),
    ]


async def _sweep(clock: Clock, options: Options, *, trace: bool) -> _Swept:
    estate = TimedEstate(clock)
    contents = fill(
        estate.azure,
        Sizes(
            subscriptions=_SUBSCRIPTIONS,
            groups=_GROUPS,
            machines=options.resources // 2,
            web_apps=options.resources - options.resources // 2,
            identities=_SUBSCRIPTIONS * _GROUPS,
            system_assigned=0,
            user_assigned=1,
            assignments=options.assignments,
        ),
    )
    await adopt(estate, contents)
    directory = estate.azure.faults.add(Fault(service="graph", times=None, delay=DIRECTORY))
    started, cpu = clock.now(), process_time()
    if trace:
        tracemalloc.start()
    report = await estate.instance().sweeps.run()
    peak = tracemalloc.get_traced_memory()[1] if trace else 0
    tracemalloc.stop()
    if (report.listed, report.drifted) != (options.resources, 0):
        raise AssertionError(f"not the estate that was meant: {report}")
    principals = {each.principal_id for each in estate.azure.state.role_assignments.values()}
    return _Swept(
        report,
        estate.take_calls(),
        directory.hits,
        len(principals),
        clock.now() - started,
        process_time() - cpu,
        peak,
    )


async def adopt(estate: Estate, contents: Contents) -> None:
    """The app may read everywhere, the policy asks for what is there, and it is on record."""
    for subscription in contents.subscriptions:
        estate.azure.assign(estate.app.object_id, "Reader", f"/subscriptions/{subscription}")
    estate.change_policy("\n".join(_policy(contents)))
    for identity in contents.identities:
        principal = estate.azure.state.resources[identity.lower()].properties["principalId"]
        await estate.identity_ledger.learn_principal(ResourceId.parse(identity), principal)
    for resource in (*contents.machines, *contents.web_apps):
        await estate.ledger.save(ResourceRecord(id=ResourceId.parse(resource)))


def _policy(contents: Contents) -> Iterator[str]:
    """A rule a group: its resources have the group's one identity."""
    yield from ("version: 1", "mode: full", "identities:")
    for number, identity in enumerate(contents.identities):
        yield f"  identity-{number}: {{id: {identity}}}"
    yield "rules:"
    for number, group in enumerate(contents.groups):
        types = "[Microsoft.Compute/virtualMachines, Microsoft.Web/sites]"
        yield f"  - name: group {number}"
        yield f"    match: {{types: {types}, scopes: [{group}]}}"
        yield f"    attach: [identity-{number}]"


def _by_baseline() -> tuple[int, float]:
    """Calls and seconds to look at every machine, each of which has what it needs."""
    world = BaselineEstate(_BASELINE_MACHINES)
    world.handle(*world.events)
    world.take_calls()
    seconds = world.handle(*world.events)
    return len(world.take_calls()), seconds
