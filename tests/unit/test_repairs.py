"""What counts as taken away by somebody, for how long, and when the count begins anew."""

from dataclasses import dataclass, replace

import pytest

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReplaceIdentity,
)
from lanyard.planning.contested import MOST_REPAIRS, repair_key
from lanyard.planning.desired import Desired, WantedGrant, WantedIdentity
from lanyard.ports.tables import Row
from lanyard.reconcile.taken_grants import times_taken
from lanyard.record.ledger import ResourceRecord
from lanyard.record.repairs import (
    after_repairs,
    counted,
    identities_looked_at,
    missing,
)
from lanyard.record.rows import DamagedRow
from lanyard.values.compute import (
    ComputeResource,
    Identity,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId
from tests.support.examples import grant, identity_id, vm_id

NOW = 1_000_000.0
WEEK = 7 * 86400.0
ID = identity_id("id-app")
REF, SYSTEM = UserAssigned(ID), SystemAssigned()
ATTACH = AttachIdentity(ID, ("rule",))
ASSIGN = AssignRole(grant().scope, grant().role_id, SYSTEM, grant().principal_id, ("rule",))
KEY = repair_key(ATTACH)
OFTEN = tuple(NOW - 60.0 * n for n in range(MOST_REPAIRS + 1, 0, -1))
WANTED = Desired(identities={ID: WantedIdentity(ID, None, ("rule",))}, system=("rule",))
GIVEN = ResourceRecord(id=vm_id(), confirmed={REF.key: "p-1", SYSTEM.key: "p-s"})
BARE = ComputeResource(id=vm_id(), location="westeurope", tags={}, identity=Identity())
WHOLE = replace(BARE, identity=Identity("p-s", {ID: "p-1"}))


ROLE = WantedGrant(ASSIGN.scope, ASSIGN.role_id, SYSTEM, ("rule",))
SYSTEM_ROLE = Desired(system=("rule",), grants=(ROLE,))


@dataclass
class Taken:
    """Each grant was taken away so often."""

    times: int

    async def times_taken(self, _grant: Grant) -> int:
        return self.times


class Damaged:
    """No row of a grant can be read."""

    async def times_taken(self, grant: Grant) -> int:
        raise DamagedRow(f"the row of {grant}", Row("p", "k", {}, ""))


def looked_at(
    record: ResourceRecord, taken: set[PrincipalRef], resource: ComputeResource = BARE
) -> ResourceRecord:
    """The record after a look at which these were taken by somebody, and nothing was made again."""
    return identities_looked_at(record, resource, taken, frozenset(), NOW)


def test_what_lanyard_gave_and_the_resource_does_not_show_is_missing() -> None:
    assert missing(GIVEN, BARE, WANTED) == {REF, SYSTEM}
    assert missing(GIVEN, WHOLE, WANTED) == frozenset()


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (ResourceRecord(id=vm_id()), WANTED),
        (GIVEN, Desired()),
        (replace(GIVEN, confirmed={REF.key: "p-1"}, in_repair=frozenset({ID})), WANTED),
    ],
    ids=["Lanyard never gave it", "nobody wants it", "Lanyard itself took it off"],
)
def test_what_nobody_took_is_not_missing(record: ResourceRecord, wanted: Desired) -> None:
    assert missing(record, BARE, wanted) == frozenset()


def test_an_identity_is_the_same_in_any_case_of_its_id() -> None:
    shouted = ResourceId.parse(ID.text.upper())
    wanted = Desired(identities={shouted: WantedIdentity(shouted, None, ("rule",))})
    assert missing(GIVEN, BARE, wanted) == {REF}
    assert repair_key(AttachIdentity(shouted, ("rule",))) == KEY


@pytest.mark.parametrize(
    ("ref", "puts_back"),
    [
        (REF, ATTACH),
        (REF, ReplaceIdentity(REF, UserAssigned(identity_id("id-theirs")), ("rule",))),
        (SYSTEM, EnableSystemIdentity(("rule",))),
        (SYSTEM, ReplaceIdentity(SYSTEM, UserAssigned(identity_id("id-theirs")), ("rule",))),
    ],
    ids=str,
)
def test_what_somebody_took_counts_under_the_key_of_what_puts_it_back(
    ref: PrincipalRef, puts_back: Action
) -> None:
    assert counted(looked_at(GIVEN, {ref})) == {repair_key(puts_back): 1}


def test_what_is_missing_is_counted_once() -> None:
    seen = looked_at(GIVEN, {REF, SYSTEM})
    assert missing(seen, BARE, WANTED) == frozenset()
    assert looked_at(seen, set()) == seen


