"""Cases C25: what was in hand when a process ended never failed, and is not given up for it."""

import asyncio
import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.timed_estate import TimedEstate, machine_events
from handlers import sweep as sweep_handler
from lanyard.app import composition
from lanyard.app.composition import App
from lanyard.app.lost_attempts import MOST_LOST
from lanyard.queue.locks import Arrival
from lanyard.queue.messages import decode, encode
from lanyard.queue.retry import MAX_DELIVERIES, PUT_ANEW
from lanyard.reconcile.resource import Reconciler
from lanyard.values.change import Change
from lanyard.values.errors import Temporary
from simulator.clock import Clock
from simulator.faults import Fault
from simulator.functions_host.queue_listener import VISIBILITY
from simulator.virtual_time import run
from tests.support.cases import Rules, attached, begun, pass_time
from tests.support.estate import Estate, invocation

ACCEPTED = Rules(options={"imdsDefault": "accept"})


async def reasons(estate: Estate) -> list[str]:
    """Of what is on record as given up."""
    recorded = await estate.recorded()
    return [d.reason for d in recorded if "given up, because" in d.reason]


def test_case_C25_the_hosts_limit_is_what_the_handler_goes_by() -> None:
    host = json.loads(Path("host.json").read_text())
    assert host["extensions"]["queues"]["maxDequeueCount"] == MAX_DELIVERIES
    assert MAX_DELIVERIES > 6, "six ends of a host in a row give nothing up"


async def test_case_C25_what_the_host_gave_up_is_done_after_the_next_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    machines = [await estate.create_vm(f"vm{number}") for number in range(8)]
    estate.new_events()
    for machine in machines:
        estate.poison.host_gives_up(encode(Change(machine, "event", since=1.0)).encode())
    await estate.lost_attempts.put_back()
    assert [change.since for change, _ in estate.queue.messages] == [None] * 8
    await pass_time(estate)
    assert [attached(estate, machine) for machine in machines] == [["id-old"]] * 8
    assert (estate.poison.lying, await reasons(estate)) == ([], [])


async def test_case_C25_what_ends_its_process_each_time_is_on_record_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    body = encode(Change(estate.vm_id("vm1"), "event"))
    for number in range(MOST_LOST):
        estate.poison.host_gives_up(body.encode())
        await estate.lost_attempts.put_back()
        ((change, wait),) = estate.queue.messages
        estate.queue.messages = []
        assert change.lost == number + 1
        assert bool(wait) == bool(number), "beside other messages, from the second time on"
        body = encode(change)
    estate.poison.host_gives_up(body.encode())
    for _ in range(2):  # it does not end any more, so it is put on record once
        await estate.lost_attempts.put_back()
        assert estate.poison.lying == [(body.encode(), False)]
    (reason,) = await reasons(estate)
    assert "the app's process ended each time it was in hand" in reason


async def test_case_C25_what_the_host_could_not_hand_over_is_on_record_and_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    estate.poison.host_gives_up(b"\xff no message")
    for _ in range(2):
        await estate.lost_attempts.put_back()
    assert estate.poison.lying == [(b"\xff no message", False)]
    (reason,) = await reasons(estate)
    assert "no message of this queue" in reason


async def test_case_C25_what_lanyard_gave_up_waits_for_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    estate.azure.faults.add(Fault(caller=estate.app.object_id, status=503, times=None))
    await estate.worker.process(Change(estate.vm_id("vm1"), "retry", attempt=12))
    (kept,) = estate.poison.lying
    await estate.lost_attempts.put_back()
    assert (estate.poison.lying, estate.queue.messages) == ([kept], [])
    assert len(await reasons(estate)) == 1


