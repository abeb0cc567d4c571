"""What waits without end is one message, and after a day a person sees it."""

import pytest

from lanyard.queue.locks import Arrival
from lanyard.values.change import Change
from tests.support.cases import HOUR, MINUTE, begun, held, pass_time
from tests.support.compute_examples import MACHINE
from tests.support.estate import Estate

SYSTEM = (
    "version: 1\nmode: full\nrules:\n  - name: all\n"
    f"    match: {{types: [{MACHINE.type}]}}\n    system: true\n"
)


async def test_what_waits_is_one_message_and_not_one_more_for_each_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The directory still knows the principal of a machine that is gone."""
    estate = await one_that_waits(monkeypatch)
    waiting: list[tuple[float, float, Change]] = []
    most = 0
    for number in range(27):
        await estate.sweeps.run()
        waiting = await work(estate, waiting)
        most = max(most, len(waiting))
        assert waiting, "it is not forgotten"
        if number == 20:
            assert not await held(estate)
    assert most == 1
    (entry,) = (await held(estate)).values()
    assert "the directory still knows principal" in entry.refusal.reason
    estate.azure.behaviour.directory_lag_seconds = 0.0
    await work(estate, waiting)
    assert not await held(estate), "it goes on by itself"


async def one_that_waits(monkeypatch: pytest.MonkeyPatch) -> Estate:
    estate = await begun(monkeypatch, SYSTEM)
    await estate.create_vm("vm1")
    await pass_time(estate)
    estate.azure.behaviour.directory_lag_seconds = 1e9
    await estate.delete_vm("vm1")
    await pass_time(estate, MINUTE)
    return estate


async def work(
    estate: Estate, waiting: list[tuple[float, float, Change]]
) -> list[tuple[float, float, Change]]:
    """Work on all that is due within the hour; what is left, as (put, due, message)."""
    clock = estate.azure.clock
    end = clock.now() + HOUR
    while True:
        put, estate.queue.messages = estate.queue.messages, []
        waiting = waiting + [(clock.now(), clock.now() + delay, each) for each, delay in put]
        waiting.sort(key=lambda message: message[1])
        if not waiting or waiting[0][1] > end:
            clock.advance(end - clock.now())
            return waiting
        came, due, change = waiting.pop(0)
        clock.advance(max(due - clock.now(), 0.0))
        await estate.worker.process(change, Arrival(came))
