"""Cases of tables that were lost, or put back from an older moment: nothing of Lanyard's is taken
until a sweep has read everything, and what was known is known again.
"""

from dataclasses import replace

import pytest

from lanyard.desk.operator import Operator
from lanyard.ports.tables import Row
from lanyard.record.held import Answer
from lanyard.record.rows import MARK
from lanyard.values.resource_id import ResourceId
from simulator.azure import Azure
from tests.support.cases import (
    HOUR,
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    delete,
    exists,
    held,
    hours,
    identity_id,
    own,
    pass_time,
    patch,
    roles,
    sweep,
)
from tests.support.estate import Estate
from tests.support.other_subscriptions import lose_a_subscription

PROD = {"env": "prod"}
SHARED = Rules(match="tags: {env: prod}")
OWN = Rules(identity=own(), match="tags: {env: prod}")
TABLES = ("resources", "identities", "grants", "decisions", "held", "control")

type Rows = dict[str, dict[tuple[str, str], Row]]


def lose_tables(estate: Estate) -> None:
    put_back(estate, {name: {} for name in TABLES})


def put_back(estate: Estate, rows: Rows) -> None:
    """The tables as they were then. The process is another one: it remembers nothing."""
    for name in TABLES:
        getattr(estate.tables, name).content = dict(rows[name])
    estate.restart()


def as_they_are(estate: Estate) -> Rows:
    return {name: dict(getattr(estate.tables, name).content) for name in TABLES}


def picture(azure: Azure) -> tuple[list[str], list[str]]:
    """Who has which identity, and every assignment, with whatever is in it."""
    blocks = [f"{key}: {one.identity}" for key, one in azure.state.resources.items()]
    return sorted(blocks), sorted(map(repr, azure.state.role_assignments.values()))


async def begun_with(monkeypatch: pytest.MonkeyPatch, policy: Rules, *names: str) -> Estate:
    estate = await begun(monkeypatch, policy, "id-old")
    for name in names:
        await estate.create_vm(name, tags=PROD)
    await pass_time(estate)
    return estate


async def timer(estate: Estate) -> bool:
    """The look every five minutes; whether it swept."""
    swept = await estate.sweeps.run_for_new_policy() is not None
    await pass_time(estate)
    return swept


@pytest.mark.parametrize("policy", [SHARED, OWN], ids=["shared", "own"])
async def test_case_A22_ten_minutes_after_the_tables_were_lost_all_is_as_it_was(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate = await begun_with(monkeypatch, policy, "vm1", "vm2")
    before = picture(estate.azure)
    lose_tables(estate)
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert "one begins within five minutes" in pause.reason
    await pass_time(estate, 5 * MINUTE)
    assert await timer(estate)
    await pass_time(estate, 5 * MINUTE)
    assert await estate.services.kill_switch.read() is None
    assert picture(estate.azure) == before
    record = await estate.ledger.resource(estate.vm_id("vm1"))
    assert len(record.grants) == 1
    assert not await timer(estate), "once"


async def test_case_A22_nothing_goes_before_everything_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    lose_tables(estate)
    await estate.create_vm("vm2", tags=PROD)
    await pass_time(estate)
    await estate.delete_vm("vm1")
    await estate.delete_vm("vm2")
    await pass_time(estate, 30 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    await hours(estate, 2)
    assert roles(estate, "id-old") == [], (
        "ours, without a row until the sweep, and nothing needs it"
    )


async def test_case_A22_an_own_identity_is_known_again_by_its_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, OWN, "vm1", "vm2")
    lose_tables(estate)
    await sweep(estate)
    await estate.delete_vm("vm1")
    await hours(estate, 30)
    assert (exists(estate, "id-vm1"), exists(estate, "id-vm2")) == (False, True)


async def test_case_A22_an_own_identity_that_no_rule_wants_goes_after_the_time_of_the_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = Rules(identity=own(1), match="tags: {env: prod}")
    estate = await begun(monkeypatch, rules)
    vm1 = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    estate.azure.state.resources[vm1.key].tags = {}
    lose_tables(estate)
    await hours(estate, 5)
    assert not exists(estate, "id-vm1")


async def test_case_A22_an_own_identity_that_another_has_too_is_nobodys_to_delete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, OWN, "vm1")
    shared = f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.ManagedIdentity"
    user = await estate.create_vm("user")
    block: dict[str, object] = {f"{shared}/userAssignedIdentities/id-vm1": {}}
    await patch(estate, user, identity={"type": "UserAssigned", "userAssignedIdentities": block})
    await pass_time(estate)
    lose_tables(estate)
    await sweep(estate)
    record = await estate.ledger.resource(estate.vm_id("vm1"))
    assert record.dedicated == {}


