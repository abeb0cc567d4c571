"""Cases of part A: a detach, a repair and a deletion are removals as much as a revocation is."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

import pytest

from lanyard.desk.operator import Operator
from lanyard.planning.orders import Pause, Paused
from lanyard.policy.load import parse_policy
from lanyard.record.held import Entry
from lanyard.record.kill_switch import KillSwitch
from lanyard.values.change import Change
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from tests.support.cases import (
    HOUR,
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    delete_identity,
    exists,
    held,
    make_identity,
    own,
    pass_time,
    patch,
    principal,
    roles,
    sweep,
)
from tests.support.estate import Estate

MACHINES = 30
PER_HOUR = 5
WORKERS = 16
TYPO = "scopes: [/subscriptions/SUB/resourceGroups/rg-apq]"

# A5


def rule(identity: str = "id-old", per_hour: int = PER_HOUR, match: str = "") -> Rules:
    return Rules(identity=identity, per_hour=per_hour, match=match)


def typo(estate: Estate) -> str:
    return TYPO.replace("SUB", estate.subscription)


async def thirty(monkeypatch: pytest.MonkeyPatch, policy: Rules, **more: object) -> Estate:
    estate = await begun(monkeypatch, policy, "id-old")
    for number in range(MACHINES):
        await estate.create_vm(f"vm{number}", **more)
    await pass_time(estate)
    assert with_identity(estate) == MACHINES
    return estate


def with_identity(estate: Estate) -> int:
    """How many machines have one."""
    names = [f"vm{number}" for number in range(MACHINES)]
    return sum(bool(attached(estate, estate.vm_id(name))) for name in names)


def own_identities(estate: Estate) -> int:
    return sum(exists(estate, f"id-vm{number}") for number in range(MACHINES))


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


async def test_case_A05_a_typo_that_matches_nothing_detaches_no_more_than_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule())
    await adopt(estate, rule(match=typo(estate)))
    assert with_identity(estate) == MACHINES - PER_HOUR
    assert roles(estate, "id-old") == ["Reader"]
    refusals = [entry.refusal for entry in (await listed(estate)) if "detach" in entry.refusal.key]
    assert [r.because for r in refusals] == [Because.BUDGET] * (MACHINES - PER_HOUR)
    assert all(refusal.releasable for refusal in refusals)


async def listed(estate: Estate) -> list[Entry]:
    return [entry async for entry in estate.services.held.all()]


async def test_case_A05_each_hour_takes_its_budget_until_the_rest_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule())
    await adopt(estate, rule(match=typo(estate)))
    for hour in range(1, 9):
        assert with_identity(estate) >= MACHINES - PER_HOUR * hour
        await pass_time(estate, HOUR)
    assert with_identity(estate) == 0
    assert roles(estate, "id-old") == []


async def test_case_A05_a_person_releases_one_past_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule())
    await adopt(estate, rule(match=typo(estate)))
    entry, *_ = [e for e in await listed(estate) if "detach" in e.refusal.key]
    await person(estate).release(entry.id)
    await pass_time(estate)
    assert attached(estate, entry.resource) == []
    assert with_identity(estate) == MACHINES - PER_HOUR - 1


async def test_case_A05_once_the_typo_is_corrected_what_is_left_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule())
    await adopt(estate, rule(match=typo(estate)))
    await adopt(estate, rule())
    await pass_time(estate, 2 * HOUR)
    assert with_identity(estate) == MACHINES
    assert await held(estate) == {}


async def test_case_A05_sixteen_workers_at_once_do_not_pass_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule())
    estate.change_policy(rule(match=typo(estate)).text(estate.subscription))
    await at_once(estate)
    assert with_identity(estate) == MACHINES - PER_HOUR


async def at_once(estate: Estate) -> None:
    """What a sweep puts on the queue, worked on by sixteen instances side by side."""
    workers = [estate.instance().worker for _ in range(WORKERS)]
    await estate.sweeps.run()
    changes = [change for change, _ in estate.queue.messages]
    estate.queue.messages = []
    shares = (changes[number::WORKERS] for number in range(WORKERS))
    await asyncio.gather(
        *(_in_turn(worker.process, share) for worker, share in zip(workers, shares, strict=True))
    )
    await pass_time(estate, MINUTE)


async def _in_turn(process: Callable[[Change], Awaitable[None]], changes: list[Change]) -> None:
    for change in changes:
        await process(change)


async def test_case_A05_sixteen_workers_at_once_do_not_pass_the_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    share = replace(rule(per_hour=1000), percent=10)
    estate = await thirty(monkeypatch, share)
    await sweep(estate)
    estate.change_policy(replace(share, match=typo(estate)).text(estate.subscription))
    await at_once(estate)
    # Ten go in any hour, however few there are.
    assert with_identity(estate) == MACHINES - 10
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert (pause.what, pause.by) == (Paused.REMOVALS, "lanyard")


async def test_case_A05_a_rule_that_is_gone_takes_no_more_than_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule())
    await adopt(estate, f"{NOTHING}limits: {{removals: {{perHour: 5, graceMinutes: 0}}}}\n")
    assert with_identity(estate) == MACHINES - PER_HOUR
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_A05_machines_that_lose_the_tag_at_once_are_bounded_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule(match="tags: {env: prod}"), tags={"env": "prod"})
    for number in range(MACHINES):
        await patch(estate, estate.vm_id(f"vm{number}"), tags={})
    await pass_time(estate)
    assert with_identity(estate) == MACHINES - PER_HOUR


async def test_case_A05_detaches_roles_and_deletions_of_own_identities_share_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await thirty(monkeypatch, rule(own(0)))
    before = 2 * MACHINES + len(estate.assignments())
    await adopt(estate, rule(own(0), match=typo(estate)))
    after = with_identity(estate) + own_identities(estate) + len(estate.assignments())
    assert before - after == PER_HOUR


# A6


def after_the_guard(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, stop: Callable[[], Awaitable[object]]
) -> None:
    """Something is stopped right after the guard looked whether anything is."""
    kill_switch = estate.services.kill_switch
    read, looks = kill_switch.read, count()

    async def looked_at() -> Pause | None:
        found = await read()
        if next(looks) == 0:
            await stop()
        return found

    monkeypatch.setattr(kill_switch, "read", looked_at)


type Stop = Callable[[Estate], Awaitable[object]]


async def pause_removals(estate: Estate) -> None:
    await person(estate).pause(Paused.REMOVALS, "an audit")


async def pause_everything(estate: Estate) -> None:
    await person(estate).pause(Paused.EVERYTHING, "an audit")


async def change_mode(estate: Estate) -> None:
    """Another instance has read that the policy is to observe only, and its sweep reported it."""
    observing = estate.policy.model_dump_json(by_alias=True, exclude_defaults=True)
    digest = parse_policy("lanyard.yaml", observing.replace('"full"', '"observe"')).digest
    await KillSwitch(estate.tables.control, estate.azure.clock.now, digest).adopt()


STOPS = [pause_removals, pause_everything, change_mode]
each_stop = pytest.mark.parametrize("stop", STOPS)


async def go_on(estate: Estate) -> None:
    """As before: nothing is paused, and the policy is the one in force."""
    await person(estate).resume()
    await KillSwitch(estate.tables.control, estate.azure.clock.now, estate.policy.digest).adopt()
    estate.azure.clock.advance(HOUR)
    await sweep(estate)
    await pass_time(estate, 5 * MINUTE)


async def one(monkeypatch: pytest.MonkeyPatch, policy: Rules) -> tuple[Estate, ResourceId]:
    estate = await begun(monkeypatch, policy, "id-old")
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    assert attached(estate, vm)
    return estate, vm


def writes(estate: Estate) -> list[str]:
    """What Lanyard wrote and deleted since the calls were last forgotten."""
    calls = estate.app_calls()
    return [call for call in calls if not call.startswith(("GET", "POST"))]


TAGGED = "tags: {env: prod}"


@each_stop
async def test_case_A06_a_stop_between_the_guard_and_a_detach_holds_it(
    monkeypatch: pytest.MonkeyPatch, stop: Stop
) -> None:
    estate, vm = await one(monkeypatch, Rules(match=TAGGED))
    await patch(estate, vm, tags={})
    writes(estate)
    after_the_guard(estate, monkeypatch, lambda: stop(estate))
    await pass_time(estate)
    assert writes(estate) == []
    assert attached(estate, vm) == ["id-old"]
    assert roles(estate, "id-old") == ["Reader"]
    entry = (await held(estate))["detach identity id-old"]
    assert entry.refusal.because is Because.PAUSED
    await go_on(estate)
    assert (attached(estate, vm), roles(estate, "id-old")) == ([], [])


@each_stop
async def test_case_A06_a_stop_between_the_guard_and_a_repair_holds_the_half_that_detaches(
    monkeypatch: pytest.MonkeyPatch, stop: Stop
) -> None:
    estate, vm = await one(monkeypatch, Rules(match=TAGGED))
    dead = principal(estate, "id-old")
    await delete_identity(estate, "id-old")
    made = await make_identity(estate, "id-old")
    estate.new_events()  # lost
    new = principal(estate, "id-old")
    await estate.identity_ledger.learn_principal(ResourceId.parse(made), new)
    writes(estate)
    after_the_guard(estate, monkeypatch, lambda: stop(estate))
    await estate.worker.process(Change(vm, "event"))
    assert [call for call in writes(estate) if call.endswith("virtualMachines/vm1")] == []
    assert (await estate.identity_of("vm1"))["id-old"] == dead
    action = "attach identity id-old again: it was recreated"
    assert (await held(estate))[action].refusal.because is Because.PAUSED
    await go_on(estate)
    assert (await estate.identity_of("vm1"))["id-old"] == new
    assert roles(estate, "id-old") == ["Reader"]


@each_stop
async def test_case_A06_a_stop_between_the_guard_and_the_deletion_of_an_identity_holds_it(
    monkeypatch: pytest.MonkeyPatch, stop: Stop
) -> None:
    estate, _ = await one(monkeypatch, Rules(identity=own(0)))
    await estate.delete_vm("vm1")
    writes(estate)
    after_the_guard(estate, monkeypatch, lambda: stop(estate))
    await pass_time(estate, 2 * HOUR)
    assert writes(estate) == []
    assert exists(estate, "id-vm1")
    entry = (await held(estate))["delete identity id-vm1"]
    assert entry.refusal.because is Because.PAUSED
    await go_on(estate)
    await pass_time(estate, 6 * MINUTE)  # who uses it is asked twice
    assert not exists(estate, "id-vm1")
    assert estate.assignments() == []


@each_stop
async def test_case_A06_a_stop_holds_a_dangling_reference_that_a_write_would_drop(
    monkeypatch: pytest.MonkeyPatch, stop: Stop
) -> None:
    """Somebody else's reference to an identity that is gone: Azure refuses to attach beside it."""
    estate = await begun(monkeypatch, Rules(options={"imdsDefault": "accept"}), "id-old", "id-gone")
    gone = f"{estate.scope}/resourceGroups/rg-identities/providers/"
    gone += "Microsoft.ManagedIdentity/userAssignedIdentities/id-gone"
    block = {"type": "UserAssigned", "userAssignedIdentities": {gone: {}}}
    vm = await estate.create_vm("vm1", identity=block)
    await delete_identity(estate, "id-gone")
    estate.new_events()  # lost
    after_the_guard(estate, monkeypatch, lambda: stop(estate))
    await estate.worker.process(Change(vm, "event"))
    assert "id-gone" in attached(estate, vm)
    await go_on(estate)
    assert attached(estate, vm) == ["id-old"]


async def test_case_A06_what_a_pause_held_is_done_after_the_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await one(monkeypatch, Rules(match=TAGGED))
    await patch(estate, vm, tags={})
    after_the_guard(estate, monkeypatch, lambda: pause_removals(estate))
    await pass_time(estate)
    assert attached(estate, vm) == ["id-old"]
    assert (await person(estate).resume()).queued == 1
    await pass_time(estate, MINUTE)
    assert attached(estate, vm) == []
