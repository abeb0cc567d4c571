"""Cases of part A: what a rule excludes keeps what it has of it, and gets nothing new."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lanyard.record.rows import entries
from lanyard.values.resource_id import ResourceId
from simulator.faults import Drop, Fault
from tests.support.cases import (
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    exists,
    hours,
    identity_id,
    own,
    pass_time,
    patch,
    removals,
    roles,
    sweep,
)
from tests.support.compute_examples import SITE
from tests.support.desk import Desk
from tests.support.estate import Estate

EXCLUDING = "exclude: {tags: {lanyard: ignore}}"
IGNORE = {"lanyard": "ignore"}
SHARED = Rules(match=EXCLUDING, options={"imdsDefault": "accept"})
DEDICATED = replace(SHARED, identity=own(0))
BOTH = pytest.mark.parametrize("policy", [SHARED, DEDICATED], ids=["shared", "own"])


async def served(monkeypatch: pytest.MonkeyPatch, policy: Rules) -> tuple[Estate, ResourceId, str]:
    """A machine, and the name of its identity."""
    estate = await begun(monkeypatch, policy, "id-old", "id-new")
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    (identity,) = attached(estate, vm)
    assert roles(estate, identity) == ["Reader"]
    return estate, vm, identity


@pytest.mark.parametrize("stands", [False, True], ids=["never assigned", "assigned"])
async def test_case_A28_what_was_intended_before_it_was_excluded_is_asked(
    monkeypatch: pytest.MonkeyPatch, stands: bool
) -> None:
    """The answer to the assignment was a refusal, or was lost: nothing new is given then."""
    estate = await begun(monkeypatch, SHARED, "id-old")
    lost = {"drop": Drop.AFTER} if stands else {"status": 403, "code": "AuthorizationFailed"}
    fault = Fault(method="PUT", path="roleAssignments", times=1, **lost)
    estate.azure.faults.add(fault)
    vm = await estate.create_vm("vm1")
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    await patch(estate, vm, tags=IGNORE)
    await pass_time(estate)
    await sweep(estate)
    record = await estate.ledger.resource(vm)
    rows = [row async for row in entries(estate.tables.grants)]
    assert roles(estate, "id-old") == (["Reader"] if stands else [])
    assert (len(record.grants), len(record.pending)) == (int(stands), 0)
    assert [row.values["state"] for row in rows if row.key == "grant"] == [
        "active" if stands else "revoked"
    ]
    assert [row.key for row in rows if row.key != "grant"] == (
        [f"claim|{vm.key.replace('/', '|')}"] if stands else []
    )


@BOTH
async def test_case_A28_what_was_never_attached_gets_no_role_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    """Somebody sets the tag while Lanyard is at work: the write of the identity is refused."""
    estate = await begun(monkeypatch, policy, "id-old")
    estate.azure.faults.add(
        Fault(method="PATCH", path="vm1$", status=412, code="PreconditionFailed", times=1)
    )
    vm = await estate.create_vm("vm1")
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    await patch(estate, vm, tags=IGNORE)
    await hours(estate, 3)
    assert attached(estate, vm) == []
    assert roles(estate, "id-vm1" if policy is DEDICATED else "id-old") == []
    record = await estate.ledger.resource(vm)
    assert (len(record.grants), len(record.pending)) == (0, 0)


@BOTH
async def test_case_A28_a_role_whose_identity_somebody_took_off_is_kept_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate = await begun(monkeypatch, policy, "id-old")
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    await patch(estate, vm, tags=IGNORE, identity={"type": "None"})
    await hours(estate, 3)
    assert attached(estate, vm) == []
    assert roles(estate, "id-vm1" if policy is DEDICATED else "id-old") == ["Reader"]
    record = await estate.ledger.resource(vm)
    assert (len(record.grants), len(record.pending)) == (1, 0)


async def test_case_A28_what_somebody_took_from_all_who_keep_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None of them gets it again; nor does one hand its claim to the next for ever."""
    estate = await begun(monkeypatch, SHARED, "id-old")
    machines = [await estate.create_vm(f"vm{number}") for number in (1, 2, 3)]
    await pass_time(estate)
    for vm in machines:
        await patch(estate, vm, tags=IGNORE)
    await pass_time(estate)
    assert roles(estate, "id-old") == ["Reader"]
    (taken,) = [a for a in estate.azure.state.role_assignments.values() if a.description]
    del estate.azure.state.role_assignments[taken.id.lower()]
    await hours(estate, 4)
    assert roles(estate, "id-old") == []
    rows = [row async for row in entries(estate.tables.grants)]
    assert [row.values["state"] for row in rows if row.key == "grant"] == ["revoked"]
    assert [row for row in rows if row.key != "grant"] == []
    for vm in machines:
        assert (await estate.ledger.resource(vm)).owned().claimed == ()