async def test_case_A22_tables_put_back_from_an_hour_ago_take_nothing_that_is_theirs_by_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rule asked for it then. A person attached it since, by hand."""
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    vm = estate.vm_id("vm1")
    await sweep(estate)
    before = as_they_are(estate)
    await pass_time(estate, HOUR)
    await patch(estate, vm, tags={}, identity={"type": "None"})
    await pass_time(estate, HOUR)
    await attach_by_hand(estate, vm)
    await sweep(estate)
    put_back(estate, before)
    assert await timer(estate), "the mark is of a later moment"
    await hours(estate, 3)
    assert attached(estate, vm) == ["id-old"]


OTHERS = ("resources", "grants", "identities", "held")


@pytest.mark.parametrize("damaged", [False, True], ids=["lost", "its time is damaged"])
@pytest.mark.parametrize("alone", OTHERS)
async def test_case_A22_each_table_that_is_lost_is_noticed_by_itself(
    monkeypatch: pytest.MonkeyPatch, alone: str, damaged: bool
) -> None:
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    lose_all_of(estate, alone)
    if damaged:
        getattr(estate.tables, alone).seed(MARK, MARK, {"at": "yesterday"})
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert f"lost: lanyard{alone};" in pause.reason
    assert await timer(estate)
    assert await estate.services.kill_switch.read() is None


@pytest.mark.parametrize("alone", OTHERS)
async def test_case_A22_each_table_that_is_put_back_is_noticed_by_itself(
    monkeypatch: pytest.MonkeyPatch, alone: str
) -> None:
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    before = as_they_are(estate)
    await pass_time(estate, 5 * MINUTE)
    assert not await timer(estate)
    put_back(estate, {**as_they_are(estate), alone: before[alone]})
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert f"older moment than the last sweep: lanyard{alone};" in pause.reason
    assert await timer(estate)
    assert await estate.services.kill_switch.read() is None


@pytest.mark.parametrize("how", ["the resources alone", "all but the control table, which is lost"])
async def test_case_A22_records_of_an_older_moment_are_doubted(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The rule asked for it then. A person attached it since, by hand."""
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    vm = estate.vm_id("vm1")
    before = as_they_are(estate)
    await pass_time(estate, HOUR)
    await patch(estate, vm, tags={}, identity={"type": "None"})
    await pass_time(estate, HOUR)
    await attach_by_hand(estate, vm)
    await sweep(estate)
    now = as_they_are(estate)
    older = {**before, "control": {}}
    alone = {**now, "resources": before["resources"]}
    put_back(estate, alone if how == "the resources alone" else older)
    assert await timer(estate)
    await hours(estate, 2)
    assert attached(estate, vm) == ["id-old"]


async def test_case_A22_a_table_that_is_lost_while_the_app_runs_is_noticed_within_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    assert await estate.services.kill_switch.read() is None
    estate.tables.grants.content.clear()
    await pass_time(estate, MINUTE)
    assert await estate.services.kill_switch.read() is not None


