"""Everything that stops a part of the estate, at once and for three days: each is about that part
alone, is named, and is tried less and less often; all else is as the policy says.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from lanyard.app.worker import Worker
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.azure import Azure
from simulator.clock import Clock
from simulator.virtual_time import run
from tests.support.any_resource import client
from tests.support.bad_parts import damage, narrow, refuse, swept, watch
from tests.support.cases import (
    HOUR,
    IDENTITY_TYPE,
    adopt,
    attached,
    delete_identity,
    held,
    hours,
    identity_id,
    make_identity,
    pass_time,
    roles,
    sweep,
    version,
)
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started
from tests.support.other_subscriptions import machine_in

LOCK, PAGE, LARGE = 2.0, 100_000, 24_000
APPS, MACHINES, OF_OTHERS, DELETED = 30, 50, 8, 6
SERVED = {"is": "served"}
FIRST, SHARED = "id-first", "id-shared"


def policy(subscription: str) -> str:
    """Two identities that exist, of which the app may not read the first, and one of a region."""
    return f"""
version: 1
mode: full
identities:
  first: {{id: {identity_id(subscription, FIRST)}}}
  shared: {{id: {identity_id(subscription, SHARED)}}}
  regional: {{name: "id-{{location}}", resourceGroup: rg-identities}}
rules:
  - name: served
    match:
      types: [Microsoft.Compute/virtualMachines, Microsoft.Web/sites]
      tags: {{is: served}}
    attach: [shared]
    imdsDefault: accept
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: shared}}]
  - name: needs the first
    match: {{types: [Microsoft.Compute/virtualMachines], tags: {{needs: first}}}}
    attach: [first]
    imdsDefault: accept
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: first}}]
  - name: a new region
    match: {{types: [Microsoft.Compute/virtualMachines], tags: {{is: new}}}}
    attach: [regional]
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: regional}}]
orphans: {{graceMinutes: 0}}
limits: {{removals: {{graceMinutes: 0}}}}
"""


@dataclass
class BadDay:
    """The estate, what is as the policy says all the same (with its identity), and the words by
    which each bad part is to be named.
    """

    estate: Estate
    good: dict[ResourceId, str] = field(default_factory=dict)
    reported: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    async def build(self) -> None:
        estate = self.estate
        for name in (FIRST, SHARED):
            await make_identity(estate, name)
        await adopt(estate, policy(estate.subscription))
        await estate.create_vm("damaged", tags=SERVED)
        await pass_time(estate)
        second, third = await self._other_subscriptions()
        await self._identities_of_others()
        # From here on nothing is as it should be.
        self.reported.append(damage(estate, "resources", "|damaged", "grants"))
        narrow(estate, second, "rg-other")
        self.reported.append(f"not read: grants in subscription {second}: ")
        refuse(estate, f"{IDENTITY_TYPE}/{FIRST}$")
        self.reported.append(FIRST)
        await self._machines(third)
        estate.azure.behaviour.resource_graph_most_bytes = PAGE
        estate.azure.behaviour.app_service_plan_lock_seconds = LOCK

    async def _other_subscriptions(self) -> tuple[str, str]:
        estate, found = self.estate, []
        vm = estate.vm_id("served")
        for name in ("second", "third"):
            subscription = watch(estate, name)
            machine = await machine_in(estate, vm, subscription, tags=SERVED)
            await estate.worker.process(Change(machine, "event"))
            await pass_time(estate)
            self.good[machine] = SHARED
            found.append(subscription)
        return found[0], found[1]

    async def _identities_of_others(self) -> None:
        """Machines go on showing those that are deleted."""
        estate = self.estate
        names = [f"id-{number}" for number in range(OF_OTHERS)]
        for name in names:
            block: dict[str, object] = {await make_identity(estate, name): {}}
            identity = {"type": "UserAssigned", "userAssignedIdentities": block}
            await estate.create_vm(f"vm-of-{name}", identity=identity)
        for name in names[:DELETED]:
            await delete_identity(estate, name)
            gone = identity_id(estate.subscription, name).lower()
            self.reported.append(f"{gone} is shown by resources and not listed")

    async def _machines(self, third: str) -> None:
        estate = self.estate
        needs = await estate.create_vm("needs-first", tags={**SERVED, "needs": "first"})
        self.good[needs] = SHARED  # and not the other one
        self.held.append(f"attach identity {FIRST}")
        locked = await estate.create_vm("locked", tags=SERVED)
        estate.azure.locks.put(locked.text, "keep", "ReadOnly")
        self.held.append(f"attach identity {SHARED}")
        new = await machine_in(estate, estate.vm_id("new"), third, tags=SERVED)
        self.good[new] = SHARED
        for number in range(MACHINES):
            tags = {"is": "new"}
            new = await estate.create_vm(f"new{number}", location="northeurope", tags=tags)
            self.good[new] = "id-northeurope"
        for number in range(APPS):
            self.good[await self._app(f"app{number}")] = SHARED
        for number in range(PAGE // LARGE + 1):
            large = await estate.create_vm(f"large{number}", tags=SERVED)
            estate.azure.state.resources[large.key].properties["extra"] = "x" * LARGE
            self.good[large] = SHARED

    async def _app(self, name: str) -> ResourceId:
        estate = self.estate
        group = f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.Web"
        app = ResourceId.parse(f"{group}/sites/{name}")
        body = {
            "location": "West Europe",
            "kind": "app",
            "tags": SERVED,
            "properties": {"serverFarmId": f"{group}/serverFarms/plan"},
        }
        poller = await client(estate).resources.begin_create_or_update_by_id(
            app.text, body, api_version=version(app), polling_interval=1
        )
        await poller.result()
        return app

    def check_good(self) -> None:
        estate = self.estate
        wrong = {one.name for one, name in self.good.items() if attached(estate, one) != [name]}
        assert wrong == set()
        assert attached(estate, estate.vm_id("locked")) == []
        assert attached(estate, estate.vm_id("damaged")) == [SHARED]
        assert roles(estate, SHARED) == ["Reader"] * 3
        assert roles(estate, "id-northeurope") == ["Reader"]
        assert roles(estate, FIRST) == []

    async def check_named(self) -> None:
        reason, listed = await swept(self.estate), await held(self.estate)
        assert [words for words in self.reported if words not in reason] == []
        assert sorted(listed) == sorted(self.held)


@dataclass
class Attempts:
    """What is tried: the messages worked on, and the app's writes that are refused."""

    estate: Estate
    messages: Counter[str] = field(default_factory=Counter)

    def watched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        process = Worker.process

        async def noted(worker: Worker, change: Change) -> None:
            self.messages[change.resource.name + change.principal + change.grant] += 1
            await process(worker, change)

        monkeypatch.setattr(Worker, "process", noted)

    def begin(self) -> None:
        self.messages.clear()
        self.estate.azure.calls.clear()

    def refused_writes(self) -> Counter[str]:
        calls = self.estate.azure.calls_of(self.estate.app.object_id)
        writes = (call for call in calls if call.method in ("PUT", "PATCH", "DELETE"))
        return Counter(call.path for call in writes if (call.status or 500) >= 400)