async def test_case_A28_a_sweep_asks_arm_for_no_identity_that_is_only_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, DEDICATED)
    await estate.create_vm("vm1", tags=IGNORE)
    await hours(estate, 1)
    before = len(estate.azure.calls)
    await sweep(estate)
    assert [each.path for each in estate.azure.calls[before:] if "id-vm1" in each.path] == []


async def by_tag(estate: Estate, vm: ResourceId, policy: Rules) -> Rules:
    await patch(estate, vm, tags=IGNORE)
    await pass_time(estate)
    return policy


async def by_name(estate: Estate, vm: ResourceId, policy: Rules) -> Rules:
    return await excluding(estate, policy, f"names: [{vm.name[:-1]}*]")


async def by_scope(estate: Estate, _vm: ResourceId, policy: Rules) -> Rules:
    return await excluding(estate, policy, f"scopes: [{estate.scope}/resourceGroups/rg-app]")


async def by_group(estate: Estate, _vm: ResourceId, policy: Rules) -> Rules:
    return await excluding(estate, policy, "resourceGroups: [rg-app]")


async def by_location(estate: Estate, _vm: ResourceId, policy: Rules) -> Rules:
    return await excluding(estate, policy, "locations: [westeurope]")


async def excluding(estate: Estate, policy: Rules, selector: str) -> Rules:
    changed = replace(policy, match=f"exclude: {{{selector}}}")
    await adopt(estate, changed)
    return changed


type Exclude = Callable[[Estate, ResourceId, Rules], Awaitable[Rules]]
WAYS: list[Exclude] = [by_tag, by_name, by_scope, by_group, by_location]
each_way = pytest.mark.parametrize("exclude", WAYS)


@BOTH
@each_way
async def test_case_A28_what_is_excluded_keeps_what_it_has(
    monkeypatch: pytest.MonkeyPatch, policy: Rules, exclude: Exclude
) -> None:
    estate, vm, identity = await served(monkeypatch, policy)
    before = estate.assignments()
    await exclude(estate, vm, policy)
    await hours(estate, 30)
    assert attached(estate, vm) == [identity]
    assert estate.assignments() == before
    assert await removals(estate) == []


@each_way
async def test_case_A28_a_new_grant_of_the_rule_is_not_for_what_it_excludes(
    monkeypatch: pytest.MonkeyPatch, exclude: Exclude
) -> None:
    estate, vm, identity = await served(monkeypatch, DEDICATED)
    changed = await exclude(estate, vm, DEDICATED)
    await adopt(estate, with_second_role(estate, changed))
    await hours(estate, 2)
    assert attached(estate, vm) == [identity]
    assert roles(estate, identity) == ["Reader"]


def with_second_role(estate: Estate, policy: Rules) -> str:
    second = 'grant: [{role: Monitoring Metrics Publisher, scope: "{resourceGroup}", to: main}, '
    return policy.text(estate.subscription).replace("grant: [", second)


async def test_case_A28_once_it_is_excluded_no_more_it_gets_what_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity = await served(monkeypatch, DEDICATED)
    await by_tag(estate, vm, DEDICATED)
    await adopt(estate, with_second_role(estate, DEDICATED))
    assert roles(estate, identity) == ["Reader"]
    await patch(estate, vm, tags={})
    await pass_time(estate, MINUTE)
    assert roles(estate, identity) == ["Monitoring Metrics Publisher", "Reader"]


@each_way
async def test_case_A28_a_new_identity_of_the_rule_is_not_for_what_it_excludes(
    monkeypatch: pytest.MonkeyPatch, exclude: Exclude
) -> None:
    estate, vm, identity = await served(monkeypatch, SHARED)
    changed = await exclude(estate, vm, SHARED)
    text = changed.text(estate.subscription)
    second = changed.text(estate.subscription).split("main: ")[1].split("\n")[0]
    more = f"identities:\n  more: {second.replace('id-old', 'id-new')}\n"
    text = text.replace("identities:\n", more).replace("attach: [main]", "attach: [main, more]")
    await adopt(estate, text)
    await hours(estate, 2)
    assert attached(estate, vm) == [identity]
    assert roles(estate, identity) == ["Reader"]


@each_way
async def test_case_A28_what_the_rule_says_no_longer_goes(
    monkeypatch: pytest.MonkeyPatch, exclude: Exclude
) -> None:
    estate, vm, identity = await served(monkeypatch, SHARED)
    changed = await exclude(estate, vm, SHARED)
    await adopt(estate, replace(changed, role="Monitoring Metrics Publisher"))
    await hours(estate, 1)
    assert attached(estate, vm) == [identity]
    assert roles(estate, identity) == []
    await adopt(estate, replace(changed, identity="id-new"))
    await hours(estate, 1)
    assert attached(estate, vm) == []
    assert roles(estate, "id-new") == []


