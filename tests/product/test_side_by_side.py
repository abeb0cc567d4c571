"""Two workers on one resource, and a worker that dies: what one knows must not undo the other's."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate

from lanyard.reconcile.apply import Application
from lanyard.record.ledger import ResourceRecord
from lanyard.values.change import Change
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Temporary
from lanyard.values.resource_id import ResourceId
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

TAGGED = POLICY.replace("exclude: {tags: {lanyard: ignore}}", 'tags: {wanted: "yes"}')


async def test_a_worker_with_an_older_look_takes_nothing_away_that_another_one_gave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(TAGGED), monkeypatch)
    vm = await estate.create_vm("vm1")
    estate.new_events()
    slow = _SlowWorker(estate, monkeypatch)
    first = asyncio.create_task(_work(estate, vm))
    await slow.has_looked.wait()
    update: Any = VirtualMachineUpdate({"tags": {"wanted": "yes"}})
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", "vm1", update, polling_interval=1
    )
    await poller.result()
    estate.leases.holders.clear()  # the first one's lease ran out
    await estate.instance().worker.process(Change(vm, "event"))
    assert len(estate.assignments()) == 1
    slow.may_go_on.set()
    await first
    assert len(estate.assignments()) == 1
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]


async def test_a_claim_that_another_worker_counts_on_is_not_dropped_on_an_older_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(TAGGED), monkeypatch)
    vm = await estate.create_vm("vm1", tags={"wanted": "yes"})
    await estate.settle()
    await _change(estate, {"tags": {}})
    slow = _SlowWorker(estate, monkeypatch)
    first = asyncio.create_task(_work(estate, vm))
    await slow.has_looked.wait()
    await _change(estate, {"tags": {"wanted": "yes"}, "identity": {"type": "None"}})
    estate.new_events()
    await _work(estate, vm)
    slow.may_go_on.set()
    await first
    assert len(estate.assignments()) == 1
    await estate.settle()
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]
    claims = estate.worker.reconciler.services.claims
    assert [list(each.claimants) async for each in claims.standing()] == [[vm]]


async def _work(estate: Estate, vm: ResourceId) -> None:
    """Without taking locks, as where a lease was lost; who meets a conflict would come again."""
    with suppress(Temporary):
        await estate.worker.reconciler.reconcile(Change(vm, "event"))


async def _change(estate: Estate, body: dict[str, Any]) -> None:
    update: Any = VirtualMachineUpdate(body)
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", "vm1", update, polling_interval=1
    )
    await poller.result()


class _SlowWorker:
    """The first worker looks at the machine and then waits; a record that it asks for after that
    look comes late, too.
    """

    def __init__(self, estate: Estate, patch: pytest.MonkeyPatch) -> None:
        services = estate.worker.reconciler.services
        self.has_looked, self.may_go_on = asyncio.Event(), asyncio.Event()
        self._looking, self._is_first = False, True
        self._read, self._record = services.compute.read, services.ledger.resource
        patch.setattr(services.compute, "read", self.read)
        patch.setattr(services.ledger, "resource", self.record)

    async def read(self, resource: ResourceId) -> ComputeResource | None:
        if self._looking:
            return await self._read(resource)
        self._looking = True
        found = await self._read(resource)
        self.has_looked.set()
        await self.may_go_on.wait()
        return found

    async def record(self, resource: ResourceId) -> ResourceRecord:
        late, self._is_first = self._is_first and self._looking, False
        if late:
            await self.may_go_on.wait()
        return await self._record(resource)


async def test_what_a_worker_did_before_it_died_is_on_record(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await estate.create_vm("vm1")
    run = Application.run

    async def run_and_die(self: Application, actions: Any) -> None:
        await run(self, actions)
        self.progress.outcomes.clear()
        raise SystemExit

    monkeypatch.setattr(Application, "run", run_and_die)
    with pytest.raises(SystemExit):
        await estate.settle()
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]
    told = [(action, outcome) for action, outcome, _ in await estate.decisions()]
    assert ("attach identity id-lanyard-westeurope", "intended") in told
    assert ("create identity id-lanyard-westeurope in westeurope", "intended") in told
