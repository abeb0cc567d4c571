"""The claims protocol under every interleaving: the assignment exists exactly when a claim does.


Up to three workers add and drop claims on one grant; each may crash at any step and be brought
back later, as a queue message is.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Hashable

import pytest

from lanyard.ports.tables import Row, RowChanged, RowExists, Values
from lanyard.record.claims import Claims
from lanyard.record.grant_rows import GrantRows
from lanyard.record.granted import REVOKE_SECONDS
from lanyard.record.making import MadeOnce
from lanyard.record.revocation import Revocation
from lanyard.values.errors import Temporary
from lanyard.values.grants import Described, Given, Grant, RoleAssignment
from tests.support.examples import grant, vm_id
from tests.support.interleavings import Worker, World, explore, finish
from tests.support.memory_assignments import unrecorded

STAMP = "ours"


class SharedTable:
    """One table's rows; each operation is one atomic step. Versions count per row."""

    def __init__(self, world: ClaimsWorld) -> None:
        self.rows_now: dict[str, Row] = {}
        self._world = world

    async def get(self, _partition: str, key: str) -> Row | None:
        return await self._world.step(lambda: self.rows_now.get(key))

    async def insert(self, partition: str, key: str, values: Values) -> Row:
        def work() -> Row:
            if key in self.rows_now:
                raise RowExists(key)
            return self._store(partition, key, values)

        return await self._world.step(work)

    async def replace(self, row: Row, values: Values) -> Row:
        def work() -> Row:
            if self.rows_now.get(row.key) != row:
                raise RowChanged(row.key)
            return self._store(row.partition, row.key, values)

        return await self._world.step(work)

    async def put(self, partition: str, key: str, values: Values) -> None:
        await self._world.step(lambda: self._store(partition, key, values) and None)

    async def delete(self, _partition: str, key: str) -> None:
        await self._world.step(lambda: self.rows_now.pop(key, None) and None)

    async def remove(self, row: Row) -> None:
        def work() -> None:
            if self.rows_now.get(row.key, row) != row:
                raise RowChanged(row.key)
            self.rows_now.pop(row.key, None)

        await self._world.step(work)

    def everything(self) -> AsyncIterator[Row]:
        raise AssertionError("claims never list a whole table")

    def rows(self, _partition: str, *, first: str = "", last: str = "") -> AsyncIterator[Row]:
        return Listing(self, self._world, first, last)

    def _store(self, partition: str, key: str, values: Values) -> Row:
        before = self.rows_now.get(key)
        version = int(before.version) + 1 if before else 1
        row = Row(partition, key, dict(values), str(version))
        self.rows_now[key] = row
        return row

    def claimed(self) -> list[str]:
        return [key for key in self.rows_now if key.startswith("claim|")]


class Listing:
    """The rows of a range, read in one step. No generator: a worker's frames stay in sight."""

    def __init__(self, table: SharedTable, world: ClaimsWorld, first: str, last: str) -> None:
        self._table, self._world = table, world
        self._first, self._last = first, last
        self._found: list[Row] | None = None

    def __aiter__(self) -> Listing:
        return self

    async def __anext__(self) -> Row:
        if self._found is None:
            self._found = await self._world.step(self._read)
        if not self._found:
            raise StopAsyncIteration
        return self._found.pop(0)

    def _read(self) -> list[Row]:
        rows = sorted(self._table.rows_now.items())
        return [row for key, row in rows if self._first <= key < self._last]


class SharedAssignments:
    """The one role assignment: it exists or it does not."""

    def __init__(self, world: ClaimsWorld) -> None:
        self.exists = False
        self.asked = 0
        self._world = world

    async def ensure(self, grant: Grant, *, was_theirs: bool = False) -> Given:
        assert not was_theirs

        def work() -> Given:
            self.asked += 1
            self.exists = True
            return Given(grant.assignment_id, ours=True)

        return await self._world.step(work)

    async def read(self, _assignment_id: str) -> RoleAssignment | None:
        return await self._world.step(lambda: ASSIGNMENT if self.exists else None)

    async def giving(self, _wanted: Grant) -> RoleAssignment | None:
        raise AssertionError("what is ours is not looked for")

    async def delete(self, _assignment_id: str) -> None:
        def work() -> None:
            self.exists = False

        await self._world.step(work)

    def is_ours(self, assignment: Described) -> bool:
        return assignment.description == STAMP


GRANT = grant()
#: Whom it is made for, where that is another one than the worker itself.
ANY_MAKER = re.compile(r"('maker': '[^']*?vm)\d(?=')")
RESOURCES = {number: vm_id(f"vm{number}") for number in "123"}
ASSIGNMENT = RoleAssignment(
    GRANT.assignment_id, GRANT.scope, GRANT.role_id, GRANT.principal_id, STAMP, {}
)


