"""The benches do what they measure. No timing of this computer is asserted."""

from dataclasses import replace
from functools import partial
from unittest import mock

from bench import burst, calls, cold_start, delivery, one_machine, stopped_hour, sweep
from bench.baseline_estate import BaselineEstate
from bench.figures import Figure
from bench.options import Options
from bench.queue import TimedQueue
from lanyard.app.intake import Delivery
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.arm.throttling import Throttle
from simulator.azure import Azure
from simulator.clock import Clock
from simulator.virtual_time import run
from tests.support.estate import BLOB_READER

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
SMALL = Options(machines=220, instances=4, runs=1, resources=300, assignments=120, moments=21)


def silent(_text: str) -> None:
    pass


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_the_baseline_attaches_assigns_once_and_cleans_up_after_the_last_machine() -> None:
    world = BaselineEstate(2)
    world.handle(*world.events)
    scope = f"{world.estate.scope}/resourceGroups/rg-app"
    assert [(role, at) for role, at, _ in world.estate.assignments()] == [(BLOB_READER, scope)]
    world.new_events()  # of its own writes
    world.handle(*world.deleted_machine("vm-00000"))
    assert len(world.estate.assignments()) == 1
    world.handle(*world.deleted_machine("vm-00001"))
    assert world.estate.assignments() == []


def test_the_baseline_takes_the_time_that_azure_takes() -> None:
    world = BaselineEstate(1)
    work_before = len(world.azure.operations.all())
    seconds = world.handle(*world.events)
    (attached,) = world.azure.operations.all()[work_before:]
    assert seconds > attached.ends_at - attached.started_at


def test_a_burst_ends_with_every_machine_attached_and_no_faster_than_the_bucket_allows() -> None:
    with mock.patch.object(burst, "BURSTS", 1):
        time, refused = burst.measure(SMALL, silent)
    assert time.value > 1
    assert time.baseline is not None
    assert time.baseline > time.value
    assert refused.baseline == 0


def test_an_azure_can_be_had_that_does_not_tell_what_is_left_of_reads() -> None:
    throttle = Throttle(Azure().state)
    with burst.untold_of_reads():
        assert throttle.arm("GET", SUBSCRIPTION, "caller") == {}
        assert len(throttle.arm("PUT", SUBSCRIPTION, "caller")) == 2
    assert len(throttle.arm("GET", SUBSCRIPTION, "caller")) == 2


def test_no_machine_is_verified_faster_than_its_critical_path() -> None:
    (figure,) = one_machine.measure(SMALL, silent)
    assert figure.value > 1
    assert figure.baseline is not None
    assert figure.baseline > 1


def test_each_event_costs_fewer_calls_than_the_baseline_or_as_many() -> None:
    found = by_name(calls.measure(SMALL, silent))
    new = found["ARM calls: new machine"]
    unchanged = found["ARM calls: event of a machine that is as desired"]
    own = found["ARM calls: our own write coming back as an event"]
    # Each with what manages the group, asked once in five minutes for all that is in it.
    assert (new.value, unchanged.value, own.value) == (4, 2, 0)
    assert (new.baseline, unchanged.baseline, own.baseline) == (4, 2, 2)


def test_a_sweep_in_which_all_is_as_desired_costs_its_pages_alone() -> None:
    found = sweep.measure(SMALL, silent)
    assert found[0].value == 4  # groups, resources, assignments, directory
    assert not found[0].missed


def test_every_app_of_the_cold_start_loads() -> None:
    figures = cold_start.measure(SMALL, silent)
    assert all(figure.value > 0 for figure in figures)


def test_memory_is_that_of_the_app_and_not_of_whoever_started_it() -> None:
    ours = bytearray(400 * 2**20)
    ours[:: 2**12] = b"x" * len(ours[:: 2**12])  # so that every page of it is there
    empty, tutorial = (cold_start.load(cold_start.APPS[name]) for name in ("empty", "baseline"))
    assert empty.megabytes < tutorial.megabytes < 300 < len(ours) / 2**20


def test_the_least_time_of_a_burst_is_what_the_bucket_refills() -> None:
    assert burst.least_seconds("writes", 1000) == 80
    assert burst.least_seconds("writes", 200) == 0


def test_a_delayed_message_is_taken_at_its_time_and_hidden_while_it_is_worked_on() -> None:
    machine = ResourceId.parse(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm"
    )

    async def main(clock: Clock) -> None:
        queue = TimedQueue(clock)
        await queue.put(Change(machine, "event"), delay=10)
        assert await queue.receive(16, 30) == []
        await clock.elapse(10)
        (taken,) = await queue.receive(16, 30)
        assert await queue.receive(16, 30) == []
        await clock.elapse(30)
        (again,) = await queue.receive(16, 30)
        assert (taken.dequeue_count, again.dequeue_count) == (1, 2)
        await queue.delete(again)
        await queue.emptied()

    run(main)


def test_by_queue_an_event_waits_a_poll_longer_and_costs_the_storage_three_calls() -> None:
    found = by_name(delivery.measure(replace(SMALL, moments=5), silent))
    webhook, queue = (found[f"event to the work on it, by {way}"].value for way in Delivery)
    assert webhook < queue < webhook + 1.5
    calls_of = "an event that is none of ours: calls of the storage, by"
    assert [found[f"{calls_of} {way}"].value for way in Delivery] == [0, 3]
    assert all(figure.value > 0 for name, figure in found.items() if figure.unit == "ms")


def test_after_an_hour_in_which_the_app_was_stopped_all_is_as_the_policy_says() -> None:
    """Some seconds after its start by queue; by webhook after the next sweep, whose list shows
    what is gone and is looked at once more a minute later.
    """
    ended = {way: run(partial(stopped_hour.seconds, way=way)) for way in Delivery}
    assert ended[Delivery.QUEUE].seconds < 60
    assert (ended[Delivery.QUEUE].waited, ended[Delivery.WEBHOOK].waited) == (130, 0)
    assert ended[Delivery.WEBHOOK].seconds < 300


def test_the_same_run_gives_the_same_calls() -> None:
    first, second = (by_name(calls.measure(SMALL, silent)) for _ in range(2))
    assert {n: f.value for n, f in first.items()} == {n: f.value for n, f in second.items()}
