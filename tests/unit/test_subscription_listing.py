"""The listing of subscriptions in the control table: whole, or none."""

from lanyard.record.subscription_listing import KeptListing
from lanyard.values.subscriptions import Subscription, Subscriptions, listing_of
from tests.support.memory_table import MemoryTable


def many(number: int, name: str = "sub") -> Subscriptions:
    return listing_of(
        {
            f"{each:08}-0000-0000-0000-000000000000": Subscription(
                f"{name} {each} ä", ("near-" + "x" * 80, "root"), each % 2 == 0
            )
            for each in range(number)
        }
    )


async def test_what_is_kept_is_read_again() -> None:
    kept = KeptListing(MemoryTable())
    assert await kept.read() == {}
    for number in (1, 1200, 501, 2, 0, 3):
        await kept.keep(many(number))
        assert await kept.read() == many(number)


async def test_no_column_is_longer_than_azure_takes() -> None:
    table = MemoryTable()
    await KeptListing(table).keep(many(1200))
    assert len(table.content) == 3
    assert all(
        len(text) <= 32_768 for row in table.content.values() for text in row.values.values()
    )


async def test_a_listing_that_was_cut_off_is_none() -> None:
    table = MemoryTable()
    kept = KeptListing(table)
    await kept.keep(many(1200))
    old = table.content["subscriptions", "0002"]
    await kept.keep(many(1200, "other"))
    table.seed(old.partition, old.key, old.values)
    assert await kept.read() == {}
    await kept.keep(many(1200, "other"))
    assert await kept.read() == many(1200, "other")


async def test_what_is_not_as_it_was_written_is_none() -> None:
    table = MemoryTable()
    kept = KeptListing(table)
    await kept.keep(many(2))
    row = table.content["subscriptions", "0000"]
    for change in (
        {"rows": "two"},
        {"rows": "0"},
        {"rows": "2", "version": "x"},
        {"version": "x"},
        {"text000": "{}"},
    ):
        table.seed(row.partition, row.key, {**row.values, **change})
        assert await kept.read() == {}
    await table.delete(row.partition, row.key)
    assert await kept.read() == {}
