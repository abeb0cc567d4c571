"""What a write takes off a resource, seen by what people do meanwhile and want back later."""

from datetime import UTC, datetime, timedelta

import pytest

from lanyard.desk.operator import Operator
from lanyard.desk.undo import Undo, Undoable
from lanyard.planning.orders import Paused
from lanyard.record.budget import Place, RemovalBudget
from lanyard.values.errors import Permanent
from lanyard.values.removed import Became, RemovedAttachment
from lanyard.values.resource_id import ResourceId
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    attached,
    begun,
    create,
    delete_identity,
    held,
    hours,
    identity_id,
    make_identity,
    pass_time,
    patch,
)
from tests.support.compute_examples import AUTOMATION, CONTAINER_APP, JOB, MACHINE, SITE, Example
from tests.support.estate import Estate

TAGGED = "tags: {env: prod}"
AGAIN = "attach identity id-old again: it was recreated"


def block(estate: Estate, *names: str) -> dict[str, object]:
    ids: dict[str, object] = {identity_id(estate.subscription, name): {} for name in names}
    return {"type": "UserAssigned", "userAssignedIdentities": ids}


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


async def taken(estate: Estate) -> list[Undoable]:
    """The attachments that a day's removals took."""
    now = datetime.fromtimestamp(estate.azure.clock.now(), UTC)
    found = Undo(estate.services, "ann").between(now - timedelta(days=1), now + timedelta(hours=1))
    return [each async for each in found if isinstance(each.removed, RemovedAttachment)]


async def detached(monkeypatch: pytest.MonkeyPatch, made: Example) -> tuple[Estate, ResourceId]:
    """A resource whose identity is about to be detached: it lost its tag, and nobody looked yet."""
    rules = Rules(type=made.type, match=TAGGED)
    estate = await begun(monkeypatch, rules, "id-old", "id-mine")
    resource = await create(estate, made, tags={"env": "prod"})
    await pass_time(estate)
    assert attached(estate, resource) == ["id-old"]
    await patch(estate, resource, tags={})
    return estate, resource


@pytest.mark.parametrize("made", [SITE, CONTAINER_APP, JOB, AUTOMATION, MACHINE], ids=str)
async def test_what_a_person_attaches_right_before_the_last_one_is_detached_stays(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    estate, resource = await detached(monkeypatch, made)
    reserve, raced = RemovalBudget.reserve, []

    async def reserve_late(budget: RemovalBudget, *, released: bool = False) -> Place:
        place = await reserve(budget, released=released)
        if not raced:
            raced.append(resource)
            await patch(estate, resource, identity=block(estate, "id-mine", "id-old"))
        return place

    monkeypatch.setattr(RemovalBudget, "reserve", reserve_late)
    await pass_time(estate, MINUTE)
    assert raced
    assert attached(estate, resource) == ["id-mine"]
    became = [value for d in await estate.recorded() for value in d.became.values()]
    assert Became.GIVEN_BACK in became, "the first write was not made"


async def test_a_dismissed_repair_is_left_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    dead = await estate.identity_of("vm1")
    await person(estate).pause(Paused.REMOVALS, "an audit")
    await delete_identity(estate, "id-old")
    await make_identity(estate, "id-old")
    await pass_time(estate)
    entry = (await held(estate))[AGAIN]
    await person(estate).dismiss(entry.id)
    await person(estate).resume()
    await hours(estate, 2)
    assert await estate.identity_of("vm1") == dead
    await estate.services.held.release(entry.id, "ann")
    await hours(estate, 1)
    assert await estate.identity_of("vm1") != dead


async def test_a_detach_is_not_undone_on_another_machine_of_that_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, machine = await detached(monkeypatch, MACHINE)
    await pass_time(estate)
    (undoable,) = await taken(estate)
    await estate.delete_vm(machine.name)
    await pass_time(estate, HOUR)
    await create(estate, MACHINE)
    await pass_time(estate)
    with pytest.raises(Permanent, match="was made again since"):
        await Undo(estate.services, "ann").put_back(undoable)
    assert attached(estate, machine) == []