class ClaimsWorld(World):
    """Workers by letters: "+1" adds the claim of resource 1, "-2" drops that of resource 2."""

    def __init__(
        self, jobs: tuple[str, ...], before: tuple[str, ...], code: type[GrantRows] = GrantRows
    ) -> None:
        self.time = 1000.0
        self.table = SharedTable(self)
        self.azure = SharedAssignments(self)
        self._rows = rows = code(self.table, lambda: self.time)
        self.revocation = Revocation(rows, self.azure, lambda: self.time)
        for job in before:
            finish(self._work(job))
        self._jobs = jobs
        self.workers = [Worker(lambda job=job: self._guarded(job)) for job in jobs]  # type: ignore[misc]

    def shared(self) -> Hashable:
        row = self.table.rows_now.get("grant")
        others = self._claims() - {job[1] for job in self._jobs}
        values = ANY_MAKER.sub(r"\1", repr(row.values if row else None))
        return (values, self.azure.exists, tuple(sorted(others)))

    def part(self, number: int, state: Hashable) -> str:
        """Resources are interchangeable: worlds that differ only in their numbers are one."""
        job = self._jobs[number]
        row = self.table.rows_now.get("grant")
        is_maker = row is not None and row.values["maker"] == RESOURCES[job[1]].key
        found = repr((job[0], job[1] in self._claims(), is_maker, state))
        found = found.replace(f"vm{job[1]}", "vm?").replace(repr(job), job[0])
        return ANY_MAKER.sub(r"\1", found)

    def _claims(self) -> set[str]:
        return {key[-1] for key in self.table.claimed()}

    def describe(self, value: object) -> Hashable:
        """Of a row's version it only matters whether it is still the current one.

        A grant as it was read is what its row says.
        """
        row = getattr(value, "row", value)
        if isinstance(row, Row):
            return (row.key, repr(row.values), self.table.rows_now.get(row.key) == row)
        return repr(value)

    def end(self) -> None:
        """What crashed or had to wait comes back, one after the other, when its time has come."""
        for worker, job in zip(self.workers, self._jobs, strict=True):
            if worker.crashed or worker.result == "later":
                assert any(self._again(job) for _ in range(3)), f"{job} never ends"
        held, claimed = self.azure.exists, self.table.claimed()
        assert held == bool(claimed), f"the assignment exists: {held}; claims: {claimed}"
        wanted = {job[1] for job in self._jobs if job[0] == "+"}
        assert {key[-1] for key in claimed} >= wanted

    def _again(self, job: str) -> bool:
        """Whether it ends: what another left half done takes a second look."""
        self.time += REVOKE_SECONDS + 1
        return finish(self._guarded(job)) == "done"

    async def _guarded(self, job: str) -> str:
        try:
            await self._work(job)
        except Temporary:
            return "later"
        return "done"

    async def _sleep(self, _seconds: float) -> None:
        """Until any moment."""
        await self.step(lambda: None)

    async def _work(self, job: str) -> None:
        resource = RESOURCES[job[1]]
        if job[0] == "+":
            # Each worker is another instance.
            claims = Claims(self._rows, self.azure, once=MadeOnce(self._sleep, looks=1))
            await claims.add(GRANT, resource)
        else:
            await self.revocation.drop(GRANT, resource, unrecorded, 0.0)


@pytest.mark.parametrize(
    ("jobs", "before", "crashes"),
    [
        (("+1", "+2"), (), 2),
        (("+1", "-2"), ("+2",), 2),
        (("-1", "-2"), ("+1", "+2"), 2),
        (("+1", "-2"), ("+2", "+3", "-3"), 1),
        (("+1", "+2", "-3"), ("+3",), 1),
        (("+1", "-2", "-3"), ("+2", "+3"), 1),
        (("-1", "-2", "-3"), ("+1", "+2", "+3"), 1),
        (("+1", "+2", "+3"), (), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_the_assignment_exists_exactly_when_a_claim_does(
    jobs: tuple[str, ...], before: tuple[str, ...], crashes: int
) -> None:
    explored = explore(lambda: ClaimsWorld(jobs, before), crashes=crashes)
    assert explored.runs > 1


class CountedWorld(ClaimsWorld):
    """Nobody dies, and no time passes: then one makes it for all."""

    def shared(self) -> Hashable:
        return (super().shared(), self.azure.asked)

    def end(self) -> None:
        assert self.azure.asked == 1
        super().end()


@pytest.mark.parametrize("jobs", [("+1", "+2"), ("+1", "+2", "+3")], ids=" ".join)
def test_case_C26_whoever_comes_while_it_is_made_does_not_begin_again(
    jobs: tuple[str, ...],
) -> None:
    assert explore(lambda: CountedWorld(jobs, ())).runs > 1


class WithoutSecondLook(GrantRows):
    """The protocol with its heart cut out: claims are not read again after `revoking`."""

    async def claimed(self, grant: Grant, besides: Row | None = None) -> bool:
        row = await self._table.get(grant.name, "grant")
        revoking = row is not None and row.values["state"] == "revoking"
        return not revoking and await super().claimed(grant, besides)


def test_the_checker_notices_a_missing_second_look() -> None:
    with pytest.raises(AssertionError, match="the assignment exists"):
        explore(lambda: ClaimsWorld(("+1", "-2"), ("+2",), WithoutSecondLook))
