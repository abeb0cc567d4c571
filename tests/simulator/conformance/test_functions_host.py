"""Our Functions host does what Microsoft's was seen to do: webhook, queue, timers, schedules."""

import re
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simulator.functions_host.errors import StartError
from simulator.functions_host.host_json import QueueOptions, read_host_json
from simulator.functions_host.ncrontab import Schedule, parse_schedule
from simulator.functions_host.queue_listener import polling_pauses
from tests.support.host_recordings import queue, timers, webhook
from tests.support.host_recordings.differences import (
    QUEUE_NOT_REPLAYED,
    SCHEDULES,
    TIMERS_NOT_REPLAYED,
    WEBHOOK,
    WEBHOOK_NOT_REPLAYED,
    Reason,
    reason_of,
)
from tests.support.host_recordings.rows import FOLDER, Row, rows

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/host absent")

_NEEDLESS = "a reason that nothing needs any more"


def replayed(name: str, left_out: tuple[Reason, ...]) -> list[Row]:
    found = rows(name)
    needed = {reason.text for row in found if (reason := reason_of(left_out, row))}
    assert needed == {reason.text for reason in left_out}, _NEEDLESS
    return [row for row in found if not reason_of(left_out, row)]


async def test_the_webhook_answers_and_calls_as_recorded() -> None:
    passing = set()
    requests = replayed("eventgrid", WEBHOOK_NOT_REPLAYED)
    for row in requests:
        reason, ours = reason_of(WEBHOOK, row), await webhook.answer(row)
        if reason is None:
            assert ours == webhook.expected(row), row["name"]
        elif ours["status"] != row["response"]["status"]:
            passing.add(reason.text)
    assert len(requests) >= 130
    assert passing == {reason.text for reason in WEBHOOK}, _NEEDLESS


def test_a_message_is_decoded_run_given_back_and_put_aside_as_recorded() -> None:
    stories = replayed("queue", QUEUE_NOT_REPLAYED)
    for row in stories:
        played = queue.played(row, queue.contents_of(row), queue.seconds_of(row))
        assert without_times(played.calls) == without_times(queue.recorded_calls(row)), row["name"]
        observed = row["observed"]
        unhandled = observed.get("unhandled (the Functions host then stops the application)")
        assert played.ended == bool(unhandled), row["name"]
        if "in_poison" in observed:
            assert played.poison == [one["text"] for one in observed["in_poison"]], row["name"]
    assert len(stories) >= 30


def test_a_failing_message_comes_again_as_fast_as_recorded() -> None:
    (row,) = (row for row in rows("queue") if row["name"] == "a function that always fails")
    played = queue.played(row, queue.contents_of(row), 180)
    for ours, theirs in zip(gaps(played.calls), gaps(row["observed"]["calls"]), strict=True):
        assert ours == pytest.approx(theirs, abs=1)


def test_a_long_call_is_renewed_as_recorded() -> None:
    (row,) = (row for row in rows("queue") if row["name"] == "a function that runs 640 s")
    played = queue.played(row, queue.contents_of(row), 700)
    assert played.renewed_at == pytest.approx([300, 600], abs=1)
    assert played.left == row["observed"]["left"]


def test_as_many_messages_are_worked_on_at_once_as_recorded() -> None:
    (row,) = (row for row in rows("queue") if row["name"].startswith("1200 messages"))
    content = queue.as_stored('{"ms": 3000}')
    played = queue.played(row, [content] * 600, 10)
    assert played.most_at_once == row["observed"]["max_parallel"]


def test_an_idle_queue_is_polled_as_recorded() -> None:
    for row in (row for row in rows("queue") if row["name"].startswith("polling of an empty")):
        said = " ".join(row["observed"]["idle"])
        waits = [float(each) / 1000 for each in re.findall(r"will wait ([\d.]+) ms", said)]
        lowest, highest = polling_pauses(1, Extreme(0)), polling_pauses(1, Extreme(1))
        for wait, least, most in zip(waits, lowest, highest, strict=False):
            assert least - 0.001 <= wait <= most + 0.001, row["name"]


class Extreme(Random):
    """Throws the lowest or the highest alone."""

    def __init__(self, end: int) -> None:
        super().__init__()
        self._end = end

    def uniform(self, a: float, b: float) -> float:
        return (a, b)[self._end]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row["name"])
        for row in rows("queue")
        if row["name"].startswith("option ")
    ],
)
def test_an_option_is_taken_or_refused_as_recorded(row: Row, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    ((name, value),) = row["settings"].items()
    settings = {f"AzureFunctionsJobHost__extensions__queues__{name}": value}
    refused = "Exception" in row["observed"]["result"]
    if refused:
        with pytest.raises(StartError):
            read_host_json(tmp_path, settings)
    else:
        assert isinstance(read_host_json(tmp_path, settings).extensions.queues, QueueOptions)


def test_timers_fire_as_recorded() -> None:
    for row in replayed("timers", TIMERS_NOT_REPLAYED):
        if row["start"] == "started":
            assert timers.played(row) == timers.recorded(row), row["name"]
        else:
            with pytest.raises(ValueError, match=r"second|never"):
                timers.played(row)


def test_schedules_come_due_as_recorded() -> None:
    needed = set()
    for row in rows("ncrontab"):
        if next_times(row) != row.get("next"):
            reason = reason_of(SCHEDULES, row)
            assert reason is not None, row
            needed.add(reason.text)
    assert needed == {reason.text for reason in SCHEDULES}, _NEEDLESS


def next_times(row: Row) -> list[str] | None:
    """None: it is refused."""
    schedule = parsed(row["expression"])
    if schedule is None:
        return None
    moment, found = datetime.fromisoformat(row["from"]), []
    for _ in range(3):
        moment = schedule.next_after(moment)
        found.append(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return found


@cache
def parsed(expression: str) -> Schedule | None:
    """None: it is refused."""
    try:
        return parse_schedule(expression)
    except ValueError:
        return None


def without_times(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in call.items() if key != "at"} for call in calls]


def gaps(calls: list[dict[str, Any]]) -> list[float]:
    return [later["at"] - earlier["at"] for earlier, later in pairwise(calls)]
