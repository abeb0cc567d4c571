"""What a sweep keeps on the local disk: found by its key, in two orders, gone with the sweep."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanyard.ports.tables import key_of
from lanyard.sweep.in_turns import in_turns, read_in_turns
from lanyard.sweep.spill import _BATCH, Spill, SpilledMapping
from lanyard.values.errors import Temporary
from lanyard.values.resource_id import folded

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"

# Where ids, folded ids, table keys and whatever collation a service has sort differently, and one
# name is the beginning of another.
names = st.text(alphabet="aAbBzZ09-._()|~ ÄäßK", min_size=1, max_size=6)
groups = st.one_of(st.sampled_from(["rg", "RG", "rg-x", "rg.x", "rg1", "RG2", "rg10"]), names)
ids = st.builds(
    lambda group, name: (
        f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Web/sites/{name}"
    ),
    groups,
    names,
)


@pytest.fixture
def spill() -> Iterator[Spill]:
    with closing(Spill()) as spill:
        yield spill


@given(st.lists(st.tuples(ids, st.integers())))
def test_it_holds_what_a_dict_holds_and_in_its_order(put: list[tuple[str, int]]) -> None:
    with closing(Spill()) as spill:
        found: SpilledMapping[int] = spill.mapping()
        known: dict[str, int] = {}
        for id_, value in put:
            found[folded(id_)] = value
            known[folded(id_)] = value
        assert list(found.items()) == list(known.items())
        assert list(found.by_key()) == sorted(known.items())
        assert len(found) == len(known)


@given(st.lists(ids, unique_by=folded), st.lists(ids, unique_by=folded))
def test_what_is_listed_is_found_whatever_order_each_side_comes_in(
    listed: list[str], recorded: list[str]
) -> None:
    """The listing in the order of the ids, the records in that of the tables' keys."""
    with closing(Spill()) as spill:
        shown = spill.keys()
        records: SpilledMapping[str] = spill.mapping()
        for id_ in sorted(listed):
            shown.add(folded(id_))
        for id_ in sorted(recorded, key=key_of):
            records[folded(id_)] = id_
        missing = {key for key in records if key not in shown}
    assert missing == set(map(folded, recorded)) - set(map(folded, listed))


def test_more_than_a_batch_is_read_as_it_was_written_and_after_a_key(spill: Spill) -> None:
    found: SpilledMapping[int] = spill.mapping()
    for number in reversed(range(3 * _BATCH + 1)):
        found[f"{number:05}"] = number
    assert [value for _, value in found.by_key("00500")] == list(range(501, 3 * _BATCH + 1))
    assert list(found.values()) == list(reversed(range(3 * _BATCH + 1)))
    found["00007"] = -7
    del found["00008"]
    assert (found["00007"], "00008" in found, found.get("00008")) == (-7, False, None)


def test_what_is_put_while_it_is_read_is_no_trouble(spill: Spill) -> None:
    found: SpilledMapping[int] = spill.mapping()
    found.update({f"{number:05}": number for number in range(2 * _BATCH)})
    for key, value in found.items():
        found[key] = -value
    assert sum(found.values()) == -sum(range(2 * _BATCH))


def test_a_listing_may_hold_what_is_no_text(spill: Spill) -> None:
    odd = f"{SUBSCRIPTION}/\ud800"
    keys = spill.keys()
    keys.add(odd)
    assert list(keys) == [odd]
    assert odd in keys
    keys.discard(odd)
    assert odd not in keys


def test_a_full_disk_ends_the_sweep_with_an_error(spill: Spill) -> None:
    found: SpilledMapping[bytes] = spill.mapping()
    spill._connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(Temporary, match="local disk: database or disk is full"):
        found.update({str(number): bytes(1000) for number in range(_BATCH)})


def test_its_file_has_no_name(spill: Spill) -> None:
    found: SpilledMapping[bytes] = spill.mapping()
    found.update({str(number): bytes(50_000) for number in range(_BATCH)})
    names = [target for link in os.scandir("/proc/self/fd") if (target := _target(link.path))]
    assert any("etilqs" in name and name.endswith("(deleted)") for name in names)


def _target(link: str) -> str:
    """ "" for the one by which the folder itself was open."""
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


async def test_long_loops_let_others_have_their_turn() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def pages() -> AsyncIterator[int]:
        for number in range(1000):
            yield number

    task = asyncio.create_task(other())
    assert [number async for number in in_turns(range(1000))] == list(range(1000))
    assert turns >= 10
    assert [number async for number in read_in_turns(pages())] == list(range(1000))
    assert turns >= 20
    task.cancel()