async def test_case_A22_what_a_rule_asked_for_then_and_now_may_be_theirs_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever attached it since: only the role, by its stamp, is surely ours."""
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    vm = estate.vm_id("vm1")
    before = as_they_are(estate)
    await pass_time(estate, HOUR)
    await sweep(estate)
    put_back(estate, before)
    assert await timer(estate)
    await patch(estate, vm, tags={})
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], [])


async def test_case_A22_tables_put_back_from_minutes_ago_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No sweep ended in between: each look of every five minutes confirms the tables."""
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    await sweep(estate)
    before = as_they_are(estate)
    await pass_time(estate, 5 * MINUTE)
    assert not await timer(estate)
    put_back(estate, before)
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert "older moment" in pause.reason


async def test_case_A22_a_lost_list_of_what_is_held_is_listed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, replace(SHARED, per_hour=0), "vm1")
    await patch(estate, estate.vm_id("vm1"), tags={})
    await pass_time(estate)
    before = list(await held(estate))
    assert before
    estate.tables.held.content.clear()
    await sweep(estate)
    assert list(await held(estate)) == before


async def test_case_A22_a_release_of_an_older_moment_is_no_persons_word_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was released then was done, and given again since."""
    estate = await begun_with(monkeypatch, replace(SHARED, per_hour=0), "vm1")
    vm = estate.vm_id("vm1")
    await patch(estate, vm, tags={})
    await pass_time(estate)
    for entry in (await held(estate)).values():
        await Operator(estate.services, estate.queue.put, "ann").release(entry.id)
    before = as_they_are(estate)
    await pass_time(estate)
    assert (attached(estate, vm), roles(estate, "id-old")) == ([], [])
    await patch(estate, vm, tags=PROD)
    await hours(estate, 1)
    put_back(estate, {**as_they_are(estate), "held": before["held"]})
    assert await timer(estate)
    await patch(estate, vm, tags={})
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    assert {entry.answer for entry in (await held(estate)).values()} == {Answer.NONE}


async def test_case_A22_what_a_person_wanted_kept_is_kept_in_an_older_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, replace(SHARED, per_hour=0), "vm1")
    vm = estate.vm_id("vm1")
    await patch(estate, vm, tags={})
    await pass_time(estate)
    for entry in (await held(estate)).values():
        await Operator(estate.services, estate.queue.put, "ann").dismiss(entry.id)
    await pass_time(estate)
    before = as_they_are(estate)
    await hours(estate, 1)
    put_back(estate, {**as_they_are(estate), "held": before["held"]})
    await adopt(estate, SHARED)
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_case_A22_a_machine_that_came_since_the_tables_were_copied_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    await sweep(estate)
    before = as_they_are(estate)
    await pass_time(estate, HOUR)
    await estate.create_vm("vm2", tags=PROD)
    await pass_time(estate)
    await sweep(estate)
    put_back(estate, before)
    await delete(estate, estate.vm_id("vm1"))
    await pass_time(estate, 10 * MINUTE)
    assert await timer(estate)
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_A22_the_grace_of_what_older_tables_have_as_revoked_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They say since when nothing needed it then, not that a machine had it until a moment ago."""
    estate = await begun_with(monkeypatch, replace(SHARED, grace_minutes=10), "vm1")
    await delete(estate, estate.vm_id("vm1"))
    await pass_time(estate, 15 * MINUTE)
    await sweep(estate)
    before = as_they_are(estate)
    assert roles(estate, "id-old") == []
    await hours(estate, 1)
    await estate.create_vm("vm2", tags=PROD)
    await pass_time(estate)
    put_back(estate, before)
    await delete(estate, estate.vm_id("vm2"))
    await pass_time(estate)
    assert await timer(estate)
    await sweep(estate)
    await pass_time(estate, 9 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    await hours(estate, 2)
    assert roles(estate, "id-old") == []


async def test_case_A22_what_earlier_sweeps_saw_has_to_be_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    await sweep(estate)
    seen = estate.marks.mark
    other = "00000000-0000-0000-0000-00000000abcd"
    assert seen.subscriptions == {estate.subscription}
    estate.marks.mark = type(seen)(seen.at, seen.subscriptions | {other})
    lose_tables(estate)
    await sweep(estate)
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert f"{other}; give the rights back, or 'lanyard offboard' it" in pause.reason
    vm2 = await estate.create_vm("vm2", tags=PROD)
    await pass_time(estate)
    await sweep(estate)
    record = await estate.ledger.resource(vm2)
    assert len(record.attachments) == 1, "what is attached meanwhile is ours"
    await estate.services.unread.take_off(other)
    await sweep(estate)
    assert await estate.services.kill_switch.read() is None
    assert estate.marks.mark.subscriptions == {estate.subscription}


async def test_case_A22_what_a_machine_needs_that_cannot_be_read_is_claimed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, _ = await with_one_that_cannot_be_read(monkeypatch)
    for keys in [keys for keys in estate.tables.grants.content if keys[1].startswith("claim|")]:
        del estate.tables.grants.content[keys]
    await sweep(estate)
    await estate.delete_vm("vm1")
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"]
    assert await estate.services.kill_switch.read() is None


@pytest.mark.parametrize(
    "lost", [["grants"], ["grants", "resources"]], ids=["claims", "claims and records"]
)
async def test_case_A22_an_assignment_of_ours_without_a_row_starts_it(
    monkeypatch: pytest.MonkeyPatch, lost: list[str]
) -> None:
    """The row of the last sweep is there, and nobody says any more what needs what."""
    estate, unread = await with_one_that_cannot_be_read(monkeypatch)
    lose_all_of(estate, *lost)
    await sweep(estate)
    await estate.delete_vm("vm1")
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"]
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert unread in pause.reason


async def test_case_A22_what_a_rule_has_kept_is_on_record_as_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing would be done to it, so no plan finds it."""
    excluding = Rules(match="exclude: {tags: {lanyard: ignore}}")
    estate = await begun_with(monkeypatch, excluding, "vm1")
    vm = estate.vm_id("vm1")
    await patch(estate, vm, tags={"lanyard": "ignore"})
    await pass_time(estate)
    before = picture(estate.azure)
    put_back(estate, {**as_they_are(estate), "resources": {}})
    assert await timer(estate)
    await sweep(estate)
    record = await estate.ledger.resource(vm)
    assert (record.pending, len(record.grants)) == (frozenset(), 1)
    assert picture(estate.azure) == before


async def test_case_A22_what_nobody_looks_after_any_more_needs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, unread = await with_one_that_cannot_be_read(monkeypatch)
    await estate.services.unread.take_off(unread)
    lose_all_of(estate, "grants")
    await sweep(estate)
    await estate.delete_vm("vm1")
    await hours(estate, 2)
    assert roles(estate, "id-old") == []


async def test_case_A22_a_row_that_is_lost_stops_nothing_where_all_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, SHARED, "vm1")
    await sweep(estate)
    lose_all_of(estate, "grants", "resources")
    await sweep(estate)
    assert await estate.services.kill_switch.read() is None


async def with_one_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> tuple[Estate, str]:
    """vm1, and a machine with the same identity in a subscription (returned) that a sweep saw and
    in which the app has no right any more.
    """
    estate = await begun(monkeypatch, NOTHING, "id-old")
    await adopt(estate, replace(SHARED, scope=f"{estate.scope}/resourceGroups/rg-app"))
    vm = await estate.create_vm("vm1", tags=PROD)
    await pass_time(estate)
    await sweep(estate)
    return estate, await lose_a_subscription(estate, vm)


def lose_all_of(estate: Estate, *tables: str) -> None:
    for name in tables:
        getattr(estate.tables, name).content.clear()
    estate.restart()


async def attach_by_hand(estate: Estate, vm: ResourceId) -> None:
    shared: dict[str, object] = {identity_id(estate.subscription, "id-old"): {}}
    await patch(estate, vm, identity={"type": "UserAssigned", "userAssignedIdentities": shared})
    await pass_time(estate)
