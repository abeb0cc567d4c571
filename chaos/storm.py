"""The whole storm: people at work, everything failing, the host killed; then calm, one sweep, and
the verdict.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from azure.core.exceptions import ResourceNotFoundError

from chaos import weather
from chaos.answers import Answers
from chaos.editions import Editions
from chaos.hurry import hurried
from chaos.losses import Losses
from chaos.monitor import Monitor, Violation
from chaos.people import People
from chaos.record import read_record
from chaos.script import Script, teams_of, write_script
from chaos.stack import QUEUES, Stack, running
from chaos.verdict import Verdict
from demo.events import BY_QUEUE, BY_WEBHOOK
from demo.hosts import OURS
from simulator.faults import Fault
from simulator.state import Principal

#: People go on only while no more messages than this wait for Lanyard.
_BACKLOG = 300
_LOOK_SECONDS = 0.25
# So long Event Grid waits before its second attempt: what is refused too often is given up.
_LOOKS_BETWEEN_ATTEMPTS = 40
#: So long, and a little longer for each resource, people wait for quiet before they sweep.
_SETTLING_SECONDS = 10.0
_SETTLING_SECONDS_EACH = 0.05
#: A killed host's messages stay hidden so long; Azure's ten minutes would make a run of hours.
_MESSAGE_SECONDS = 15
#: By queue, a killed host is away for up to so many seconds.
_AWAY = 10.0


@dataclass(frozen=True)
class Options:
    """What to run. `app`: the folder of the function app; `patience`: the most seconds until all
    is quiet after the storm; `keep`: a folder for logs and the like, else one that is deleted;
    `host`: the name of the Functions host; `way`: how events come to it.
    """

    seed: int
    scale: int
    kills: int
    #: Another app than the deployed one.
    app: Path | None = None
    patience: float = 1800.0
    keep: Path | None = None
    host: str = OURS
    way: str = BY_WEBHOOK


@dataclass
class Result:
    """What a run saw. `counts` in the order they are told."""

    counts: dict[str, int | float] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return not self.violations


type Show = Callable[[str], None]


async def run(options: Options, show: Show) -> Result:
    """Run a storm. `show` is told what is under way, again and again."""
    with tempfile.TemporaryDirectory(prefix="lanyard-chaos-") as temporary:
        directory = options.keep or Path(temporary)
        show("starting")
        async with running(
            directory,
            seed=options.seed,
            teams=teams_of(options.scale),
            app=options.app or hurried(directory / "app"),
            message_seconds=_MESSAGE_SECONDS,
            host_name=options.host,
            way=options.way,
        ) as stack:
            return await _Run(options, stack, show).run()


class _Run:
    def __init__(self, options: Options, stack: Stack, show: Show) -> None:
        self._options = options
        self._stack = stack
        self._show = show
        self._script: Script = write_script(options.seed, options.scale, options.kills)
        self._monitor = Monitor(stack.azure, stack.app)
        self._people = People(
            stack.azure,
            _person(stack),
            stack.operator.subscription,
            self._may_begin,
        )
        self._waiting = 0
        self._kills = 0
        self._host = asyncio.Lock()
        self._editions = Editions(stack, self._monitor, self._host, self._begun)
        self._losses = Losses(stack, self._monitor, self._host, self._begun)
        self._looked = asyncio.Event()
        self._started = time.monotonic()
        self._phase = "storm"
        self.result = Result()

    async def run(self) -> Result:
        await self._people.prepare(self._script)
        faults = weather.storm(
            self._stack.azure, self._stack.app, self._options.seed, self._options.scale
        )
        self._stack.front.raging = True
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._people.act(self._script))
                tasks.create_task(self._kill())
                tasks.create_task(self._editions.run(self._script))
                tasks.create_task(self._losses.run(self._script))
            self._count_storm(faults)
            weather.calm(self._stack.azure)
            self._stack.front.raging = False
            await self._calm()
        finally:
            watching.cancel()
        await self._judge()
        return self.result

    # The storm.

    async def _may_begin(self) -> None:
        """While the host is being changed nothing fails: nobody begins then, or a slow machine sees
        no storm.
        """
        while self._waiting > _BACKLOG or self._host.locked():
            self._looked.clear()
            await self._looked.wait()

    async def _watch(self) -> None:
        """Look at the queue, for those who wait for it and for the person who looks on."""
        while True:
            with suppress(Exception):
                self._waiting = await self._stack.waiting()
            self._looked.set()
            seconds = time.monotonic() - self._started
            self._show(
                f"{seconds:4.0f} s  {self._phase}: {self._people.begun} of {self._options.scale} "
                f"begun, {self._waiting} messages waiting, "
                f"{self._stack.addresses.delivery.outstanding} events under way, "
                f"{self._kills} kills, "
                f"{len(self._stack.azure.calls)} ARM calls, {self._stack.front.requests} of storage"
            )
            await self._sleep(_LOOK_SECONDS)

    async def _kill(self) -> None:
        dice = random.Random(self._options.seed + 2)
        for moment in self._script.kills:
            await self._begun(moment)
            await self._sleep(dice.random())
            async with self._host:
                # A webhook refuses meanwhile; what comes by queue waits there.
                away = _AWAY * dice.random() if self._options.way == BY_QUEUE else 0.0
                await self._stack.kill_host(away)
            self._kills += 1

    async def _begun(self, lives: int) -> None:
        while self._people.begun < lives:
            await self._sleep(_LOOK_SECONDS)

    # The calm.

    async def _calm(self) -> None:
        self._phase = "calm"
        began = time.monotonic()
        self.result.counts["held, answered by a person"] = 0
        try:
            async with asyncio.timeout(self._options.patience):
                # What waits for something that only the sweep finds out waits on.
                await self._is_quiet_within(self._settling)
                await self._replay()
                self._phase = "sweep"
                # What the first one puts on record as in doubt, the next one brings to its end.
                await self._swept()
                await self._swept()
                answers = Answers(
                    self._stack,
                    self._monitor,
                    self._people.delete_identity,
                    self._people.detach_identity,
                )
                while given := await answers.give():
                    self.result.counts["held, answered by a person"] += given
                    await self._swept()
                await self._no_lease_held()
        except TimeoutError:
            waiting, leases = await self._stack.waiting(), len(await self._stack.leases())
            patience = f"after {self._options.patience:.0f} s"
            self._tell("no rest", patience, f"{waiting} messages, {leases} leases held")
        self.result.counts["seconds until calm"] = round(time.monotonic() - began)

    async def _swept(self) -> None:
        """One that goes on where a failed one got to looks at what is left alone: another one looks
        at everything. What waits for the next sweep comes back by itself each hour, which the storm
        shortens: where it does not come to rest, the app's hourly sweep is there, too.
        """
        whole = True
        while not await self._stack.sweep():
            whole = False
        if not await self._is_quiet_within(self._settling) or not whole:
            await self._swept()

    async def _is_quiet_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._quiet()
        except TimeoutError:
            return False
        return True

    @property
    def _settling(self) -> float:
        """So many seconds are left for the work that is there."""
        return _SETTLING_SECONDS + _SETTLING_SECONDS_EACH * self._options.scale

    async def _quiet(self) -> None:
        """Every event delivered, every message worked on. Events that were refused in the storm
        come at once: after minutes, or after half an hour, they would lead to the same.
        """
        for look in count():
            delivery = self._stack.addresses.delivery
            waiting = await self._stack.waiting()
            if not delivery.outstanding and not waiting:
                return
            if not waiting and look % _LOOKS_BETWEEN_ATTEMPTS == 0:
                delivery.hasten()
            await self._sleep(_LOOK_SECONDS)

    async def _no_lease_held(self) -> None:
        """That of a killed host ends by itself."""
        while await self._stack.leases():
            await self._sleep(_LOOK_SECONDS)

    async def _replay(self) -> None:
        """What came to the poison queue is put back, as a person does."""
        replayed = 0
        while await self._stack.waiting(poison=True):
            for name in QUEUES:
                replayed += await self._replayed(name)
        self.result.counts["poison messages replayed"] = replayed

    async def _replayed(self, name: str) -> int:
        replayed = 0
        async with self._stack.queue(name, poison=True) as poison, self._stack.queue(name) as queue:
            with suppress(ResourceNotFoundError):  # made with its first message
                async for message in poison.receive_messages(visibility_timeout=60):
                    await queue.send_message(message.content, time_to_live=-1)
                    await poison.delete_message(message)
                    replayed += 1
        return replayed

    # The verdict.

    def _count_storm(self, faults: Mapping[str, Fault]) -> None:
        counts, azure = self.result.counts, self._stack.azure
        delivery = self._stack.addresses.delivery
        counts["resources"] = self._options.scale
        counts |= {f"people: {name}": n for name, n in sorted(self._people.done.items())}
        counts["host killed"] = self._kills
        counts["policies changed"] = self._editions.changes
        counts["policies mistyped and corrected"] = self._editions.typos
        counts["tables copied, lost or put back"] = self._losses.done
        counts["ARM calls of Lanyard"] = len(azure.calls_of(self._stack.app))
        counts["directory calls of Lanyard"] = len(azure.services.graph.calls)
        counts |= {name: fault.hits for name, fault in faults.items()}
        counts["storage requests"] = self._stack.front.requests
        counts |= {f"storage: {name}": n for name, n in sorted(self._stack.front.hits.items())}
        counts["events delivered"] = sum(each.outcome.delivered for each in delivery.attempts)
        counts["events refused"] = sum(not each.outcome.delivered for each in delivery.attempts)
        counts["events lost"] = len(delivery.lost)
        counts["seconds of storm"] = round(time.monotonic() - self._started)

    async def _judge(self) -> None:
        for poison in (False, True):
            if left := await self._stack.waiting(poison=poison):
                self._tell("message stuck", "poison queue" if poison else "queue", str(left))
        record = await read_record(self._stack)
        verdict = Verdict(self._stack.azure, self._stack.app, self._monitor, record)
        self.result.violations += verdict.violations()
        self.result.counts |= verdict.counts
        self.result.counts["decisions on record"] = len(record.decisions)
        self.result.counts["violations"] = len(self.result.violations)

    def _tell(self, kind: str, subject: str, text: str) -> None:
        self.result.violations.append(Violation(kind, subject, text))

    async def _sleep(self, seconds: float) -> None:
        clock = self._stack.azure.clock
        await clock.sleep_until(clock.now() + seconds)


def _person(stack: Stack) -> Principal:
    return stack.addresses.operator.principal
