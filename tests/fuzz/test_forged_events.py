"""Whoever has the webhook's key can post what they like. What comes of it is a read at most."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from lanyard.planning.life import Life
from tests.support.estate import POLICY, Estate
from tests.support.examples import SUBSCRIPTION
from tests.support.fuzz.events import OBJECT_ID, bodies
from tests.support.handlers import started

WRITE = "Microsoft.Resources.ResourceWriteSuccess"
DELETE = "Microsoft.Resources.ResourceDeleteSuccess"
SYSTEM = {"type": "SystemAssigned"}
RULE_WITH_SYSTEM = POLICY.replace("attach: [regional]", "attach: [regional]\n    system: true")
# Two identities: whoever asks IMDS without naming one would have to be asked first.
ACCEPTED = RULE_WITH_SYSTEM.replace("grant:\n", "imdsDefault: accept\n    grant:\n", 1)


async def settled(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """Machines that are as the policy says, with access of others beside it."""
    estate = await started(Estate(ACCEPTED), monkeypatch)
    for name in ("vm1", "vm2"):
        await estate.create_vm(name)
    await estate.create_vm("vm3", identity=SYSTEM, tags={"lanyard": "ignore"})
    await estate.settle()
    machine = await estate.compute.virtual_machines.get("rg-app", "vm3")
    assert machine.identity is not None
    estate.azure.assign(str(machine.identity.principal_id), "Reader", estate.scope)
    estate.azure.calls.clear()
    return estate


def forged(estate: Estate) -> Iterator[dict[str, Any]]:
    """Of every kind of resource and of everything that an event may say about who did what."""
    identity = next(
        resource.id
        for resource in estate.azure.state.resources.values()
        if "userassignedidentities" in resource.id.lower()
    )
    groups = [f"{estate.scope}/resourceGroups/{name}" for name in ("rg-app", "rg-none")]
    machines = [estate.vm_id(name).text for name in ("vm1", "vm2", "vm3", "vm-never")]
    subjects = [*machines, machines[0].upper(), *groups, identity, f"{machines[0]}/extensions/e"]
    claims: list[Any] = [
        {},
        {"appid": estate.settings.client_id},
        {"appid": estate.operator.client_id, OBJECT_ID: estate.operator.object_id},
    ]
    for subject in subjects:
        for kind in (WRITE, DELETE):
            for claim in claims:
                yield _event(estate, kind, subject, {"resourceUri": subject, "claims": claim})
        info = {"resourceInfo": {"id": subject, "name": "x", "type": "x", "tags": {"env": "evil"}}}
        for verb in ("CreatedOrUpdated", "Deleted"):
            yield _event(estate, f"Microsoft.ResourceNotifications.Resources.{verb}", subject, info)


def _event(estate: Estate, kind: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "forged",
        "topic": estate.scope,
        "subject": subject,
        "eventType": kind,
        "eventTime": "2026-11-02T09:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": data,
    }


def standing(estate: Estate) -> Any:
    """Everything that there is: resources with what they carry, role assignments."""
    state = estate.azure.state
    return copy.deepcopy((dict(state.resources), dict(state.role_assignments)))


async def owned(estate: Estate) -> Any:
    """What Lanyard has on record as its own; not what of its life was reported or seen when."""
    records = [replace(record, life=Life()) async for record in estate.ledger.records()]
    grants = [standing async for standing in estate.services.claims.standing()]
    seen = [record async for record in estate.identity_ledger.identities()]
    identities = [replace(record, life=Life()) for record in seen]
    return records, grants, identities


def methods(estate: Estate) -> set[str]:
    return {call.method for call in estate.azure.calls_of(estate.app.object_id)}


async def test_forged_events_of_every_kind_cause_reads_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await settled(monkeypatch)
    before, ours = standing(estate), await owned(estate)
    events, worked_on = list(forged(estate)), 0
    for event in events:
        if message := await estate.deliver(event):
            worked_on += 1
            await estate.work(message)
            await estate.settle()
    assert worked_on > len(events) / 2, "most of them got as far as a message"
    assert methods(estate) == {"GET"}
    assert standing(estate) == before
    assert await owned(estate) == ours


async def test_all_of_them_at_once_in_any_order_are_no_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await settled(monkeypatch)
    before, ours = standing(estate), await owned(estate)
    messages = [await estate.deliver(event) for event in reversed([*forged(estate)] * 2)]
    for message in filter(None, messages):
        await estate.work(message)
    await estate.settle()
    assert methods(estate) == {"GET"}
    assert standing(estate) == before
    assert await owned(estate) == ours


async def test_the_handler_raises_for_no_event_that_reaches_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And what it puts on the queue is worked on without a write, too."""
    estate = await settled(monkeypatch)
    before = standing(estate)
    for body in many_bodies():
        in_estate = json.loads(json.dumps(body).replace(SUBSCRIPTION, estate.subscription))
        if message := await estate.deliver(in_estate):
            await estate.work(message)
    await estate.settle()
    assert methods(estate) == {"GET"}
    assert standing(estate) == before


def many_bodies() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []

    @settings(max_examples=60, database=None)
    @given(bodies())
    def collect(body: dict[str, Any]) -> None:
        made.append(body)

    collect()
    return made
