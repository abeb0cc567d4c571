"""A rule in a more careful mode than the policy: what it asks for stays and is not given, and what
it gave goes by its own mode alone.
"""

from dataclasses import dataclass, replace

import pytest

from lanyard.desk.operator import Operator
from lanyard.policy import Mode
from lanyard.values.errors import Because
from tests.support.cases import (
    HOUR,
    adopt,
    attached,
    begun,
    delete_identity,
    held,
    identity_id,
    look,
    make_identity,
    pass_time,
    patch,
    roles,
    sweep,
    waits_for,
)
from tests.support.estate import Estate

SHOP, BANK = {"team": "shop"}, {"team": "bank"}


@dataclass(frozen=True)
class Team:
    """A rule for the machines of one team: an identity, with Reader at the group."""

    name: str
    identity: str
    mode: str = ""
    role: str = "Reader"

    def text(self) -> str:
        mode = f"    mode: {self.mode}\n" if self.mode else ""
        match = f"types: [Microsoft.Compute/virtualMachines], tags: {{team: {self.name}}}"
        return (
            f"  - name: {self.name}\n{mode}    match: {{{match}}}\n"
            f"    attach: [{self.identity}]\n    imdsDefault: accept\n"
            f'    grant: [{{role: {self.role}, scope: "{{resourceGroup}}", to: {self.identity}}}]\n'
        )


IDENTITIES = ("id-old", "id-new", "id-bank")


def policy(estate: Estate, *rules: Team, mode: str = "full") -> str:
    identities = "".join(
        f"  {name}: {{id: {identity_id(estate.subscription, name)}}}\n" for name in IDENTITIES
    )
    text = "".join(rule.text() for rule in rules)
    return (
        f"version: 1\nmode: {mode}\nidentities:\n{identities}rules:\n{text}"
        "limits: {removals: {graceMinutes: 0, percent: 100}}\n"
    )


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """A machine of the shop's, of which a rule in mode full has made what it should be."""
    made = await begun(monkeypatch, "version: 1\nmode: full\n", *IDENTITIES)
    await adopt(made, policy(made, Team("shop", "id-old")))
    await made.create_vm("vm1", tags=SHOP)
    await pass_time(made)
    assert stands(made) == (["id-old"], ["Reader"])
    return made


def stands(estate: Estate, name: str = "vm1", identity: str = "id-old") -> object:
    return attached(estate, estate.vm_id(name)), roles(estate, identity)


async def change(estate: Estate, *rules: Team, mode: str = "full") -> None:
    await adopt(estate, policy(estate, *rules, mode=mode))
    await pass_time(estate, HOUR)
    await sweep(estate)


async def test_what_an_observing_rule_asks_for_is_held_and_what_others_ask_for_is_given(
    estate: Estate,
) -> None:
    await change(estate, Team("shop", "id-old"), Team("bank", "id-bank", "observe"))
    await estate.create_vm("vm2", tags=BANK)
    await estate.create_vm("vm3", tags=SHOP)
    await pass_time(estate)
    assert attached(estate, estate.vm_id("vm2")) == []
    assert attached(estate, estate.vm_id("vm3")) == ["id-old"]
    entry = (await held(estate))["attach identity id-bank"].refusal
    assert (entry.because, entry.releasable) == (Because.RULE_MODE, False)
    assert entry.reason == "rule 'bank', which asks for it, is in mode observe"


async def test_a_rule_that_observes_from_now_on_keeps_what_it_gave(estate: Estate) -> None:
    await change(estate, Team("shop", "id-old", "observe"))
    assert stands(estate) == (["id-old"], ["Reader"])
    assert await held(estate) == {}


@pytest.mark.parametrize("mode", ["observe", "add-only"])
async def test_a_renamed_identity_in_a_careful_rule_takes_nothing(
    estate: Estate, mode: str
) -> None:
    await change(estate, Team("shop", "id-old", mode))
    await change(estate, Team("shop", "id-new", mode))
    has = ["id-old"] if mode == "observe" else ["id-new", "id-old"]
    assert stands(estate) == (has, ["Reader"])
    entry = (await held(estate))["detach identity id-old"].refusal
    assert entry.reason == f"rule 'shop', which gave it, is in mode {mode}"
    assert entry.releasable


async def test_it_goes_when_the_rule_is_in_full_again_and_when_it_is_gone(estate: Estate) -> None:
    await change(estate, Team("shop", "id-new", "observe"))
    await change(estate, Team("shop", "id-new"))
    assert stands(estate) == (["id-new"], [])
    await change(estate, Team("shop", "id-old", "observe"))
    assert stands(estate, identity="id-new") == (["id-new"], ["Reader"])
    await change(estate, Team("bank", "id-bank", "observe"))
    assert stands(estate, identity="id-new") == ([], [])


async def test_a_careful_rule_keeps_what_another_rule_would_have_go_for_its_wish(
    estate: Estate,
) -> None:
    """Nothing is taken from a resource while an observing rule's wish for it is not given."""
    await patch(estate, estate.vm_id("vm1"), tags={"team": "bank"})
    await change(estate, Team("shop", "id-old"), Team("bank", "id-bank", "observe"))
    assert stands(estate) == (["id-old"], ["Reader"])
    reason = await waits_for(estate, "detach identity id-old")
    assert reason == "waits for rule bank, which observes"
    entry = (await held(estate))["detach identity id-old"]
    await Operator(estate.services, estate.queue.put, "ann").release(entry.id)
    await pass_time(estate, HOUR)
    assert attached(estate, estate.vm_id("vm1")) == []


