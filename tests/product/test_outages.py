"""Each thing that Lanyard depends on is away for an hour. Afterwards everything is as the policy
says, nothing was lost, nothing is left over, and nobody else's access was touched.
"""

import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate

from lanyard.ports.tables import Row, Tables
from lanyard.queue.messages import decode
from lanyard.values.change import Change
from lanyard.values.errors import LanyardError, Temporary
from simulator.faults import Fault
from tests.support.estate import BLOB_READER, POLICY, Estate
from tests.support.handlers import started
from tests.support.memory_table import MemoryTable

HOUR = 3600.0
SYSTEM = {"type": "SystemAssigned"}
#: Event Grid's pauses between its attempts, in seconds (azure-facts, section 2).
EVENT_PAUSES = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
#: host.json: after a failure a message comes back so late; the handler sees to it that it does.
VISIBILITY = 30.0
#: The host looks at a queue that cannot be read again and again.
POLLING = 2.0


@dataclass
class Outage:
    """Whether a thing is away; `asked` counts who met it."""

    on: bool = False
    asked: int = 0

    def check(self) -> None:
        if self.on:
            self.asked += 1
            raise Temporary("503 Service Unavailable", 5.0)


class BreakableTable(MemoryTable):
    """No operation gets at its rows during the outage."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._rows: dict[tuple[str, str], Row] = {}
        super().__init__()

    @property
    def content(self) -> dict[tuple[str, str], Row]:
        self._outage.check()
        return self._rows

    @content.setter
    def content(self, rows: dict[tuple[str, str], Row]) -> None:
        self._rows = rows


class BreakableEstate(Estate):
    """An estate whose tables, queue and event delivery can be away."""

    def __init__(self, policy: str) -> None:
        self.tables_away, self.queue_away, self.events_away = Outage(), Outage(), Outage()
        super().__init__(policy)

    def _start_lanyard(self, policy: str) -> None:
        super()._start_lanyard(policy)
        self.tables = Tables.named(lambda _name: BreakableTable(self.tables_away))
        self.change_policy(policy)


@dataclass(order=True)
class Due:
    """Something to do at a moment; `order` keeps those of one moment in sequence."""

    at: float
    order: int
    work: Callable[[], Awaitable[None]] = field(compare=False)


class Host:
    """The Functions host, its timer, the storage queue and Event Grid's retries, on the clock of
    the simulator.
    """

    def __init__(self, estate: BreakableEstate) -> None:
        self.estate = estate
        self._clock = estate.azure.clock
        self._due: list[Due] = []
        self._order = itertools.count()
        self.waiting = self.lost = 0
        self.losing = False
        estate.worker = replace(estate.worker, queue=self)
        estate.sweeps = replace(estate.sweeps, queue=self)
        self._later(HOUR, self._sweep)

    async def put(self, change: Change, delay: float = 0) -> None:
        """The queue, as Lanyard sees it."""
        self.estate.queue_away.check()
        self._visible(change, delay)

    async def run(self, seconds: float) -> None:
        """Do what falls due in that time."""
        end = self._clock.now() + seconds
        self._take_events()
        while self._due and self._due[0].at <= end:
            due = heapq.heappop(self._due)
            self._clock.advance(max(due.at - self._clock.now(), 0))
            await due.work()
            self._take_events()
        self._clock.advance(max(end - self._clock.now(), 0))

    def _later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        due = Due(self._clock.now() + seconds, next(self._order), work)
        heapq.heappush(self._due, due)

    def _take_events(self) -> None:
        for event in self.estate.new_events():
            if self.losing:
                self.lost += 1
                continue
            self.waiting += 1
            self._later(0, lambda event=event: self._deliver(event, 0))  # type: ignore[misc]

    async def _deliver(self, event: dict[str, Any], attempt: int) -> None:
        try:
            self.estate.events_away.check()
            message = await self.estate.deliver(event)
            if message is not None:
                self.estate.queue_away.check()
                self._visible(decode(message), 0)
            self.waiting -= 1
        except LanyardError:
            self._later(EVENT_PAUSES[attempt], lambda: self._deliver(event, attempt + 1))

    def _visible(self, change: Change, delay: float) -> None:
        self.waiting += 1
        self._later(delay, lambda: self._work(change))

    async def _work(self, change: Change) -> None:
        self.waiting -= 1
        if self.estate.queue_away.on:
            self._visible(change, POLLING)
            return
        try:
            await self.estate.worker.process(change)
        except LanyardError:
            self._visible(change, VISIBILITY)

    async def _sweep(self) -> None:
        self._later(HOUR, self._sweep)
        try:
            await self.estate.sweeps.run()
        except LanyardError:
            return  # the host records it, and the next hour tries


def arm(estate: BreakableEstate, on: bool) -> None:
    _service(estate, "arm", on)


def directory(estate: BreakableEstate, on: bool) -> None:
    _service(estate, "graph", on)


def _service(estate: BreakableEstate, service: str, on: bool) -> None:
    if on:
        caller = estate.app.object_id
        estate.azure.faults.add(Fault(service=service, caller=caller, times=None, status=503))
        return
    assert sum(fault.hits for fault in estate.azure.faults.all()), "it was asked while it was away"
    estate.azure.faults.clear()


def tables(estate: BreakableEstate, on: bool) -> None:
    _switch(estate.tables_away, on)


def queue(estate: BreakableEstate, on: bool) -> None:
    _switch(estate.queue_away, on)


def event_grid(estate: BreakableEstate, on: bool) -> None:
    _switch(estate.events_away, on)


def _switch(outage: Outage, on: bool) -> None:
    assert on or outage.asked, "it was asked while it was away"
    outage.on = on


async def life_goes_on(estate: BreakableEstate, host: Host) -> None:
    """What people do during the hour: they create, delete, edit tags, take identities away."""
    machines = estate.compute.virtual_machines
    await estate.create_vm("arrived", identity=SYSTEM)
    await estate.delete_vm("left")
    await host.run(HOUR / 3)
    for name, body in (
        ("ignored", {"tags": {"lanyard": "ignore"}}),
        ("stripped", {"identity": {"type": "None"}}),
    ):
        update: Any = VirtualMachineUpdate(body)
        poller = await machines.begin_update("rg-app", name, update, polling_interval=1)
        await poller.result()
    await host.run(HOUR / 3)
    await estate.create_vm("brief", identity=SYSTEM)
    await estate.delete_vm("brief")
    await estate.delete_vm("again")
    await estate.create_vm("again", identity=SYSTEM)
    await host.run(HOUR / 3)


async def before(monkeypatch: pytest.MonkeyPatch) -> tuple[BreakableEstate, Host]:
    estate = BreakableEstate(POLICY)
    await started(estate, monkeypatch)
    host = Host(estate)
    for name in ("stays", "left", "ignored", "stripped", "again"):
        await estate.create_vm(name, identity=SYSTEM)
    await host.run(60)
    # Roles that someone gave to identities, of which some will be gone.
    for name in ("left", "again", "stays"):
        machine = await estate.compute.virtual_machines.get("rg-app", name)
        assert machine.identity is not None
        scope = f"{estate.scope}/resourceGroups/rg-identities"
        estate.azure.assign(str(machine.identity.principal_id), "Reader", scope)
    return estate, host


async def check(estate: BreakableEstate, host: Host) -> None:
    """Against the policy, and against what was there before."""
    shared: dict[str, str] = {}
    # "ignored" was served before it was excluded: it keeps what it has.
    for name in ("stays", "arrived", "stripped", "again", "ignored"):
        attached = await estate.identity_of(name)
        assert list(attached) == ["id-lanyard-westeurope"], name
        shared |= attached
    stays = await estate.compute.virtual_machines.get("rg-app", "stays")
    assert stays.identity is not None
    scope = f"{estate.scope}/resourceGroups/rg-"
    assert estate.assignments() == sorted(
        [
            (BLOB_READER, f"{scope}app", shared["id-lanyard-westeurope"]),
            ("acdd72a7-3385-48ef-bd42-f606fba81ae7", f"{scope}identities", _system(stays)),
        ]
    )
    records = {record.id.name: record async for record in estate.ledger.records()}
    assert set(records) <= {"stays", "arrived", "stripped", "again", "ignored"}
    assert not any(record.pending or record.gone_at for record in records.values())
    assert host.estate.poison.lying == []
    assert host.waiting == 0


def _system(machine: Any) -> str:
    return str(machine.identity.principal_id)


@pytest.mark.parametrize("dependency", [arm, directory, tables, queue, event_grid])
async def test_an_hour_without(
    monkeypatch: pytest.MonkeyPatch, dependency: Callable[[BreakableEstate, bool], None]
) -> None:
    estate, host = await before(monkeypatch)
    dependency(estate, True)
    await life_goes_on(estate, host)
    dependency(estate, False)
    await host.run(2 * HOUR)
    await check(estate, host)


async def test_an_hour_whose_events_are_all_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, host = await before(monkeypatch)
    host.losing = True
    await life_goes_on(estate, host)
    host.losing = False
    assert host.lost
    await host.run(2 * HOUR)
    await check(estate, host)
