"""What stands around every removal: its place in the budget, and what is on record of it."""

import pytest

from lanyard.planning.actions import DetachIdentity, RemoveOrphans
from lanyard.planning.orders import Orders, Paused
from lanyard.policy import RemovalLimit
from lanyard.reconcile.removals import Detach, Removals
from lanyard.record.decisions import Decision, Decisions
from lanyard.values.errors import LanyardError, Permanent, Refused, Temporary
from lanyard.values.removed import Became, RemovedAssignment, RemovedAttachment, Taken
from tests.support.examples import grant, identity_id, vm, vm_id
from tests.support.memory_assignments import assignment
from tests.support.removals import removals

ACTION = RemoveOrphans("p-1")
KEPT = RemovedAssignment(assignment(grant()).raw)
LIMIT = RemovalLimit(per_hour=1, percent=100)
OLD, OTHER = identity_id("id-old"), identity_id("id-other")


def one(*released: str) -> Removals:
    return removals(vm_id(), LIMIT, Orders(released=frozenset(released)))


async def remove(of: Removals, failure: LanyardError | None = None) -> None:
    async with of.removing(ACTION, KEPT, ("evidence",)):
        if failure is not None:
            raise failure


def became(of: Removals) -> list[str]:
    return [each.became.value for each in of.recorded]


async def on_record(of: Removals) -> Decision:
    (removal,) = of.recorded
    return (await of.decisions.read(removal.decision_id)).decision


async def test_a_removal_is_on_record_whole_before_it_is_done() -> None:
    of = one()
    async with of.removing(ACTION, KEPT, ("evidence",)):
        kept = await on_record(of)
        assert became(of) == ["intended"]
    assert (kept.outcome, kept.evidence, kept.key) == ("intended", ("evidence",), ACTION.key)
    assert isinstance(kept.removed, RemovedAssignment)
    assert kept.removed.raw == KEPT.raw
    assert became(of) == ["done"]
    assert await of.budget.spent() == 1


@pytest.mark.parametrize(
    ("failure", "became", "spent"),
    [
        (Permanent("locked", "ScopeLocked"), Became.FAILED, 0),
        (Temporary("429", 5), Became.GIVEN_BACK, 0),
        (Temporary("no answer in time", 5, uncertain=True), Became.UNKNOWN, 1),
        (Permanent("403 to its poll", uncertain=True), Became.UNKNOWN, 1),
    ],
    ids=str,
)
async def test_what_certainly_took_nothing_away_gives_its_place_back(
    failure: LanyardError, became: Became, spent: int
) -> None:
    of = one()
    with pytest.raises(type(failure), match=str(failure)):
        await remove(of, failure)
    assert [each.became for each in of.recorded] == [became]
    assert await of.budget.spent() == spent


async def test_what_was_cut_off_stays_counted_and_intended() -> None:
    of = one()
    with pytest.raises(KeyboardInterrupt):
        async with of.removing(ACTION, KEPT, ()):
            raise KeyboardInterrupt
    assert [each.became for each in of.recorded] == [Became.INTENDED]
    assert await of.budget.spent() == 1


async def test_what_has_no_place_is_not_on_record() -> None:
    of = one()
    await remove(of)
    with pytest.raises(Refused):
        await remove(of)
    assert len(of.recorded) == 1


async def test_what_a_person_released_needs_no_place() -> None:
    of = one(ACTION.key)
    await remove(of)
    await remove(of)
    assert await of.budget.spent() == 2


async def test_what_cannot_be_put_on_record_is_not_done_and_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = one()

    async def down(*_: object) -> str:
        raise Temporary("the table is down", 5, uncertain=True)

    monkeypatch.setattr(Decisions, "add", down)
    with pytest.raises(Temporary, match="the table is down"):
        await remove(of)
    assert await of.budget.spent() == 0
    assert of.recorded == []


async def test_of_several_identities_only_what_has_a_place_comes_off() -> None:
    of = one()
    machine = vm(attached={OLD: "p-old", OTHER: "p-other"})
    detaches = [Detach(DetachIdentity(i), i, Taken.DETACH, ("unwanted",)) for i in (OLD, OTHER)]
    async with of.detaching(machine, detaches) as refused:
        assert list(refused) == [OTHER]
        assert isinstance(refused[OTHER], Refused)
    (removal,) = of.recorded
    assert removal.removed == RemovedAttachment(machine.id.text, OLD.text, "p-old")
    assert removal.became is Became.DONE


async def test_a_write_that_fails_gives_the_places_of_all_back() -> None:
    of = removals(vm_id(), RemovalLimit(per_hour=5, percent=100))
    machine = vm(attached={OLD: "p-old", OTHER: "p-other"})
    detaches = [Detach(DetachIdentity(i), i, Taken.DETACH, ("unwanted",)) for i in (OLD, OTHER)]
    with pytest.raises(Temporary):
        async with of.detaching(machine, detaches):
            raise Temporary("409", 5)
    assert [each.became for each in of.recorded] == [Became.GIVEN_BACK] * 2
    assert await of.budget.spent() == 0


async def test_a_pause_made_since_the_plan_stops_it() -> None:
    of = one(ACTION.key)
    await of.budget.kill_switch.pause(Paused.REMOVALS, "ann", "an audit")
    with pytest.raises(Refused, match="ann"):
        await remove(of)
    assert await of.budget.spent() == 0