@pytest.mark.parametrize("error", [Temporary("503", 5.0), ValueError("lanyard.yaml:3:1: no rule")])
async def test_case_C25_what_is_not_its_fault_uses_up_no_message(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")

    async def app() -> App:
        raise error

    monkeypatch.setattr(composition, "app", app)
    change = Change(estate.vm_id("vm1"), "event", since=1.0)
    for count in range(1, PUT_ANEW):
        with pytest.raises(type(error)):
            await estate.work(encode(change), dequeue_count=count)
    anew = await estate.work(encode(change), dequeue_count=PUT_ANEW)
    assert anew is not None
    assert decode(anew).resource == change.resource
    assert decode(anew).since is None, "it may have served for others that are gone"
    assert (estate.poison.lying, await reasons(estate)) == ([], [])


async def test_case_C25_an_outage_is_an_attempt_that_is_counted_in_the_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    estate.azure.faults.add(Fault(caller=estate.app.object_id, status=503, times=None))
    assert await estate.work(encode(Change(estate.vm_id("vm1"), "event")), dequeue_count=9) is None
    ((change, _),) = estate.queue.messages
    assert change.attempt == 1


async def test_case_C25_a_message_that_comes_twice_does_not_serve_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    change = Change(estate.vm_id("vm1"), "event")
    locks = estate.worker.locks
    first = locks.enter(change, Arrival(1.0, message_id="m-1"))
    again = locks.enter(change, Arrival(1.0, redelivered=True, message_id="m-1"))
    assert first is not None
    assert again is not None, "it would be deleted while the work still lies before it"
    assert locks.enter(change, Arrival(2.0, message_id="m-2")) is None, "another one is served"


async def test_case_C25_the_hourly_sweep_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    vm = await estate.create_vm("vm1")
    estate.new_events()
    estate.poison.host_gives_up(encode(Change(vm, "event")).encode())
    timer = SimpleNamespace(past_due=False)
    await sweep_handler.sweep._function.get_user_function()(timer, invocation())
    await pass_time(estate)
    assert (attached(estate, vm), estate.poison.lying) == (["id-old"], [])


async def test_case_C25_a_poison_queue_that_cannot_be_read_keeps_no_sweep_from_its_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    vm = await estate.create_vm("vm1")
    estate.new_events()

    async def refused() -> int:
        raise Temporary("the poison queue cannot be read", 0.0)

    monkeypatch.setattr(estate.poison, "count", refused)
    timer = SimpleNamespace(past_due=False)
    with pytest.raises(Temporary, match="the poison queue"):
        await sweep_handler.sweep._function.get_user_function()(timer, invocation())
    await pass_time(estate)
    assert attached(estate, vm) == ["id-old"]


def test_case_C25_eight_messages_in_hand_of_a_host_that_ends_six_times_are_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the listener of the project's own host, in whose time nobody waits."""

    async def main(clock: Clock) -> None:
        estate = TimedEstate(clock)
        await estate.prepare()
        await estate.create_machines(8, first=1)
        await estate.take_in(machine_events(estate))
        with monkeypatch.context() as patched:
            patched.setattr(Reconciler, "reconcile", for_ever)
            for _ in range(6):
                await end_with_all_in_hand(estate)
        async with estate.working(1):
            await estate.work_queue.emptied()
        estate.check_attached(9)
        assert estate.work_queue.poison is not None
        assert (estate.work_queue.poison.length, await reasons(estate)) == (0, [])

    run(main)


async def for_ever(_self: Reconciler, _change: Change) -> None:
    await asyncio.sleep(math.inf)


async def end_with_all_in_hand(estate: TimedEstate) -> None:
    """A host takes all that waits, and is killed; the ten minutes pass."""
    before = asyncio.all_tasks()
    listener = estate.listener(estate.instance().worker)
    host = asyncio.create_task(listener.run())
    await asyncio.sleep(20)
    assert len(listener._running) == 8
    ended = asyncio.all_tasks() - before
    for task in ended:
        task.cancel()
    await asyncio.gather(host, *ended, return_exceptions=True)
    await asyncio.sleep(VISIBILITY)