@BOTH
async def test_case_A28_with_the_rule_everything_goes(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, identity = await served(monkeypatch, policy)
    await by_tag(estate, vm, policy)
    assert attached(estate, vm) == [identity]
    await adopt(estate, f"{NOTHING}limits: {{removals: {{graceMinutes: 0}}}}\n")
    await hours(estate, 26)
    assert (attached(estate, vm), estate.assignments()) == ([], [])


@BOTH
async def test_case_A28_with_the_machine_everything_goes(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, identity = await served(monkeypatch, policy)
    await by_tag(estate, vm, policy)
    assert roles(estate, identity) == ["Reader"]
    await estate.delete_vm("vm1")
    await hours(estate, 26)
    assert estate.assignments() == []
    assert exists(estate, identity) is (policy is SHARED)


async def test_case_A28_one_that_was_excluded_from_the_beginning_gets_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, SHARED, "id-old")
    vm = await estate.create_vm("vm1", tags=IGNORE)
    await hours(estate, 2)
    assert (attached(estate, vm), estate.assignments()) == ([], [])


async def test_case_A28_what_a_person_takes_from_an_excluded_one_is_not_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity = await served(monkeypatch, SHARED)
    await by_tag(estate, vm, SHARED)
    assert attached(estate, vm) == [identity]
    await patch(estate, vm, identity={"type": "None"})
    await hours(estate, 2)
    assert attached(estate, vm) == []


async def test_case_A28_another_rule_goes_on_giving_to_what_this_one_excludes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity = await served(monkeypatch, SHARED)
    await by_tag(estate, vm, SHARED)
    other = (
        f"  - name: other\n    match: {{types: [{SHARED.type}]}}\n    attach: [main]\n"
        '    grant: [{role: Monitoring Metrics Publisher, scope: "{resourceGroup}", to: main}]\n'
    )
    await adopt(estate, SHARED.text(estate.subscription).replace("orphans:", f"{other}orphans:"))
    await pass_time(estate, MINUTE)
    assert attached(estate, vm) == [identity]
    assert roles(estate, identity) == ["Monitoring Metrics Publisher", "Reader"]


async def test_case_A28_a_machine_beside_it_is_served_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity = await served(monkeypatch, SHARED)
    await by_tag(estate, vm, SHARED)
    other = await estate.create_vm("vm2")
    await pass_time(estate)
    assert attached(estate, other) == [identity]
    await estate.delete_vm("vm2")
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, identity)) == ([identity], ["Reader"])


async def test_case_A28_an_app_that_is_excluded_by_its_tag_keeps_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, replace(DEDICATED, type=SITE.type))
    app = await create(estate, SITE)
    await pass_time(estate)
    before = estate.assignments()
    await patch(estate, app, tags=IGNORE)
    await hours(estate, 3)
    assert (attached(estate, app), estate.assignments()) == (["id-main"], before)


async def test_case_A28_a_system_assigned_identity_keeps_its_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    match = f"match: {{types: [{SHARED.type}], {EXCLUDING}}}"
    grant = 'grant: [{role: Reader, scope: "{resourceGroup}", to: system}]'
    rule = f"rules:\n  - name: all\n    {match}\n    system: true\n    {grant}\n"
    limits = "limits: {removals: {graceMinutes: 0}}\n"
    estate = await begun(monkeypatch, NOTHING + rule + limits)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    before = estate.assignments()
    assert len(before) == 1
    await by_tag(estate, vm, SHARED)
    await hours(estate, 2)
    assert estate.assignments() == before


VAULT = (
    "/subscriptions/{subscription}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/"
    "kv-{tags.team}"
)


def by_team(policy: Rules) -> Rules:
    """Its role is at a scope that a tag of the machine names."""
    return replace(policy, match=EXCLUDING, scope=VAULT, role="Key Vault Secrets User")


TEMPLATES = pytest.mark.parametrize(
    "policy", [by_team(SHARED), by_team(DEDICATED)], ids=["shared", "own"]
)


