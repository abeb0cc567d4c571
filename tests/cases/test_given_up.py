"""Cases of part C: every refusal has an end, and its end is on record."""

import json
from pathlib import Path

import pytest

from lanyard.app import composition
from lanyard.app.composition import App
from lanyard.queue.locks import Arrival
from lanyard.queue.messages import encode
from lanyard.queue.retry import MAX_DELIVERIES
from lanyard.record.decisions import Decision
from lanyard.values.change import Change
from lanyard.values.errors import Permanent, Temporary
from simulator.faults import Fault
from tests.support.cases import HOUR, Rules, begun, pass_time
from tests.support.estate import Estate

ACCEPTED = Rules(options={"imdsDefault": "accept"})


async def given_up(estate: Estate) -> list[Decision]:
    """What is on record as given up."""
    return [
        decision
        for decision in await estate.recorded()
        if decision.outcome == "failed" and "given up, because" in decision.reason
    ]


# C09


async def test_case_C09_a_message_that_never_could_begin_is_on_record_with_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    vm = await estate.create_vm("vm1")
    path, caller = "virtualMachines/vm1$", estate.app.object_id
    estate.azure.faults.add(Fault(path=path, caller=caller, status=503, code="Sick", times=None))
    with pytest.raises(Temporary):
        await pass_time(estate, 4 * HOUR)
    (decision,) = await given_up(estate)
    assert decision.resource == vm.text
    assert "503 Sick" in decision.reason
    assert decision.cause["source"] == "retry"


async def test_case_C09_before_its_last_delivery_it_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    estate.azure.faults.add(Fault(caller=estate.app.object_id, status=503, times=None))
    change = Change(estate.vm_id("vm1"), "retry", attempt=12)
    for is_last, count in ((False, 0), (True, 1)):
        with pytest.raises(Temporary):
            await estate.worker.process(change, Arrival(is_last=is_last))
        assert len(await given_up(estate)) == count


async def test_case_C09_whatever_goes_wrong_is_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")

    async def broken(_change: Change) -> bool:
        raise RuntimeError("a fault of its own")

    monkeypatch.setattr(type(estate.worker.reconciler), "concerns", lambda _self, c: broken(c))
    with pytest.raises(RuntimeError):
        await estate.work(encode(Change(estate.vm_id("vm1"), "event")))
    (decision,) = await given_up(estate)
    assert "a fault of its own" in decision.reason


async def test_case_C09_a_message_that_cannot_be_read_is_on_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    with pytest.raises(Permanent):
        await estate.work('{"of": "another version"}')
    (decision,) = await given_up(estate)
    assert (decision.resource, decision.action) == ("", "reconcile")
    assert "no message of this queue" in decision.reason


async def test_case_C09_what_no_policy_can_be_used_for_is_on_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")

    async def app() -> App:
        raise ValueError("lanyard.yaml:3:1: no such rule")

    monkeypatch.setattr(composition, "app", app)
    with pytest.raises(ValueError, match="no such rule"):
        await estate.work(encode(Change(estate.vm_id("vm1"), "event")))
    (decision,) = await given_up(estate)
    assert decision.resource == estate.vm_id("vm1").text
    assert "lanyard.yaml:3:1" in decision.reason


def test_case_C09_the_last_delivery_is_the_hosts() -> None:
    host = json.loads(Path("host.json").read_text())
    assert host["extensions"]["queues"]["maxDequeueCount"] == MAX_DELIVERIES
