"""An attachment is Lanyard's on the resource it was made to, until it is seen gone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanyard.planning.life import SECOND_LOOK, WRITE_LAG, Life
from lanyard.ports.tables import Row
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import (
    Likeness,
    as_seen,
    likeness,
    may_be_same,
    unseen_attachments,
)
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId
from tests.support.examples import identity_id, vm_id

NOW = 1_000_000.0
ID, OTHER = identity_id("id-app"), identity_id("id-other")
LONG_AGO = NOW - 86400.0
ROW = Row("partition", "key", {}, "1")
ALIVE = Life(alive=NOW - 60.0)


def machine(*attached: ResourceId, incarnation: str = "first") -> ComputeResource:
    return ComputeResource(
        id=vm_id(),
        location="westeurope",
        tags={},
        identity=Identity(user_assigned=dict.fromkeys(attached, "p")),
        incarnation=incarnation,
    )


def record(at: float = LONG_AGO, incarnation: str = "first") -> ResourceRecord:
    return ResourceRecord(
        id=vm_id(),
        attachments={ID: at},
        dedicated={ID: Dedicated("p", 60.0)},
        confirmed={ID.key: "p"},
        repairs={"identity": (NOW,)},
        due_since={"detach": NOW},
        incarnation=incarnation,
        row=ROW,
    )


def test_what_it_still_shows_stays() -> None:
    assert as_seen(record(), machine(ID, OTHER), ALIVE, NOW) == record()


@pytest.mark.parametrize(
    ("at", "stays"), [(LONG_AGO, False), (NOW - WRITE_LAG, False), (NOW - WRITE_LAG + 1, True)]
)
def test_what_was_seen_gone_is_not_ours_any_more(at: float, stays: bool) -> None:
    seen = as_seen(record(at), machine(), ALIVE, NOW)
    assert (ID in seen.attachments) == stays


def test_to_adopt_wrote_nothing_that_a_replica_may_not_show_yet() -> None:
    adopted = replace(record(NOW - 1.0), adopted=frozenset({ID}))
    assert as_seen(adopted, machine(), ALIVE, NOW).attachments == {}
    assert as_seen(adopted, machine(ID), ALIVE, NOW).attachments == {ID: NOW - 1.0}


@pytest.mark.parametrize(("before", "now"), [("first", "second"), ("first", ""), ("", "second")])
def test_another_resource_under_the_id_has_nothing_of_ours_attached(before: str, now: str) -> None:
    known = record(incarnation=before)
    seen = as_seen(known, machine(ID, incarnation=now), ALIVE, NOW)
    assert (seen.attachments, seen.confirmed, seen.repairs, seen.due_since) == ({}, {}, {}, {})
    assert (seen.dedicated, seen.incarnation) == (known.dedicated, now)


ENDED = NOW - 100.0


@pytest.mark.parametrize("life", [Life(alive=NOW - 60.0), Life(alive=ENDED - 60.0)], ids=str)
@pytest.mark.parametrize(("at", "stays"), [(-1.0, False), (0.0, False), (20.0, True)])
def test_where_nothing_distinguishes_two_lives_a_reported_end_does(
    life: Life, at: float, stays: bool
) -> None:
    """It goes by the attachment's own moment: the event may come long after the next life began."""
    ended = replace(life, deleted=ENDED)
    seen = as_seen(record(ENDED + at, ""), machine(ID, incarnation=""), ended, NOW)
    assert (ID in seen.attachments) == stays
    assert as_seen(record(ENDED + at), machine(ID), ended, NOW) == record(ENDED + at)


def test_what_an_earlier_life_had_nobody_took_from_this_one() -> None:
    ended = Life(alive=ENDED - 60.0, deleted=ENDED)
    moments = {"identity": (ENDED - 5.0, ENDED + 5.0)}
    before = replace(record(incarnation=""), repairs=moments)
    seen = as_seen(before, machine(incarnation=""), ended, NOW)
    assert (seen.confirmed, seen.repairs) == ({}, {"identity": (ENDED + 5.0,)})
    there = as_seen(before, machine(ID, incarnation=""), ended, NOW)
    assert there.confirmed == before.confirmed
    same = as_seen(replace(before, incarnation="first"), machine(), ended, NOW)
    assert (same.confirmed, same.repairs) == (before.confirmed, moments)


