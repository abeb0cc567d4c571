"""What counts as put back again, for how long, and when the count begins anew."""

import pytest

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    DetachIdentity,
    ReplaceIdentity,
)
from lanyard.planning.contested import MOST_REPAIRS, repair_key
from lanyard.record.ledger import ResourceRecord
from lanyard.record.repairs import after_repairs, counted, grant_repaired
from lanyard.values.compute import PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.resource_id import ResourceId
from tests.support.examples import grant, identity_id, vm_id

NOW = 1_000_000.0
WEEK = 7 * 86400.0
ID = identity_id("id-app")
ATTACH = AttachIdentity(ID, ("rule",))
ASSIGN = AssignRole(
    grant().scope, grant().role_id, SystemAssigned(), grant().principal_id, ("rule",)
)
KEY = repair_key(ATTACH)
OFTEN = tuple(NOW - 60.0 * n for n in range(MOST_REPAIRS, 0, -1))


def test_an_identity_attached_again_with_the_same_principal_was_put_back() -> None:
    before = ResourceRecord(id=vm_id(), confirmed={ID.key: "p-1"})
    assert after_repairs(before, [ATTACH], {ID.key: "p-1"}, (), NOW) == {KEY: (NOW,)}


@pytest.mark.parametrize(
    ("before", "attached"),
    [
        ({}, {ID.key: "p-1"}),
        ({ID.key: "p-1"}, {ID.key: "p-2"}),
        ({ID.key: "p-1"}, {}),
    ],
    ids=["for the first time", "with another principal", "and Azure does not show it"],
)
def test_an_identity_attached_is_no_repair(
    before: dict[str, str], attached: dict[str, str]
) -> None:
    known = ResourceRecord(id=vm_id(), confirmed=before)
    assert after_repairs(known, [ATTACH], attached, (), NOW) == {}


def test_an_identity_is_the_same_in_any_case_of_its_id() -> None:
    shouted = AttachIdentity(ResourceId.parse(ID.text.upper()), ("rule",))
    before = ResourceRecord(id=vm_id(), confirmed={ID.key: "p-1"}, repairs={KEY: (NOW - 5,)})
    moments = after_repairs(before, [shouted], {ID.key: "p-1"}, (), NOW)
    assert moments == {KEY: (NOW - 5, NOW)}


def test_the_second_half_of_lanyards_own_repair_is_nobody_elses_doing() -> None:
    before = ResourceRecord(id=vm_id(), confirmed={ID.key: "p-1"})
    action = AttachIdentity(ID, ("rule",), in_repair=True)
    assert after_repairs(before, [action], {ID.key: "p-1"}, (), NOW) == {}


@pytest.mark.parametrize(
    ("new", "before", "now", "repaired"),
    [
        (UserAssigned(ID), {ID.key: "p-1"}, "p-1", True),
        (UserAssigned(ID), {ID.key: "p-1"}, "p-2", False),
        (UserAssigned(ID), {}, "p-1", False),
        (SystemAssigned(), {"system": "p-1"}, "p-2", True),
        (SystemAssigned(), {}, "p-2", False),
    ],
)
def test_what_takes_the_same_place_again_was_put_back(
    new: PrincipalRef, before: dict[str, str], now: str, repaired: bool
) -> None:
    action = ReplaceIdentity(new, UserAssigned(identity_id("id-theirs")), ("rule",))
    known = ResourceRecord(id=vm_id(), confirmed=before)
    moments = after_repairs(known, [action], {new.key: now}, (), NOW)
    assert moments == ({repair_key(action): (NOW,)} if repaired else {})


def test_what_is_more_than_a_week_ago_does_not_count_any_longer() -> None:
    before = ResourceRecord(
        id=vm_id(), confirmed={ID.key: "p-1"}, repairs={KEY: (NOW - WEEK, NOW - WEEK + 1)}
    )
    moments = after_repairs(before, [ATTACH], {ID.key: "p-1"}, (), NOW)
    assert moments == {KEY: (NOW - WEEK + 1, NOW)}


@pytest.mark.parametrize("action", [ATTACH, ASSIGN], ids=["identity", "role"])
def test_what_was_left_to_people_and_is_done_was_released_and_counts_anew(action: Action) -> None:
    """The guard holds it at this count: only a person's release can have had it done."""
    before = ResourceRecord(
        id=vm_id(), confirmed={ID.key: "p-1"}, repairs={repair_key(action): OFTEN, "other": (1.0,)}
    )
    moments = after_repairs(before, [action], {ID.key: "p-1"}, (), NOW)
    assert moments == {"other": (1.0,)}


def test_what_is_no_longer_wanted_is_forgotten() -> None:
    before = ResourceRecord(id=vm_id(), repairs={KEY: OFTEN, "other": (1.0,)})
    assert after_repairs(before, [], {}, {KEY}, NOW) == {"other": (1.0,)}


def test_what_puts_nothing_back_changes_no_count() -> None:
    before = ResourceRecord(id=vm_id(), confirmed={ID.key: "p-1"}, repairs={KEY: (1.0,)})
    moments = after_repairs(before, [DetachIdentity(ID)], {ID.key: "p-1"}, (), NOW)
    assert moments == before.repairs


def test_a_grant_made_again_counts_under_the_key_that_the_guard_asks_for() -> None:
    again = ResourceRecord(id=vm_id())
    for number in range(MOST_REPAIRS):
        again = grant_repaired(again, grant(), NOW + number)
    assert counted(again) == {repair_key(ASSIGN): MOST_REPAIRS}


def test_a_grant_of_another_principal_is_another_thing() -> None:
    both = grant_repaired(
        grant_repaired(ResourceRecord(id=vm_id()), grant("p-1"), NOW), grant("p-2"), NOW
    )
    assert sorted(counted(both).values()) == [1, 1]
