"""One machine and a burst of them, in Microsoft's own Functions host beside ours, in real time."""

import asyncio
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from statistics import median

from bench.figures import Figure, Tell
from bench.options import Options
from demo.hosts import MAKERS, MICROSOFT, OURS
from demo.stack import LOCATION, SHOP, Stack, running
from simulator.compute.models import TYPE as MACHINE
from simulator.functions_host.microsoft import missing
from simulator.state import Resource

_BURST = 40
_OPERATION_SECONDS = 0.2


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Nothing where Microsoft's host is not at hand, which `tell` says."""
    if reason := missing():
        tell(reason)
        return []
    singles, bursts = {}, {}
    for host in (OURS, MICROSOFT):
        tell(f"{options.runs} machines, one after the other, and {_BURST} at once; host: {host}")
        singles[host], bursts[host] = asyncio.run(_seconds(host, options.runs))
    return [
        Figure(
            "one machine in Microsoft's host ÷ the same in ours",
            median(singles[MICROSOFT]) / median(singles[OURS]),
            "",
            detail=f"median of {options.runs}, creation to identity: Microsoft's "
            f"{median(singles[MICROSOFT]):.2f} s, ours {median(singles[OURS]):.2f} s; "
            f"an operation takes {_OPERATION_SECONDS:g} s",
        ),
        Figure(
            f"burst of {_BURST} machines in Microsoft's host ÷ the same in ours",
            bursts[MICROSOFT] / bursts[OURS],
            "",
            detail=f"to the last identity: Microsoft's {bursts[MICROSOFT]:.1f} s, "
            f"ours {bursts[OURS]:.1f} s",
        ),
    ]


async def _seconds(host: str, runs: int) -> tuple[list[float], float]:
    """Of each single machine, and of the whole burst."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with running(
            Path(folder),
            lambda _title: nullcontext(),
            operation_seconds=_OPERATION_SECONDS,
            make_host=MAKERS[host],
        ) as stack:
            singles = [await _until_served(stack, [f"vm-one-{number}"]) for number in range(runs)]
            names = [f"vm-burst-{number}" for number in range(_BURST)]
            return singles, await _until_served(stack, names)


async def _until_served(stack: Stack, names: list[str]) -> float:
    """Seconds from their creation to the last one's identity, as the local Azure has it."""
    group = stack.operator.group(SHOP)
    left = {f"{group}/providers/{MACHINE}/{name}".lower() for name in names}
    loop, served = asyncio.get_running_loop(), asyncio.Event()

    def look(key: str, _before: Resource | None, after: Resource | None) -> None:
        if after is not None and after.identity and key in left:
            left.discard(key)
            if not left:
                loop.call_soon_threadsafe(served.set)

    stack.azure.state.resources.observe(look)
    started = time.perf_counter()
    await asyncio.gather(*(stack.operator.create_vm(SHOP, name, LOCATION) for name in names))
    await served.wait()
    return time.perf_counter() - started