@pytest.mark.parametrize("end", [Life(deleted=ENDED), Life(missing=ENDED)], ids=str)
@pytest.mark.parametrize(
    ("dated", "stays"),
    [
        (0.0, False),
        (ENDED - 500.0, True),
        (ENDED - SECOND_LOOK - 1, True),
        (ENDED - SECOND_LOOK, False),
        (ENDED, False),
        (ENDED + 20.0, False),
    ],
)
def test_what_shows_that_it_was_there_before_an_end_did_not_end(
    end: Life, dated: float, stays: bool
) -> None:
    """It was made again since, or it was missed once, or moved there and back."""
    life = replace(end, alive=ENDED - 400.0)
    resource = replace(machine(ID, incarnation=""), dated=dated)
    seen = as_seen(record(ENDED - 450.0, ""), resource, life, NOW)
    assert (ID in seen.attachments) == stays


def test_a_look_since_its_end_proves_nothing() -> None:
    """Made again, and at work when it was looked at."""
    life = Life(alive=ENDED + 30.0, deleted=ENDED)
    resource = replace(machine(ID, incarnation=""), dated=ENDED + 20.0)
    assert as_seen(record(ENDED - 450.0, ""), resource, life, NOW).attachments == {}


ELSEWHERE = ResourceId.parse(vm_id().text.replace("/resourceGroups/", "/resourceGroups/x"))


@pytest.mark.parametrize(
    ("changed", "how"),
    [
        ({"incarnation": ""}, Likeness.DOUBTFUL),
        ({"incarnation": "", "named_once": True}, Likeness.DOUBTFUL),
        ({"incarnation": "", "named_once": True, "dated": ENDED - 500.0}, Likeness.SAME),
        ({"incarnation": "", "named_once": True, "dated": ENDED + 1.0}, Likeness.DOUBTFUL),
        ({"incarnation": "", "dated": ENDED - 500.0}, Likeness.DOUBTFUL),
        ({"incarnation": "", "identity": Identity()}, Likeness.ANOTHER),
        ({"incarnation": "second"}, Likeness.ANOTHER),
    ],
)
def test_which_one_it_is_elsewhere(changed: dict[str, Any], how: Likeness) -> None:
    gone = replace(record(incarnation=""), life=Life(alive=ENDED - 400.0, missing=ENDED))
    other = replace(machine(ID), id=ELSEWHERE, **changed)
    assert likeness(gone, other) is how


def test_a_row_that_shows_no_stable_id_may_be_the_one() -> None:
    there = replace(machine(ID), id=ELSEWHERE)
    assert may_be_same(record(), there)
    assert may_be_same(record(), replace(there, incarnation=""))
    assert not may_be_same(record(), replace(there, incarnation="second"))
    assert not may_be_same(record(), replace(there, incarnation="", identity=Identity()))
    assert not may_be_same(record(), machine(ID)), "itself"


def test_a_first_look_begins_nothing_anew() -> None:
    known = ResourceRecord(id=vm_id())
    seen = as_seen(known, machine(ID), Life(), NOW)
    assert seen == replace(known, incarnation="first")


@given(
    at=st.floats(0, NOW),
    shown=st.booleans(),
    life=st.builds(Life, alive=st.floats(0, NOW), deleted=st.floats(0, NOW)),
    incarnations=st.tuples(*[st.sampled_from(["", "first", "second"])] * 2),
)
def test_nothing_becomes_ours_by_looking(
    at: float, shown: bool, life: Life, incarnations: tuple[str, str]
) -> None:
    before, now = incarnations
    resource = machine(*([ID] if shown else []), OTHER, incarnation=now)
    seen = as_seen(record(at, before), resource, life, NOW)
    assert seen.attachments.items() <= {ID: at}.items()
    if before != now or not (shown or NOW - at < WRITE_LAG):
        assert not seen.attachments


@pytest.mark.parametrize(
    ("manual", "incarnation", "lag"),
    [(True, "first", True), (False, "first", False), (True, "second", False)],
)
def test_instances_lag_as_long_as_nothing_else_brings_them_up_to_date(
    manual: bool, incarnation: str, lag: bool
) -> None:
    known = replace(record(), instances_lag=True)
    shown = replace(machine(ID, incarnation=incarnation), manual_upgrade=manual)
    assert as_seen(known, shown, ALIVE, NOW).instances_lag is lag


def test_a_listing_that_lacks_an_attachment_is_seen() -> None:
    assert unseen_attachments(record(), machine(OTHER))
    assert not unseen_attachments(record(), machine(ID, OTHER))
