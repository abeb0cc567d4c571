"""Work side by side: all of it is done, whatever fails."""

import asyncio

import pytest

from lanyard.sweep.at_once import at_once
from lanyard.values.errors import Temporary


async def test_one_that_fails_stops_no_other_and_is_raised_in_the_end() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        if number % 40 == 3:
            raise Temporary(f"number {number}", 1.0)
        done.append(number)

    with pytest.raises(Temporary, match="number 3"):
        await at_once(range(100), work)
    assert sorted(done) == [number for number in range(100) if number % 40 != 3]


async def test_some_are_worked_on_side_by_side_and_not_all() -> None:
    under_way, most = 0, 0

    async def work(_number: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await at_once(range(100), work)
    assert most == 16