async def of_a_team(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> tuple[Estate, ResourceId, tuple[list[str], list[tuple[str, str, str]]]]:
    """A machine that has a tag that the rule fills in, and what it has."""
    estate = await begun(monkeypatch, policy, "id-old")
    vm = await estate.create_vm("vm1", tags={"team": "pay"})
    await pass_time(estate)
    has = attached(estate, vm), estate.assignments()
    assert (len(has[0]), len(has[1])) == (1, 1)
    return estate, vm, has


@TEMPLATES
async def test_case_A28_a_tag_that_excludes_may_replace_the_one_that_the_rule_fills_in(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, before = await of_a_team(monkeypatch, policy)
    await patch(estate, vm, tags=IGNORE)
    await hours(estate, 30)
    assert (attached(estate, vm), estate.assignments()) == before
    assert await removals(estate) == []


@TEMPLATES
async def test_case_A28_with_its_tag_back_it_goes_on_as_before(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, before = await of_a_team(monkeypatch, policy)
    await patch(estate, vm, tags=IGNORE)
    await pass_time(estate)
    await patch(estate, vm, tags={"team": "pay", **IGNORE})
    await hours(estate, 2)
    assert (attached(estate, vm), estate.assignments()) == before
    await adopt(estate, f"{NOTHING}limits: {{removals: {{graceMinutes: 0}}}}\n")
    await hours(estate, 26)
    assert (attached(estate, vm), estate.assignments()) == ([], [])


async def test_case_A28_a_rule_that_excludes_an_app_is_heard_about_its_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = replace(SHARED, type=SITE.type, options={})
    estate = await begun(monkeypatch, NOTHING, "id-old", "id-new")
    await adopt(estate, with_a_rule_by_tag(estate, policy))
    app = await create(estate, SITE, tags={"b": "1"})
    await pass_time(estate)
    assert attached(estate, app) == ["id-new", "id-old"]
    avoiding = replace(policy, options={"restart": "avoid"})
    await adopt(estate, with_a_rule_by_tag(estate, avoiding))
    await patch(estate, app, tags=IGNORE)
    await hours(estate, 1)
    assert attached(estate, app) == ["id-new", "id-old"]
    await adopt(estate, with_a_rule_by_tag(estate, policy))
    await hours(estate, 1)
    assert attached(estate, app) == ["id-old"]


def with_a_rule_by_tag(estate: Estate, policy: Rules) -> str:
    """Another rule gives another identity to what has the tag "b"."""
    spec = f"{{id: {identity_id(estate.subscription, 'id-new')}}}"
    match = f'{{types: [{policy.type}], tags: {{b: "1"}}}}'
    rule = f"  - name: other\n    match: {match}\n    attach: [other]\n"
    text = policy.text(estate.subscription)
    return text.replace("rules:\n", f"  other: {spec}\nrules:\n{rule}")


@dataclass(frozen=True)
class AtDesk:
    """An excluded machine, and a person who asks about it."""

    desk: Desk
    vm: ResourceId

    async def says(self, *command: str) -> str:
        ran = await self.desk.app(*command, "--policy", str(self.desk.policy))
        assert ran.err == ""
        return ran.out


@pytest.fixture
async def at_desk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> AtDesk:
    policy = by_team(SHARED)
    estate, vm, _ = await of_a_team(monkeypatch, policy)
    desk = Desk(tmp_path, monkeypatch, capsys, policy.text(estate.subscription), estate)
    await desk.started()
    await patch(estate, vm, tags={"team": "pay", **IGNORE})
    await pass_time(estate)
    await sweep(estate)
    return AtDesk(desk, vm)


async def test_case_A28_explain_says_that_it_is_excluded_and_keeps_what_it_has(
    at_desk: AtDesk,
) -> None:
    said = await at_desk.says("explain", at_desk.vm.text)
    assert "id-old" in said
    assert "excluded by rule all" in said
    assert "it keeps what it has of that rule, and gets nothing new" in said
    assert f"rule 'all' excludes {at_desk.vm}" in said
    await patch(at_desk.desk.estate, at_desk.vm, tags={"team": "pay"})
    assert "exclude" not in await at_desk.says("explain", at_desk.vm.text)


async def test_case_A28_explain_says_why_it_keeps_everything(at_desk: AtDesk) -> None:
    assert "keeps everything" not in await at_desk.says("explain", at_desk.vm.text)
    await patch(at_desk.desk.estate, at_desk.vm, tags=IGNORE)
    said = await at_desk.says("explain", at_desk.vm.text)
    assert "keeps everything that Lanyard gave it" in said
    assert "no tag 'team'" in said
    assert f"rule 'all' excludes {at_desk.vm}" in said
    (part,) = json.loads(await at_desk.says("explain", at_desk.vm.text, "--json"))["keepsAll"]
    assert part["rule"]["name"] == "all"
    assert "no tag 'team'" in part["reason"]


async def test_case_A28_status_counts_what_is_excluded(at_desk: AtDesk) -> None:
    await patch(at_desk.desk.estate, at_desk.vm, tags=IGNORE)
    await sweep(at_desk.desk.estate)
    ran = await at_desk.desk.app("status")
    assert "1 keep what they have" in ran.out, ran.out
