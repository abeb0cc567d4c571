"""When the app sweeps next, as its timers have it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lanyard.app.timetable import POLICY_MINUTES, SWEEP_MINUTE, first_sweep, next_sweep

HANDLERS = Path(__file__).parents[2] / "handlers"


def schedule(handler: str) -> str:
    (found,) = re.findall(r'schedule="([^"]+)"', (HANDLERS / f"{handler}.py").read_text())
    return str(found)


def test_it_is_that_of_the_timers() -> None:
    assert schedule("sweep") == f"0 {SWEEP_MINUTE} * * * *"
    assert schedule("policy_changes") == f"0 */{POLICY_MINUTES} * * * *"


@pytest.mark.parametrize(
    ("now", "first", "following"),
    [
        ("12:00:00", "12:05", "12:17"),
        ("12:04:59", "12:05", "12:17"),
        ("12:05:00", "12:10", "12:17"),
        ("12:16:59", "12:20", "12:17"),
        ("12:17:00", "12:20", "13:17"),
        ("12:58:00", "13:00", "13:17"),
        ("23:58:00", "00:00", "00:17"),
    ],
)
def test_the_next_sweep_and_the_first(now: str, first: str, following: str) -> None:
    at = datetime.fromisoformat(f"2026-11-30T{now}").replace(tzinfo=UTC)
    assert f"{first_sweep(at):%H:%M}" == first
    assert f"{next_sweep(at):%H:%M}" == following
    assert first_sweep(at) > at
    assert next_sweep(at) > at
