"""One at a time, and one for many, and never is the last event lost."""

import asyncio
import random
from dataclasses import dataclass, field, replace

import pytest

from lanyard.ports.leases import End, LeaseLost
from lanyard.queue.locks import Arrival, Locks
from lanyard.queue.retry import again
from lanyard.values.change import Change
from lanyard.values.errors import NotYet, Temporary
from simulator.clock import Clock
from simulator.virtual_time import run
from tests.support.examples import vm_id
from tests.support.memory_leases import MemoryLeases

VM = Change(vm_id("vm"), "event")


@dataclass
class Work:
    """What is done under a lock: counted, as long as it takes."""

    seconds: float = 1.0
    begun: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def __call__(self) -> None:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1


async def take(
    locks: Locks, work: Work, arrival: Arrival | None = None, change: Change = VM
) -> str:
    """What became of a message."""
    ticket = locks.enter(change, arrival or Arrival())
    if ticket is None:
        return "joined"
    try:
        async with locks.hold(ticket) as held:
            if held.needed:
                await work()
            return "worked" if held.needed else "served before"
    except NotYet:
        return "put back"
    finally:
        locks.leave(ticket)


def test_five_messages_at_once_are_one_reconcile() -> None:
    async def main(clock: Clock) -> tuple[list[str], int]:
        leases, work = MemoryLeases(clock.now), Work()
        locks = Locks(leases)
        ended = await asyncio.gather(*(take(locks, work) for _ in range(5)))
        assert leases.calls == 2, "take and release"
        return ended, work.begun

    assert run(main) == (["worked", *["joined"] * 4], 1)


def test_a_message_that_comes_after_the_reconcile_began_gets_one_of_its_own() -> None:
    async def main(clock: Clock) -> tuple[list[str], Work]:
        locks, work = Locks(MemoryLeases(clock.now)), Work()

        async def late(seconds: float) -> str:
            await asyncio.sleep(seconds)
            return await take(locks, work, Arrival(clock.now()))

        return await asyncio.gather(*(late(0.2 * n) for n in range(5))), work

    ended, work = run(main)
    assert ended == ["worked", "worked", "joined", "joined", "joined"]
    assert (work.begun, work.most_at_once) == (2, 1)


@pytest.mark.parametrize("end", list(End))
@pytest.mark.parametrize("came", [VM, again(VM, failing=False), again(VM, failing=True)], ids=str)
def test_what_only_waits_is_served_by_one_that_puts_another_back(came: Change, end: End) -> None:
    async def main(clock: Clock) -> str:
        leases = MemoryLeases(clock.now)
        came_at = clock.now()
        await asyncio.sleep(10)
        await (await leases.take("|".join((VM.resource.key, "", "")))).release(end=end)
        await asyncio.sleep(10)
        return await take(Locks(leases), Work(), Arrival(came_at), came)

    only_waits = came.source == "retry" and not came.attempt
    served = end is End.WELL or (end is End.WAITS and only_waits)
    assert run(main) == ("served before" if served else "worked")


@pytest.mark.parametrize("first", [True, False])
def test_an_event_that_joins_what_only_waits_is_heard(first: bool) -> None:
    """It may say that the resource is there, which a reconcile that found it gone did not hear."""
    waiting = again(VM, failing=False)
    written = replace(VM, written=5.0)
    locks = Locks(MemoryLeases(lambda: 0.0))
    ticket = locks.enter(waiting if first else written, Arrival(1.0))
    assert ticket is not None
    assert locks.enter(written if first else waiting, Arrival(2.0)) is None
    assert (ticket.change.source, ticket.change.written) == ("event", 5.0)


def test_with_time_to_settle_events_that_follow_each_other_are_one_reconcile() -> None:
    async def main(clock: Clock) -> int:
        locks, work = Locks(MemoryLeases(clock.now), settle=3), Work()

        async def late(seconds: float) -> str:
            await asyncio.sleep(seconds)
            return await take(locks, work, Arrival(clock.now()))

        await asyncio.gather(*(late(0.5 * n) for n in range(5)))
        return work.begun

    assert run(main) == 1


def test_another_instance_puts_its_message_back_and_then_has_nothing_to_do() -> None:
    async def main(clock: Clock) -> list[str]:
        leases, work = MemoryLeases(clock.now), Work()
        came = Arrival(clock.now())
        await asyncio.sleep(3)
        first = asyncio.create_task(take(Locks(leases), work, came))
        await asyncio.sleep(0.5)
        told = [await take(Locks(leases), work, came)]
        await first
        return [*told, await take(Locks(leases), work, came), str(work.begun)]

    assert run(main) == ["put back", "served before", "1"]


@pytest.mark.parametrize(
    "arrival",
    [Arrival(None), Arrival(0, redelivered=True)],
    ids=["it is not known when it came", "somebody took it before and did not finish"],
)
def test_a_message_of_which_too_little_is_known_is_worked_on(arrival: Arrival) -> None:
    async def main(clock: Clock) -> list[str]:
        locks, work = Locks(MemoryLeases(clock.now)), Work()
        return [await take(locks, work), await take(locks, work, arrival)]

    assert run(main) == ["worked", "worked"]


