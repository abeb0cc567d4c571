"""What counts as a difference between what is wanted and what ARM answers."""

from typing import Any

import pytest

from lanyard.desk.onboarding.differences import differences


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": "/Sub/X"}, {"A": "/sub/x"}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [{"k": "x"}]}, {"a": [{"k": "X", "added": []}]}),
        ({"a": None}, {}),
        ({"a": None}, {"a": ""}),
        ({"a": []}, {}),
        ({"a": {"b": None}}, {"a": None}),
    ],
    ids=[
        "what ARM adds",
        "case",
        "order",
        "objects in lists",
        "absent",
        "empty",
        "no list",
        "no object",
    ],
)
def test_this_is_none(wanted: Any, found: Any) -> None:
    assert list(differences(wanted, found)) == []


@pytest.mark.parametrize(
    ("wanted", "found", "paths"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({"a": {"b": 1}}, {}, ["a.b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"a": [1, 1]}, {"a": [1, 2]}, ["a"]),
        ({"a": []}, {"a": [1]}, ["a"]),
        ({"a": None}, {"a": "x"}, ["a"]),
        ({"a": True}, {"a": 1}, ["a"]),
        ({"a": "1"}, {"a": 1}, ["a"]),
    ],
    ids=["value", "missing", "one more", "twice", "not empty", "not absent", "true", "text"],
)
def test_this_is_one_and_its_place_is_told(wanted: Any, found: Any, paths: list[str]) -> None:
    assert list(differences(wanted, found)) == paths