async def test_what_is_recreated_is_not_repaired_for_a_rule_that_observes(estate: Estate) -> None:
    await change(estate, Team("shop", "id-old", "observe"))
    await delete_identity(estate, "id-old")
    await make_identity(estate, "id-old")
    await pass_time(estate, HOUR)
    await look(estate, estate.vm_id("vm1"))
    assert roles(estate, "id-old") == []
    assert "attach identity id-old again: it was recreated" in await held(estate)


async def test_a_machine_that_is_gone_leaves_what_a_careful_rule_gave_it(estate: Estate) -> None:
    await change(estate, Team("shop", "id-old", "add-only"))
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    assert roles(estate, "id-old") == ["Reader"]
    await change(estate, Team("shop", "id-old"))
    assert roles(estate, "id-old") == []


async def test_where_nobody_knows_who_gave_it_any_careful_rule_keeps_it(estate: Estate) -> None:
    record = await estate.ledger.resource(estate.vm_id("vm1"))
    assert set(record.given_by.values()) == {("shop",)}
    await estate.ledger.save(replace(record, given_by={}))
    await change(estate, Team("bank", "id-bank", "observe"))
    assert stands(estate) == (["id-old"], ["Reader"])
    entry = (await held(estate))["detach identity id-old"].refusal
    assert entry.reason == "rule 'bank', which may have given it, is in mode observe"


@pytest.mark.parametrize("mode", list(Mode))
async def test_no_rule_does_more_than_the_policy(estate: Estate, mode: Mode) -> None:
    await change(estate, Team("shop", "id-new", mode.value), mode="observe")
    assert stands(estate) == (["id-old"], ["Reader"])


async def test_another_rule_that_gives_the_same_takes_it_over(estate: Estate) -> None:
    """The shop's rule ended while it was in full: what both gave is the other's then."""
    both = Team("shop", "id-old"), Team("second", "id-old")
    await patch(estate, estate.vm_id("vm1"), tags={"team": "second"})
    await change(estate, *both)
    record = await estate.ledger.resource(estate.vm_id("vm1"))
    assert set(record.given_by.values()) == {("second",)}
    await change(estate, Team("shop", "id-new", "observe"), Team("second", "id-old"))
    record = await estate.ledger.resource(estate.vm_id("vm1"))
    assert set(record.given_by.values()) == {("second",)}


async def test_a_rule_is_held_to_its_own_limits_too(estate: Estate) -> None:
    """Of two rules one has limits of its own; the other goes by the policy's alone."""
    limits = "    limits: {additions: {perHour: 1}, removals: {perHour: 1}}\n"
    rules = (Team("shop", "id-old"), Team("bank", "id-bank"))
    text = policy(estate, *rules).replace("  - name: bank\n", f"  - name: bank\n{limits}")
    await adopt(estate, text)
    for number in range(3):
        await estate.create_vm(f"bank{number}", tags=BANK)
        await estate.create_vm(f"shop{number}", tags=SHOP)
    await pass_time(estate)
    assert sorted(await given(estate)) == ["bank0", "shop0", "shop1", "shop2"]
    reasons = {each.refusal.reason for each in (await held(estate)).values()}
    spent = "the budget of 1 resources an hour that rule 'bank' gives something is spent"
    assert reasons == {spent}
    await pass_time(estate, 4 * HOUR)
    assert len(await given(estate)) == 6
    for name in ("bank0", "bank1", "shop0", "shop1"):
        await patch(estate, estate.vm_id(name), tags={"team": "none"})
    await pass_time(estate)
    assert sorted(await given(estate)) in (["bank0", "bank2", "shop2"], ["bank1", "bank2", "shop2"])
    entry = (await held(estate))["detach identity id-bank"]
    assert entry.refusal.reason == "the budget of 1 removals an hour for rule 'bank' is spent"
    await pass_time(estate, 4 * HOUR)
    assert sorted(await given(estate)) == ["bank2", "shop2"]


async def given(estate: Estate) -> list[str]:
    """The names of the machines that have an identity, vm1 aside."""
    machines = [one for one in estate.azure.state.resources.values() if one.name[:4] in _TEAMS]
    return [one.name for one in machines if (one.identity or {}).get("userAssignedIdentities")]


_TEAMS = ("bank", "shop")


async def test_what_nothing_claims_stays_while_a_careful_rule_may_have_given_it(
    estate: Estate,
) -> None:
    """The tables are gone, and with them which rule gave what."""
    await patch(estate, estate.vm_id("vm1"), tags={}, identity={"type": "None"})
    estate.new_events()  # lost
    careful = policy(estate, Team("shop", "id-new", "observe"))
    estate.change_policy(careful)
    for table in (estate.tables.grants, estate.tables.resources):
        table.content.clear()
    for _ in range(3):
        await pass_time(estate, HOUR)
        await sweep(estate)
    assert roles(estate, "id-old") == ["Reader"]
    reasons = {each.refusal.reason for each in (await held(estate)).values()}
    assert "rule 'shop', which may have given it, is in mode observe" in reasons
    await adopt(estate, policy(estate, Team("shop", "id-new")))
    await pass_time(estate, HOUR)
    assert roles(estate, "id-old") == []
