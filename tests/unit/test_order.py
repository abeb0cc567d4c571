"""The order in which files of tests begin where several run side by side."""

from itertools import pairwise

from tests.support.order import in_order


def waits(file: str) -> bool:
    return file.startswith("e2e/")


def test_the_longest_begin_first_and_each_file_once() -> None:
    files = ["a", "b", "e2e/long", "e2e/short", "z"]
    ordered = in_order(files, waits, ["e2e/long", "e2e/absent"])
    assert ordered[0] == "e2e/long"
    assert sorted(ordered) == sorted(files)


def test_those_that_wait_are_spread_and_none_of_them_ends_the_run() -> None:
    files = [f"a{n:02}" for n in range(40)] + [f"e2e/{n}" for n in range(4)]
    ordered = in_order(files, waits, [])
    places = [place for place, file in enumerate(ordered) if waits(file)]
    apart = [after - before for before, after in pairwise(places)]
    assert min(apart) > 5
    assert places[-1] < 0.75 * len(ordered)


def test_what_has_none_that_waits_keeps_its_order() -> None:
    assert in_order(["a", "b", "c"], waits, []) == ["a", "b", "c"]
