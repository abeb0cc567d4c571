"""Subscriptions on record that cannot be read, until a person takes them off."""

from lanyard.record.unread import UnreadSubscriptions
from tests.support.memory_table import MemoryTable

DAY = 86_400.0
LOST, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


class Days:
    """A clock that the test moves."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_what_a_sweep_cannot_read_is_remembered_until_one_can() -> None:
    unread = UnreadSubscriptions(MemoryTable(), Days())
    await unread.found({LOST, OTHER})
    assert await unread.read() == {LOST, OTHER}
    await unread.found({LOST})
    assert await unread.read() == {LOST}


async def test_what_a_person_took_off_stays_off_while_it_cannot_be_read() -> None:
    unread = UnreadSubscriptions(MemoryTable(), Days())
    await unread.found({LOST})
    await unread.take_off(LOST)
    await unread.found({LOST})
    assert await unread.read() == frozenset()


async def test_what_is_taken_off_may_be_readable_for_a_while() -> None:
    clock = Days()
    unread = UnreadSubscriptions(MemoryTable(), clock)
    await unread.take_off(LOST)
    await unread.found(frozenset())
    await unread.found({LOST})
    assert await unread.read() == frozenset()


async def test_what_is_watched_again_a_day_later_counts_again() -> None:
    clock = Days()
    unread = UnreadSubscriptions(MemoryTable(), clock)
    await unread.take_off(LOST)
    clock.now += 2 * DAY
    await unread.found(frozenset())
    await unread.found({LOST})
    assert await unread.read() == {LOST}


async def test_a_damaged_row_forbids() -> None:
    table = MemoryTable()
    unread = UnreadSubscriptions(table, Days())
    await unread.take_off(LOST)
    await table.put("unread", LOST, {"state": "offboarded", "at": "soon"})
    assert await unread.read() == {LOST}