def test_an_identity_that_was_made_again_is_another_one_that_nobody_took() -> None:
    before = replace(GIVEN, repairs={KEY: OFTEN})
    assert counted(identities_looked_at(before, BARE, frozenset(), {REF}, NOW)) == {}


def test_what_became_of_an_identity_that_is_not_found_is_not_known() -> None:
    before = replace(GIVEN, repairs={KEY: OFTEN})
    seen = looked_at(before, set())
    assert seen.repairs == before.repairs
    assert missing(seen, BARE, WANTED) == frozenset()


def test_what_lanyard_attached_and_is_there_is_known_to_be() -> None:
    """The answer to the write was lost, or it was a surprise."""
    attached = ResourceRecord(id=vm_id(), attachments={ID: NOW})
    assert looked_at(attached, set(), WHOLE).confirmed == {REF.key: "p-1"}
    assert looked_at(attached, set()).confirmed == {}
    known = replace(attached, confirmed={REF.key: "p-0"})
    assert looked_at(known, set(), WHOLE).confirmed == {REF.key: "p-0"}


def test_what_is_more_than_a_week_ago_does_not_count_any_longer() -> None:
    before = replace(GIVEN, repairs={KEY: (NOW - WEEK, NOW - WEEK + 1)})
    assert looked_at(before, {REF}).repairs == {KEY: (NOW - WEEK + 1, NOW)}


def test_what_is_left_to_people_stays_with_them_until_it_is_there_again() -> None:
    old = tuple(at - WEEK for at in OFTEN)
    before = ResourceRecord(id=vm_id(), repairs={KEY: old})
    assert looked_at(before, set()).repairs == {KEY: old}
    assert looked_at(before, set(), WHOLE).repairs == {}


def test_the_second_half_of_lanyards_own_repair_is_nobody_elses_doing() -> None:
    assert repair_key(AttachIdentity(ID, ("rule",), in_repair=True)) == ""


@pytest.mark.parametrize(
    "action", [ATTACH, EnableSystemIdentity(("rule",))], ids=["identity", "system"]
)
def test_what_was_left_to_people_and_is_done_was_released_and_counts_anew(action: Action) -> None:
    """The guard holds it at this count: only a person's release can have had it done."""
    before = replace(GIVEN, repairs={repair_key(action): OFTEN, "other": (1.0,)})
    assert after_repairs(before, [action], ()) == {"other": (1.0,)}


def test_what_is_put_back_is_still_counted() -> None:
    before = replace(GIVEN, repairs={KEY: OFTEN[1:]})
    assert after_repairs(before, [ATTACH], ()) == before.repairs


def test_what_is_no_longer_wanted_is_forgotten() -> None:
    before = ResourceRecord(id=vm_id(), repairs={KEY: OFTEN, "other": (1.0,)})
    assert after_repairs(before, [], {KEY}) == {"other": (1.0,)}


def test_what_puts_nothing_back_changes_no_count() -> None:
    before = replace(GIVEN, repairs={KEY: OFTEN})
    assert after_repairs(before, [DetachIdentity(ID)], ()) == before.repairs


async def test_a_grant_counts_under_the_key_that_the_guard_asks_for() -> None:
    found = await times_taken(SYSTEM_ROLE, {SYSTEM: "p-s"}, GIVEN, Taken(MOST_REPAIRS))
    assert found == {repair_key(replace(ASSIGN, principal_id="p-s")): MOST_REPAIRS}


async def test_a_grant_of_another_principal_is_another_thing() -> None:
    first, second = [
        await times_taken(SYSTEM_ROLE, {SYSTEM: who}, GIVEN, Taken(1)) for who in ("p-1", "p-2")
    ]
    assert first.keys().isdisjoint(second)


async def test_what_is_on_record_as_given_is_not_asked_for() -> None:
    given = replace(GIVEN, grants=frozenset({ROLE.granted("p-s")}))
    assert await times_taken(SYSTEM_ROLE, {SYSTEM: "p-s"}, given, Taken(1)) == {}
    assert await times_taken(SYSTEM_ROLE, {}, GIVEN, Taken(1)) == {}


async def test_a_row_that_cannot_be_read_holds_nothing_else_up() -> None:
    found = await times_taken(SYSTEM_ROLE, {SYSTEM: "p-s"}, GIVEN, Damaged())
    assert found == {repair_key(replace(ASSIGN, principal_id="p-s")): 0}
