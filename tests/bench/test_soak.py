"""`make soak`: what it compares, and that it sees what is left over. A real host, no timing."""

from pathlib import Path

import pytest

from bench.soak import growth
from bench.soaked import soaking
from demo.hosts import OURS
from demo.stack import LOCATION, SHOP


@pytest.mark.parametrize(
    ("megabytes", "grown"),
    [
        ([200.0] * 10 + [100.0] * 50, 0.0),  # what it takes to warm up counts for nothing
        ([100.0] * 55 + [107.0] * 5, 0.07),
        ([100.0] * 59 + [500.0], 0.0),  # one reading is no growth
        ([90.0, 100.0, 110.0], 0.1),
    ],
)
def test_growth_is_from_when_it_is_warm_to_the_end(megabytes: list[float], grown: float) -> None:
    assert growth(megabytes) == pytest.approx(grown)


async def test_what_is_read_each_minute_and_that_a_machine_that_stays_is_left_over(
    tmp_path: Path,
) -> None:
    async with soaking(tmp_path, OURS) as soak:
        operator = soak.stack.operator
        await operator.create_vm(SHOP, "vm-goes", LOCATION)
        await soak.stack.quiet()
        found = await soak.read()
        assert found.megabytes > 10
        assert found.held > 0
        assert (found.queue, found.lives) == (0, 0)
        assert found.decisions >= 4  # attached, assigned: intended and done
        await operator.delete_vm(SHOP, "vm-goes")
        assert await soak.end() == []
        await operator.create_vm(SHOP, "vm-stays", LOCATION)
        assert await soak.end() == [
            "1 rows of resources",
            "1 rows of claims",
            "1 machines",
            f"1 role assignments at {SHOP}",
        ]
