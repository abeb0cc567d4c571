"""The claims protocol on one worker; interleavings are in a test of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lanyard.record.claims import Claims, Result
from lanyard.record.grant_rows import GrantRows
from lanyard.record.granted import REVOKE_SECONDS, Missing
from lanyard.record.revocation import Revocation
from lanyard.record.rows import DamagedRow
from lanyard.values.errors import NotYet, Permanent, Refused, Temporary
from lanyard.values.grants import RoleAssignment, Standing
from lanyard.values.removed import Removed, RemovedAssignment
from lanyard.values.resource_id import ResourceId
from tests.support.examples import grant, vm_id
from tests.support.memory_assignments import STAMP, FakeAssignments, assignment
from tests.support.memory_table import MemoryTable

WEEK = 7 * 86400.0


class Bench:
    def __init__(self) -> None:
        self.table = MemoryTable()
        self.azure = FakeAssignments()
        self.time = 1000.0
        rows = GrantRows(self.table, lambda: self.time)
        self.claims = Claims(rows, self.azure)
        self.revocation = Revocation(rows, self.azure, lambda: self.time)
        self.removed: list[RemovedAssignment] = []

    @asynccontextmanager
    async def removing(self, removed: Removed, _evidence: tuple[str, ...]) -> AsyncIterator[None]:
        assert isinstance(removed, RemovedAssignment)
        assert removed.id in self.azure.existing, "on record before it is deleted, not after"
        yield
        assert removed.id not in self.azure.existing, "the deletion is all of it"
        self.removed.append(removed)

    async def drop(self, resource: ResourceId) -> Result:
        """Its claim, which it has not needed for long."""
        return await self.revocation.drop(grant(), resource, self.removing, since=0.0)

    async def seen(self) -> Standing:
        """The one grant, as a sweep reads it."""
        (found,) = [each async for each in self.claims.standing()]
        return found

    def state(self) -> str:
        return self.table.content[grant().name, "grant"].values["state"]

    async def set_state(self, state: str, until: float) -> None:
        row = self.table.content[grant().name, "grant"]
        await self.table.replace(row, {**row.values, "state": state, "until": str(until)})


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_the_first_claim_makes_the_assignment_and_the_second_needs_no_call(
    bench: Bench,
) -> None:
    assert await bench.claims.add(grant(), vm_id("vm1")) is Result.ASSIGNED
    bench.azure.fail = AssertionError("no call expected")
    assert await bench.claims.add(grant(), vm_id("vm2")) is Result.ALREADY_ASSIGNED
    assert list(bench.azure.existing) == [grant().assignment_id]


async def test_the_assignment_goes_with_the_last_claim_and_is_on_record_first(
    bench: Bench,
) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    await bench.claims.add(grant(), vm_id("vm2"))
    assert await bench.drop(vm_id("vm1")) is Result.STILL_CLAIMED
    assert bench.azure.existing
    assert await bench.drop(vm_id("vm2")) is Result.REVOKED
    assert not bench.azure.existing
    assert [found.id for found in bench.removed] == [grant().assignment_id]


@pytest.mark.parametrize("kind", ["", "Role Assignment", "group membership"])
async def test_a_grant_of_a_kind_that_nobody_knows_stays(bench: Bench, kind: str) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    row = bench.table.content[grant().name, "grant"]
    assert row.values["kind"] == "role assignment"
    await bench.table.replace(row, {**row.values, "kind": kind})
    with pytest.raises(DamagedRow, match="column 'kind'"):
        await bench.drop(vm_id("vm1"))
    assert bench.azure.existing


async def test_claims_are_the_same_in_any_case_of_the_resource_id(bench: Bench) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    await bench.claims.add(grant(), vm_id("VM1"))
    assert await bench.drop(vm_id("Vm1")) is Result.REVOKED


async def test_a_revoked_grant_can_be_claimed_again(bench: Bench) -> None:
    await bench.claims.add(grant(), vm_id())
    await bench.drop(vm_id())
    assert await bench.claims.add(grant(), vm_id()) is Result.ASSIGNED
    assert bench.azure.existing


async def test_dropping_twice_or_what_never_was_is_fine(bench: Bench) -> None:
    assert await bench.drop(vm_id()) is Result.REVOKED
    await bench.claims.add(grant(), vm_id())
    for _ in range(2):
        assert await bench.drop(vm_id()) is Result.REVOKED


async def test_someone_elses_assignment_serves_and_is_never_removed(bench: Bench) -> None:
    bench.azure.existing["/foreign"] = assignment(grant(), "theirs")
    assert await bench.claims.add(grant(), vm_id()) is Result.NOT_OURS
    assert await bench.drop(vm_id()) is Result.NOT_OURS
    assert "/foreign" in bench.azure.existing
    assert not bench.removed


async def test_what_somebody_else_gives_is_asked_for_at_each_new_claim(bench: Bench) -> None:
    bench.azure.existing["/foreign"] = assignment(grant(), "theirs")
    await bench.claims.add(grant(), vm_id("vm1"))
    assert await bench.claims.add(grant(), vm_id("vm2")) is Result.ALREADY_ASSIGNED
    del bench.azure.existing["/foreign"]
    assert await bench.claims.add(grant(), vm_id("vm3")) is Result.ASSIGNED
    assert list(bench.azure.existing) == [grant().assignment_id]


async def test_what_somebody_else_narrows_no_longer_serves(bench: Bench) -> None:
    bench.azure.existing["/foreign"] = assignment(grant(), "theirs")
    await bench.claims.add(grant(), vm_id("vm1"))
    narrow = replace(grant(), condition="@Resource[a] StringEquals 'b'")
    bench.azure.existing["/foreign"] = assignment(narrow, "theirs")
    with pytest.raises(Refused):
        await bench.claims.add(grant(), vm_id("vm2"))
    assert bench.state() == "granting"


async def test_what_somebody_took_over_serves_and_is_never_removed(bench: Bench) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    bench.azure.existing[grant().assignment_id] = assignment(grant(), "theirs")
    await bench.claims.disown(grant())
    assert await bench.claims.add(grant(), vm_id("vm2")) is Result.ALREADY_ASSIGNED
    await bench.drop(vm_id("vm1"))
    assert await bench.drop(vm_id("vm2")) is Result.NOT_OURS
    assert list(bench.azure.existing) == [grant().assignment_id]


async def test_a_person_keeps_what_stands_and_what_does_not_is_made_by_the_next_claim(
    bench: Bench,
) -> None:
    await bench.claims.keep(grant(), "decision", "ann")
    assert bench.state() == "granting"
    await bench.claims.let_go(grant(), "decision")
    assert await bench.claims.add(grant(), vm_id()) is Result.ASSIGNED
    await bench.claims.keep(grant(), "decision", "ann")
    assert bench.state() == "active"
    assert await bench.drop(vm_id()) is Result.STILL_CLAIMED
    assert await bench.claims.kept(grant()) == "ann"
    await bench.claims.let_go(grant(), "decision")
    assert await bench.drop(vm_id()) is Result.REVOKED


@pytest.mark.parametrize("ours", [True, False])
async def test_what_a_person_put_back_stands_for_the_next_claim(bench: Bench, ours: bool) -> None:
    await bench.claims.keep(grant(), "decision", "ann")
    bench.azure.existing["/x"] = assignment(grant(), STAMP if ours else "put back")
    await bench.claims.stands(grant(), grant().assignment_id, ours=ours)
    assert await bench.claims.add(grant(), vm_id()) is Result.ALREADY_ASSIGNED
    (found,) = [each async for each in bench.claims.standing()]
    assert (found.ours, found.kept) == (ours, True)


@pytest.mark.parametrize(
    "found",
    [assignment(grant(), "no stamp"), assignment(grant("p-other")), assignment(grant(scope="/"))],
    ids=["without our stamp", "of another principal", "at another scope"],
)
async def test_under_our_name_but_not_ours_is_never_removed(
    bench: Bench, found: RoleAssignment
) -> None:
    await bench.claims.add(grant(), vm_id())
    bench.azure.existing[grant().assignment_id] = found
    assert await bench.drop(vm_id()) is Result.NOT_OURS
    assert bench.azure.existing == {grant().assignment_id: found}


async def test_a_failed_assignment_is_made_by_the_next_claim(bench: Bench) -> None:
    bench.azure.fail = Permanent("no right")
    with pytest.raises(Permanent):
        await bench.claims.add(grant(), vm_id("vm1"))
    bench.azure.fail = None
    assert await bench.claims.add(grant(), vm_id("vm2")) is Result.ASSIGNED


async def test_an_adder_waits_for_a_remover_and_takes_over_from_a_dead_one(bench: Bench) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    await bench.drop(vm_id("vm1"))
    await bench.set_state("revoking", bench.time + REVOKE_SECONDS)
    with pytest.raises(Temporary):
        await bench.claims.add(grant(), vm_id("vm2"))
    bench.time += REVOKE_SECONDS + 1
    assert await bench.claims.add(grant(), vm_id("vm2")) is Result.ASSIGNED
    assert bench.state() == "active"


async def test_a_claim_that_comes_while_revoking_keeps_the_assignment(bench: Bench) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    replace = bench.table.replace

    async def claim_meanwhile(row: object, values: dict[str, str]) -> object:
        bench.table.replace = replace  # type: ignore[method-assign]
        await bench.table.put(grant().name, "claim|other", {"resource": "other"})
        return await replace(row, values)  # type: ignore[arg-type]

    bench.table.replace = claim_meanwhile  # type: ignore[assignment, method-assign]
    assert await bench.drop(vm_id("vm1")) is Result.STILL_CLAIMED
    assert bench.state() == "active"
    assert bench.azure.existing


async def test_what_somebody_takes_away_counts_for_all_that_claim_it_until_a_release(
    bench: Bench,
) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    for number in (1, 2):
        del bench.azure.existing[grant().assignment_id]
        await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
        await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
        assert await bench.claims.times_taken(grant()) == number
        await bench.claims.add(grant(), vm_id("vm2"))
        assert await bench.claims.times_taken(grant()) == 0, "it stands"
    await bench.claims.reopen(await bench.seen())
    assert await bench.claims.times_taken(grant()) == 2, "nobody took it"
    await bench.claims.add(grant(), vm_id("vm3"), anew=True)
    await bench.claims.reopen(await bench.seen())
    assert await bench.claims.times_taken(grant()) == 0


@pytest.mark.parametrize("before", ["active", "granting"])
async def test_what_was_made_again_since_it_was_found_to_be_gone_is_not_opened(
    bench: Bench, before: str
) -> None:
    """Nobody would make it once more: who claims it has it on record as given by then."""
    await bench.claims.add(grant(), vm_id("vm1"))
    del bench.azure.existing[grant().assignment_id]
    if before == "granting":
        assert await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
    seen = await bench.seen()
    assert await bench.claims.reopen(seen, Missing.TAKEN, bench.time)
    bench.time += 60
    await bench.claims.add(grant(), vm_id("vm1"))
    assert not await bench.claims.reopen(seen, Missing.TAKEN, bench.time)
    assert bench.state() == "active"
    assert await bench.claims.times_taken(grant()) == 0


async def test_a_release_that_gives_nothing_starts_no_count_anew(bench: Bench) -> None:
    await bench.claims.add(grant(), vm_id())
    await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
    bench.azure.fail = Permanent("no right")
    with pytest.raises(Permanent):
        await bench.claims.add(grant(), vm_id(), anew=True)
    assert await bench.claims.times_taken(grant()) == 1


async def test_who_took_it_away_is_remembered_for_a_week_after_the_last_claim(
    bench: Bench,
) -> None:
    await bench.claims.add(grant(), vm_id())
    await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
    await bench.drop(vm_id())
    assert bench.state() == "revoked"
    bench.time += WEEK - 1
    assert await bench.claims.times_taken(grant()) == 1
    bench.time += 1
    assert await bench.claims.times_taken(grant()) == 0


async def test_what_is_claimed_and_not_given_counts_for_as_long_as_that(bench: Bench) -> None:
    await bench.claims.add(grant(), vm_id())
    await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
    bench.time += 10 * WEEK
    assert await bench.claims.times_taken(grant()) == 1
    await bench.claims.add(grant(), vm_id())
    await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
    assert await bench.claims.times_taken(grant()) == 1, "the other one is long ago by now"


async def test_since_when_it_stands_is_when_it_was_made_whatever_is_written_of_it(
    bench: Bench,
) -> None:
    async def since() -> float:
        (found,) = [each async for each in bench.claims.standing()]
        return found.since

    made = bench.time
    await bench.claims.add(grant(), vm_id("vm1"))
    bench.revocation = Revocation(
        GrantRows(bench.table, lambda: bench.time), bench.azure, lambda: bench.time, grace=600.0
    )
    bench.time += 60
    await bench.claims.add(grant(), vm_id("vm2"))
    assert await bench.drop(vm_id("vm2")) is Result.STILL_CLAIMED
    bench.time += 60
    with pytest.raises(NotYet):
        await bench.drop(vm_id("vm1"))
    await bench.claims.stands(grant(), grant().assignment_id, ours=True)
    await bench.claims.disown(grant())
    assert await since() == made
    await bench.claims.reopen(await bench.seen())
    await bench.claims.add(grant(), vm_id("vm1"))
    assert await since() == bench.time


async def test_on_a_condition_that_azure_refused_it_never_stood(bench: Bench) -> None:
    before = replace(grant(), condition="the one before")
    await bench.claims.add(before, vm_id("vm1"))
    assert await bench.claims.stood(before)
    bench.azure.fail = Permanent("refused")
    with pytest.raises(Permanent):
        await bench.claims.add(grant(), vm_id("vm2"))
    assert not await bench.claims.stood(grant())
    bench.azure.fail = None
    await bench.claims.add(grant(), vm_id("vm2"))
    assert await bench.claims.stood(grant())


@pytest.mark.parametrize("there", [True, False])
async def test_what_is_found_to_be_there_stands_since_then(bench: Bench, there: bool) -> None:
    await bench.claims.keep(grant(), "decision", "ann")
    bench.time += 60
    if there:
        bench.azure.existing[grant().assignment_id] = assignment(grant())
        await bench.claims.stands(grant(), grant().assignment_id, ours=True)
    (found,) = [each async for each in bench.claims.standing()]
    assert found.since == (bench.time if there else 0.0)


@pytest.mark.parametrize("there", [True, False])
async def test_who_has_the_identity_is_asked_only_of_what_stands(
    bench: Bench, *, there: bool
) -> None:
    """Else resources that would keep it hand its claim to each other, one a sweep, for ever."""
    await bench.claims.add(grant(), vm_id("vm1"))
    await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
    if not there:
        bench.azure.existing.clear()

    async def keeps(_grant: Any, _besides: ResourceId | None) -> ResourceId:
        return vm_id("vm2")

    rows = GrantRows(bench.table, lambda: bench.time)
    bench.revocation = Revocation(rows, bench.azure, lambda: bench.time, needing=keeps)
    if there:
        assert await bench.drop(vm_id("vm1")) is Result.STILL_CLAIMED
        assert bench.state() == "active"
        assert await bench.claims.claimed_by(grant(), vm_id("vm2"))
        return
    with pytest.raises(NotYet):  # a replica may miss it
        await bench.drop(vm_id("vm1"))
    bench.time += 61
    assert await bench.drop(vm_id("vm1")) is Result.REVOKED
    assert not await bench.claims.claimed_by(grant(), vm_id("vm2"))


async def test_what_turns_up_while_it_is_revoked_is_left_for_the_next_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.claims.add(grant(), vm_id("vm1"))
    await bench.claims.reopen(await bench.seen(), Missing.TAKEN, bench.time)
    answers = iter([None, bench.azure.existing[grant().assignment_id]])

    async def read(_assignment_id: str) -> RoleAssignment | None:
        return next(answers)

    monkeypatch.setattr(bench.azure, "read", read)
    with pytest.raises(NotYet, match="there after all"):
        await bench.drop(vm_id("vm1"))
    assert bench.azure.existing
    assert bench.removed == []
