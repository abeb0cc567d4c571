"""Machines live, die and are replaced under their names while events are doubled, reordered and
lost, calls fail in every way, and ARM answers 404 for machines that are there.
After the storm and one sweep everything is as the policy says, and nothing of others was touched.
"""

import asyncio
import random

import pytest

from lanyard.queue.messages import decode
from lanyard.values.change import Change
from simulator.faults import Drop, Fault
from tests.support.estate import BLOB_READER, POLICY, Estate
from tests.support.handlers import started

MACHINES = 24
EFFECTS: list[dict[str, object]] = [
    {"status": 429, "code": "SubscriptionRequestsThrottled", "retry_after": 3},
    {"status": 500, "code": "InternalServerError"},
    {"status": 503, "code": "ServiceUnavailable"},
    {"status": 409, "code": "AnotherOperationInProgress"},
    {"drop": Drop.BEFORE},
    {"drop": Drop.AFTER},
    {"status": 404, "code": "ResourceNotFound", "method": "GET", "path": "/virtualmachines/"},
]
#: What is not needed any more goes after a while, as it does by default.
PATIENT = POLICY.replace("graceMinutes: 0}}", "graceMinutes: 10}}")


class Storm:
    """Everything by one seed, so that a failure comes again."""

    def __init__(self, estate: Estate, seed: int) -> None:
        self.estate = estate
        self.dice = random.Random(seed)
        self.alive: set[str] = set()
        self.messages: list[Change] = []

    async def rage(self) -> None:
        for number in range(MACHINES):
            name = f"vm{number}"
            await self.estate.create_vm(name, identity={"type": "SystemAssigned"})
            self.alive.add(name)
            if self.alive and self.dice.random() < 0.4:
                victim = self.dice.choice(sorted(self.alive))
                self.alive.remove(victim)
                await self.estate.delete_vm(victim)
            if self.alive and self.dice.random() < 0.2:
                replaced = self.dice.choice(sorted(self.alive))
                await self.estate.delete_vm(replaced)
                await self.estate.create_vm(replaced, identity={"type": "SystemAssigned"})
            await self._deliver()
            await self._work(self.dice.randrange(6))

    async def calm(self) -> None:
        """What the host, a person and the sweep do when it is over."""
        await self._deliver()
        while self.messages or self.estate.queue.messages:
            await self._work(len(self.messages))
        self.messages = self.estate.poison.take()  # replayed by a person
        while self.messages or self.estate.queue.messages:
            await self._work(len(self.messages))
        await self.estate.settle()
        await self.estate.sweeps.run()
        await self.estate.settle()

    async def _deliver(self) -> None:
        events = self.estate.new_events()
        events += [event for event in events if self.dice.random() < 0.3]
        self.dice.shuffle(events)
        for event in events:
            if self.dice.random() < 0.05:
                continue  # lost
            if message := await self.estate.deliver(event):
                self.messages.append(decode(message))

    async def _work(self, count: int) -> None:
        self.dice.shuffle(self.messages)
        taken, self.messages = self.messages[:count], self.messages[count:]
        await asyncio.gather(*(self._process(change) for change in taken))
        later, self.estate.queue.messages = self.estate.queue.messages, []
        self.messages += [change for change, _ in later]
        await self._check_what_is_needed()
        self.estate.azure.clock.advance(self.dice.uniform(0, 60))

    async def _check_what_is_needed(self) -> None:
        """At no moment is an assignment missing that a living machine was given."""
        standing = self.estate.azure.state.role_assignments
        async for record in self.estate.ledger.records():
            if record.id.name in self.alive:
                for grant in record.grants:
                    assert grant.assignment_id.lower() in standing, f"{record.id.name} lost it"

    async def _process(self, change: Change) -> None:
        await self.estate.worker.process(change)


@pytest.mark.parametrize("policy", [POLICY, PATIENT], ids=["at once", "after a grace"])
@pytest.mark.parametrize("seed", range(8))
async def test_after_a_storm_everything_is_as_the_policy_says(
    monkeypatch: pytest.MonkeyPatch, seed: int, policy: str
) -> None:
    estate = await started(Estate(policy), monkeypatch)
    scope = f"{estate.scope}/resourceGroups/rg-app"
    stranger = estate.azure.state.add_principal("stranger").object_id
    estate.azure.assign(stranger, "Storage Blob Data Reader", scope)
    for effect in EFFECTS:
        estate.azure.faults.add(
            Fault(caller=estate.app.object_id, times=None, probability=0.06, **effect)  # type: ignore[arg-type]
        )
    storm = Storm(estate, seed)
    await storm.rage()
    hits = [fault.hits for fault in estate.azure.faults.all()]
    assert hits.count(0) <= 1, "the kinds of failures struck, but for one by chance"
    estate.azure.faults.clear()
    await storm.calm()

    principals = {
        name: (await estate.identity_of(name)).get("id-lanyard-westeurope") for name in storm.alive
    }
    assert len(set(principals.values())) <= 1
    assert None not in principals.values()
    ours = [(BLOB_READER, scope, str(shared)) for shared in set(principals.values())]
    assert estate.assignments() == sorted([*ours, (BLOB_READER, scope, stranger)])
    records = {record.id.name async for record in estate.ledger.records()}
    assert records == storm.alive
    assert [record async for record in estate.ledger.records() if record.pending] == []
