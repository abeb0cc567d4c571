"""Cases of what many resources need at the same moment: it is made once, and who waits for it has
not failed.
"""

import asyncio
from collections.abc import Sequence

import pytest

from lanyard.app.worker import Worker
from lanyard.record.making import MAKE_SECONDS, MAKING
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.arm.calls import Call
from simulator.faults import Drop, Fault
from tests.support.cases import JITTER, make_identity, pass_time, roles
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

NAME = "id-lanyard-westeurope"
IDENTITIES, ASSIGNMENTS = "/userassignedidentities/", "/roleassignments/"
MANY = 48


async def machines(
    monkeypatch: pytest.MonkeyPatch, number: int = MANY, policy: str = POLICY
) -> tuple[Estate, list[ResourceId]]:
    """So many, of a region and group that Lanyard has not seen before."""
    estate = await started(Estate(policy), monkeypatch)
    made = [await estate.create_vm(f"vm{number}") for number in range(number)]
    estate.new_events()
    estate.azure.calls.clear()
    return estate, made


async def at_once(estate: Estate, machines: Sequence[ResourceId], instances: int = 1) -> list[Call]:
    """Their messages, taken at the same moment; the app's calls for them."""
    workers = [estate.worker, *(estate.instance().worker for _ in range(instances - 1))]

    def of(number: int) -> Worker:
        return workers[number % instances]

    await asyncio.gather(
        *(of(number).process(Change(one, "event")) for number, one in enumerate(machines))
    )
    calls = estate.azure.calls_of(estate.app.object_id)
    estate.azure.calls.clear()
    return calls


def puts(calls: Sequence[Call], kind: str) -> int:
    return sum(call.method == "PUT" and kind in call.path.lower() for call in calls)


async def check_served(estate: Estate, machines: Sequence[ResourceId]) -> None:
    for machine in machines:
        assert list(await estate.identity_of(machine.name)) == [NAME]
    assert len(roles(estate, NAME)) == 1
    services = estate.services
    [standing] = [each async for each in services.claims.standing()]
    assert sorted(map(str, standing.claimants)) == sorted(map(str, machines))


@pytest.mark.parametrize("instances", [1, 3])
async def test_case_C26_what_many_need_at_once_is_made_once(
    monkeypatch: pytest.MonkeyPatch, instances: int
) -> None:
    estate, many = await machines(monkeypatch)
    calls = await at_once(estate, many, instances)
    assert (puts(calls, IDENTITIES), puts(calls, ASSIGNMENTS)) == (1, 1)
    assert estate.queue.messages == []
    # What manages the group is asked once an instance besides.
    assert len(calls) <= 3.2 * MANY + instances
    await check_served(estate, many)
    assert not [row async for row in estate.tables.identities.rows(MAKING)]


async def test_case_C26_nor_is_the_row_of_an_identity_that_is_there_fought_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, many = await machines(monkeypatch)
    await make_identity(estate, NAME)
    calls = await at_once(estate, many, 3)
    assert (puts(calls, IDENTITIES), puts(calls, ASSIGNMENTS)) == (0, 1)
    assert estate.queue.messages == []
    await check_served(estate, many)


@pytest.mark.parametrize("kind", [IDENTITIES, ASSIGNMENTS])
async def test_case_C26_a_refusal_is_that_of_all_who_waited(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    estate, many = await machines(monkeypatch)
    fault = Fault(
        caller=estate.app.object_id, method="PUT", path=kind, status=403, times=None, code="No"
    )
    estate.azure.faults.add(fault)
    assert puts(await at_once(estate, many), kind) == 1
    estate.azure.faults.clear()
    # Nobody waits for who failed.
    await at_once(estate, many, 3)
    await check_served(estate, many)


class Killed(BaseException):
    """The end of a process."""


async def maker_died(
    estate: Estate, dead: ResourceId, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance is killed while it makes the identity, or the assignment, for a machine."""
    services = estate.services
    made_by = {
        IDENTITIES: (services.identities, "create"),
        ASSIGNMENTS: (services.assignments, "ensure"),
    }

    async def die(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(*made_by[kind], die)
        with pytest.raises(Killed):
            await at_once(estate, [dead])
    estate.leases.holders.clear()
    estate.azure.calls.clear()


@pytest.mark.parametrize("kind", [IDENTITIES, ASSIGNMENTS])
async def test_case_C26_a_maker_that_died_is_waited_for_until_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    estate, [dead, *others] = await machines(monkeypatch, 4)
    await maker_died(estate, dead, kind, monkeypatch)
    assert puts(await at_once(estate, others), kind) == 0
    assert [change.attempt for change, _ in estate.queue.messages] == [0] * len(others)
    await pass_time(estate, MAKE_SECONDS * JITTER)
    assert estate.queue.messages == []
    await at_once(estate, [dead])
    await check_served(estate, [dead, *others])
    assert puts(estate.azure.calls_of(estate.app.object_id), kind) <= 1


@pytest.mark.parametrize("kind", [IDENTITIES, ASSIGNMENTS])
async def test_case_C26_whoever_was_cut_off_takes_up_its_own(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    estate, [dead, *_] = await machines(monkeypatch, 1)
    await maker_died(estate, dead, kind, monkeypatch)
    assert puts(await at_once(estate, [dead]), kind) == 1
    await check_served(estate, [dead])


async def test_case_C26_a_write_without_an_answer_is_not_begun_anew_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, many = await machines(monkeypatch)
    for kind in (IDENTITIES, ASSIGNMENTS):
        estate.azure.faults.add(
            Fault(caller=estate.app.object_id, method="PUT", path=kind, drop=Drop.AFTER, times=1)
        )
    calls = await at_once(estate, many, 3)
    assert puts(calls, IDENTITIES) == 1
    await pass_time(estate, 300.0)
    calls = estate.azure.calls_of(estate.app.object_id)
    assert (puts(calls, IDENTITIES), puts(calls, ASSIGNMENTS)) == (0, 1)
    await check_served(estate, many)