async def all_at_once(estate: Estate, resources: Iterable[ResourceId]) -> None:
    """Their events, taken at the same moment."""
    estate.new_events()
    await asyncio.gather(*(estate.worker.process(Change(one, "event")) for one in resources))


def test_many_bad_parts_stop_nothing_and_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(clock: Clock) -> None:
        estate = await started(Estate(POLICY, Azure(seed=7, clock=clock)), monkeypatch)
        bad, attempts = BadDay(estate), Attempts(estate)
        await bad.build()
        await all_at_once(estate, [*bad.good, estate.vm_id("locked"), estate.vm_id("damaged")])
        await pass_time(estate, HOUR / 2)
        bad.check_good()
        # What fails so often that it goes to the poison queue is raised here. Fewer sweeps than one
        # an hour, for two days, have it tried no less often on the third.
        for _ in range(2 * 6):
            await pass_time(estate, 4 * HOUR)
            await sweep(estate)
        attempts.watched(monkeypatch)
        attempts.begin()
        await hours(estate, 24)
        bad.check_good()
        await bad.check_named()
        assert {name: times for name, times in attempts.messages.items() if times > 1} == {}
        assert {path: times for path, times in attempts.refused_writes().items() if times > 1} == {}
        assert estate.queue.messages == []

    run(work)
