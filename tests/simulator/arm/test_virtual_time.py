"""Time that passes without anyone waiting."""

import asyncio

import pytest

from simulator.clock import Clock
from simulator.virtual_time import Stuck, run


def test_many_sleepers_end_in_order_and_at_their_own_times() -> None:
    ended: list[tuple[str, float]] = []

    async def main(clock: Clock) -> None:
        start = clock.now()

        async def sleeper(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            ended.append((name, round(clock.now() - start, 3)))

        async with asyncio.TaskGroup() as tasks:
            for name, seconds in (("hour", 3600), ("second", 1), ("day", 86400)):
                tasks.create_task(sleeper(name, seconds))

    run(main)
    assert ended == [("second", 1), ("hour", 3600), ("day", 86400)]


def test_a_deadline_strikes_in_virtual_time() -> None:
    async def main(clock: Clock) -> float:
        start = clock.now()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.sleep(61)
        return clock.now() - start

    assert run(main) == pytest.approx(60)


def test_what_nothing_can_end_is_an_error_and_no_standstill() -> None:
    async def main(_clock: Clock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run(main)


async def test_time_let_pass_by_several_overlaps_under_a_clock_that_stands_still() -> None:
    clock = Clock()
    start = clock.now()
    await asyncio.gather(clock.elapse(5), clock.elapse(3), clock.elapse(4))
    assert clock.now() - start == 5
