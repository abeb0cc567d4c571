"""Timers that are past due come together, and a sweep ends before its time is over."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from lanyard.app.sweeping import SWEEP_SECONDS
from lanyard.sweep.sweep import _AT_A_TIME, Sweep
from lanyard.values.change import Change
from lanyard.values.errors import Temporary
from tests.support.estate import Estate
from tests.support.handlers import started

HOST = json.loads((Path(__file__).parents[2] / "host.json").read_text())


def test_a_sweep_ends_well_before_the_host_would_end_it() -> None:
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    limit = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    assert SWEEP_SECONDS + 600 <= limit < 3600, "and before the next one begins"


async def test_two_at_once_are_one(estate: Estate) -> None:
    another = estate.instance()
    reports = await asyncio.gather(
        estate.sweeps.run_alone(), estate.sweeps.run_alone(), another.sweeps.run_alone()
    )
    assert [report is not None for report in reports] == [True, False, False]
    assert await another.sweeps.run_alone() is not None


async def test_one_that_failed_leaves_the_next_its_place(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_self: object) -> None:
        raise Temporary("503", 5.0)

    with monkeypatch.context() as patched:
        patched.setattr(Sweep, "run", fails)
        with pytest.raises(Temporary):
            await estate.sweeps.run_alone()
    assert await estate.sweeps.run_alone() is not None


async def test_one_whose_time_is_over_says_so_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(), monkeypatch)
    count = _AT_A_TIME + 20
    for number in range(count):
        await estate.create_vm(f"vm{number:03}")
    estate.new_events()  # all lost
    clock, put = estate.azure.clock, estate.queue.put

    async def slowly(change: Change, delay: float = 0) -> None:
        clock.advance(SWEEP_SECONDS / _AT_A_TIME)
        await put(change, delay)

    monkeypatch.setattr(estate.queue, "put", slowly)
    first = await estate.sweeps.run()
    assert (first.cut_short, len(estate.queue.messages)) == (True, _AT_A_TIME)
    *_, (_, outcome, reason) = await estate.decisions()
    assert (outcome, "its time was over" in reason) == ("done", True)
    assert not await estate.services.kill_switch.reported(), "its first look is not over"
    clock.advance(1200)
    second = await estate.sweeps.run()
    assert (second.cut_short, len(estate.queue.messages)) == (False, count)
    assert len({change.resource.key for change, _ in estate.queue.messages}) == count


async def test_one_that_cannot_read_everything_in_time_puts_nothing_on_the_queue(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    estate.new_events()
    sweep = Sweep(estate.policy, estate.services, estate.queue.put, until=0.0)
    with pytest.raises(Temporary, match="took all the time"):
        await sweep.run()
    assert (sweep.put, estate.queue.messages) == (0, [])