def test_different_resources_do_not_wait_for_each_other() -> None:
    async def main(clock: Clock) -> int:
        locks, work = Locks(MemoryLeases(clock.now)), Work()
        names = (Change(vm_id(f"vm{number}"), "event") for number in range(40))
        await asyncio.gather(*(take(locks, work, change=change) for change in names))
        return work.most_at_once

    assert run(main) == 40


def test_a_long_reconcile_keeps_its_lease() -> None:
    async def main(clock: Clock) -> list[str]:
        leases, work = MemoryLeases(clock.now), Work(seconds=200)
        first = asyncio.create_task(take(Locks(leases), work))
        told = []
        for _ in range(3):
            await asyncio.sleep(50)
            told.append(await take(Locks(leases), work))
        return [*told, await first]

    assert run(main) == ["put back", "put back", "put back", "worked"]


def test_a_holder_that_was_killed_delays_for_its_lease_at_most() -> None:
    async def main(clock: Clock) -> float:
        leases, work = MemoryLeases(clock.now, seconds=30), Work()
        await leases.take("|".join((VM.resource.key, "", "")))  # and nothing more is heard of it
        started = clock.now()
        for _ in range(100):
            if await take(Locks(leases), work, Arrival(0)) == "worked":
                break
            await asyncio.sleep(1)
        return clock.now() - started

    assert 29 < run(main) < 33


def test_who_lost_the_lease_ends_its_work_but_does_not_say_that_it_served() -> None:
    async def main(clock: Clock) -> list[str]:
        leases, work = MemoryLeases(clock.now), Work(seconds=20)
        first = asyncio.create_task(take(Locks(leases, renew_seconds=1000), work))
        await asyncio.sleep(5)
        leases.holders.clear()
        other = asyncio.create_task(take(Locks(leases), work, Arrival(0)))
        return [await first, await other, str(len(leases.ended))]

    assert run(main) == ["worked", "worked", "1"]


def test_what_fails_serves_for_nobody() -> None:
    class Failing(Work):
        async def __call__(self) -> None:
            raise Temporary("no", 1)

    async def main(clock: Clock) -> list[str]:
        locks = Locks(MemoryLeases(clock.now))
        await asyncio.sleep(60)
        with pytest.raises(Temporary):
            await take(locks, Failing(), Arrival(0))
        return [await take(locks, Work(), Arrival(0))]

    assert run(main) == ["worked"]


@dataclass
class Mortal(MemoryLeases):
    """Nothing more is heard of a task that was killed: its lease stays until it ends."""

    killed: set[object] = field(default_factory=set)

    async def call(self) -> None:
        if asyncio.current_task() in self.killed:
            raise LeaseLost
        await super().call()


@dataclass
class Chaos:
    """A resource that changes, an event for each change, and instances that die.

    Messages are what the queue promises: they come at least once, also when their worker died.
    """

    clock: Clock
    seed: int
    changes: int = 0
    seen: int = 0
    reconciles: int = 0
    waiting: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.leases = Mortal(self.clock.now, delay=2)
        self.instances = [Locks(self.leases, settle=self.dice.choice([0, 1])) for _ in range(3)]

    async def rage(self) -> None:
        for _ in range(25):
            self.changes += 1
            self._send(VM, self.clock.now())
            await asyncio.sleep(self.dice.choice([0, 0.01, 0.3, 1, 4]))
        while self.waiting:
            await asyncio.wait(self.waiting)

    def _send(self, change: Change, inserted: float, delay: float = 0) -> None:
        stamp = float(int(inserted))  # a queue tells whole seconds
        task = asyncio.create_task(self._deliver(change, stamp, delay))
        self.waiting.add(task)
        task.add_done_callback(self.waiting.discard)

    async def _deliver(self, change: Change, inserted: float, delay: float) -> None:
        await asyncio.sleep(delay)
        again = False
        while True:
            await asyncio.sleep(self.dice.random())
            work = asyncio.create_task(self._work(change, Arrival(inserted, again)))
            if self.dice.random() < 0.3:
                done, _ = await asyncio.wait([work], timeout=self.dice.random() * 4)
                if not done:
                    self.leases.killed.add(work)
                    work.cancel()
                    again = True
                    continue
            await asyncio.wait([work])
            return

    async def _work(self, change: Change, arrival: Arrival) -> None:
        locks = self.dice.choice(self.instances)
        ticket = locks.enter(change, arrival)
        if ticket is None:
            return
        try:
            async with locks.hold(ticket) as held:
                if held.needed:
                    await self._reconcile()
        except NotYet as error:
            self._send(ticket.change, self.clock.now(), error.delay)
        finally:
            locks.leave(ticket)

    async def _reconcile(self) -> None:
        self.reconciles += 1
        await asyncio.sleep(self.dice.random() * 0.2)
        seen = self.changes  # everything is read fresh
        await asyncio.sleep(self.dice.random() * 3)
        self.seen = max(self.seen, seen)


@pytest.mark.parametrize(
    "seeds", [range(start, start + 50) for start in range(0, 300, 50)], ids=str
)
def test_the_last_event_is_never_lost(seeds: range) -> None:
    total = 0
    for seed in seeds:

        async def main(clock: Clock, seed: int = seed) -> Chaos:
            chaos = Chaos(clock, seed)
            await chaos.rage()
            return chaos

        chaos = run(main)
        assert chaos.seen == chaos.changes == 25, f"seed {seed}"
        total += chaos.reconciles
    assert total < 50 * 25, "and many events were served by another's reconcile"
