"""Cases of the ledger's word: rows lost, old or damaged delay what goes, and never cause it."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from lanyard.ports.tables import Row
from lanyard.record.ledger import ResourceRecord
from lanyard.record.rows import entries
from lanyard.values.errors import Because
from lanyard.values.grants import Grant
from lanyard.values.listed import Listed
from lanyard.values.resource_id import ResourceId
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    attached,
    begun,
    create,
    held,
    hours,
    look,
    pass_time,
    patch,
    roles,
    sweep,
)
from tests.support.compute_examples import SITE
from tests.support.estate import Estate
from tests.support.memory_table import MemoryTable

PROD = {"env": "prod"}
NEVER_THERE = "resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/gone"
SHARED = Rules(match="tags: {env: prod}")


async def begun_with(monkeypatch: pytest.MonkeyPatch, *names: str) -> Estate:
    """Machines that share a grant."""
    estate = await begun(monkeypatch, SHARED, "id-old")
    for name in names:
        await estate.create_vm(name, tags=PROD)
    await pass_time(estate)
    assert roles(estate, "id-old") == ["Reader"]
    return estate


async def lose(table: MemoryTable, part: str = "") -> None:
    """The rows whose keys begin so."""
    rows: list[Row] = [row async for row in entries(table) if row.key.startswith(part)]
    assert rows
    for row in rows:
        await table.delete(row.partition, row.key)


async def end(estate: Estate, name: str) -> None:
    await estate.delete_vm(name)
    await pass_time(estate, 5 * MINUTE)


@pytest.mark.parametrize("tables", ["grants", "resources", "grants and resources"])
async def test_case_A22_lost_tables_revoke_nothing_that_living_machines_use(
    monkeypatch: pytest.MonkeyPatch, tables: str
) -> None:
    estate = await begun_with(monkeypatch, "vm1", "vm2")
    for name in tables.split(" and "):
        await lose(getattr(estate.tables, name))
    await estate.create_vm("vm3", tags=PROD)
    await pass_time(estate)
    await end(estate, "vm3")
    assert roles(estate, "id-old") == ["Reader"]
    await hours(estate, 2)
    await end(estate, "vm1")
    assert roles(estate, "id-old") == ["Reader"], "vm2 claims it again"
    await end(estate, "vm2")
    assert roles(estate, "id-old") == []


async def test_case_A22_a_machine_that_is_excluded_by_now_is_asked_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = Rules(match=f"{SHARED.match}, exclude: {{tags: {{lanyard: ignore}}}}")
    estate = await begun(monkeypatch, policy, "id-old")
    kept = await estate.create_vm("vm1", tags=PROD)
    await pass_time(estate)
    await patch(estate, kept, tags={**PROD, "lanyard": "ignore"})
    await pass_time(estate)
    await lose(estate.tables.grants)
    await estate.create_vm("vm2", tags=PROD)
    await pass_time(estate)
    await end(estate, "vm2")
    assert (attached(estate, kept), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_case_A23_a_claim_that_was_deleted_by_hand_is_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, "vm1", "vm2")
    await lose(estate.tables.grants, claim_of(estate, "vm1"))
    await end(estate, "vm2")
    assert roles(estate, "id-old") == ["Reader"]
    assert claim_of(estate, "vm1") in await keys(estate.tables.grants)
    await end(estate, "vm1")
    assert roles(estate, "id-old") == []


async def test_case_A23_a_sweep_makes_a_lost_claim_again(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun_with(monkeypatch, "vm1", "vm2")
    await lose(estate.tables.grants, claim_of(estate, "vm1"))
    await sweep(estate)
    assert claim_of(estate, "vm1") in await keys(estate.tables.grants)


async def test_case_A23_who_needs_it_and_cannot_be_read_keeps_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ARM answers 404 for what Resource Graph shows, more than ten times: that lags too far."""
    estate = await begun_with(monkeypatch, *(f"vm{number}" for number in range(13)))
    await lose(estate.tables.grants)
    await lose(estate.tables.resources)
    await pass_time(estate, HOUR)
    estate.azure.behaviour.resource_graph_lag_seconds = HOUR
    last = await estate.create_vm("last", tags=PROD)
    await pass_time(estate)
    for number in range(13):
        await estate.delete_vm(f"vm{number}")
    estate.new_events()  # lost
    await estate.delete_vm("last")
    await pass_time(estate, 5 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    (entry,) = (await held(estate)).values()
    assert entry.resource == last
    assert entry.refusal.reason.startswith("10 resources that need it are listed, and not there")


async def odd(estate: Estate, name: str) -> None:
    """A machine whose row of Resource Graph cannot be read: by a kind of identity nobody knows."""
    block = estate.azure.state.resources[estate.vm_id(name).key].identity
    assert block is not None
    block["type"] = "UserAssigned, Odd"


async def test_case_A23_who_cannot_be_read_at_all_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say that it does not need it."""
    estate = await begun_with(monkeypatch, "vm1", "vm2")
    await odd(estate, "vm1")
    await lose(estate.tables.grants, claim_of(estate, "vm1"))
    await end(estate, "vm2")
    assert roles(estate, "id-old") == ["Reader"]
    (entry,) = (await held(estate)).values()
    assert entry.refusal.because is Because.CANNOT_BE_ASKED
    assert str(estate.vm_id("vm1")) in entry.refusal.reason


@pytest.mark.parametrize("needed", [True, False], ids=["needed", "not needed"])
async def test_case_A23_of_a_row_that_cannot_be_read_arm_is_asked(
    monkeypatch: pytest.MonkeyPatch, needed: bool
) -> None:
    estate = await begun_with(monkeypatch, "vm1", "vm2")
    if not needed:
        by_hand = {"tags": {}, "identity": {"type": "None"}}
        await patch(estate, estate.vm_id("vm1"), **by_hand)
        await pass_time(estate, HOUR)
        await patch(estate, estate.vm_id("vm1"), identity=shared(estate))
        await pass_time(estate)
    else:
        await lose(estate.tables.grants, claim_of(estate, "vm1"))
    rows = estate.services.index.showing

    async def unread(principal: str) -> list[Listed]:
        shown = await rows(principal)
        return [replace(one, compute=None, unread=one.compute is not None) for one in shown]

    monkeypatch.setattr(estate.services.index, "showing", unread)
    await end(estate, "vm2")
    assert roles(estate, "id-old") == (["Reader"] if needed else [])
    assert (claim_of(estate, "vm1") in await keys(estate.tables.grants)) is needed
    assert await held(estate) == {}


@pytest.mark.parametrize("swept", [False, True], ids=["its event", "a sweep"])
async def test_case_B15_the_record_of_a_machine_was_deleted_and_the_machine_goes(
    monkeypatch: pytest.MonkeyPatch, swept: bool
) -> None:
    estate = await begun_with(monkeypatch, "vm1")
    await lose(estate.tables.resources)
    await estate.delete_vm("vm1")
    if swept:
        estate.new_events()  # lost
    await pass_time(estate, 5 * MINUTE)
    await hours(estate, 2)
    assert roles(estate, "id-old") == []
    assert await keys(estate.tables.grants) == ["grant"]


async def test_case_B15_the_record_of_a_living_machine_is_learnt_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun_with(monkeypatch, "vm1")
    await lose(estate.tables.resources)
    await sweep(estate)
    record = await estate.ledger.resource(estate.vm_id("vm1"))
    assert [grant.scope.rpartition("/")[2] for grant in record.grants] == ["rg-app"]


async def test_case_A22_another_type_that_shares_the_identity_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By hand, no rule is for it: it does not need the grant, whoever attached the identity."""
    estate = await begun_with(monkeypatch, "vm1")
    site: ResourceId = await create(estate, SITE, identity=shared(estate))
    await look(estate, site)
    await end(estate, "vm1")
    assert roles(estate, "id-old") == []


def shared(estate: Estate) -> dict[str, Any]:
    """An identity block, as a person gives it."""
    return {"type": "UserAssigned", "userAssignedIdentities": {shared_id(estate): {}}}


def shared_id(estate: Estate) -> str:
    group = f"{estate.scope}/resourceGroups/rg-identities"
    return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-old"


def claim_of(estate: Estate, name: str) -> str:
    return f"claim|{estate.vm_id(name).key.replace('/', '|')}"


async def keys(table: MemoryTable) -> list[str]:
    return [row.key async for row in entries(table)]


GRANT = Grant("/subscriptions/s", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "a-principal")


@pytest.mark.parametrize("row", ["none", "revoked"])
async def test_a_claim_of_what_was_never_given_goes_with_the_machine(
    monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    """Whoever made it ended before it wrote the grant, and its record was lost."""
    estate = await begun_with(monkeypatch, "vm1")
    gone, lives = ResourceId.parse(f"{estate.scope}/{NEVER_THERE}"), estate.vm_id("vm1")
    if row == "revoked":
        await estate.services.claims.learn(GRANT, GRANT.assignment_id)
        await estate.services.claims.give_up(GRANT, gone)
    for resource in (gone, lives):
        await estate.services.claims.share(GRANT, resource)
    await estate.tables.grants.put(GRANT.name, "claim|undo x", {"resource": "", "by": "alice"})
    await sweep(estate)
    left = [one.key async for one in entries(estate.tables.grants) if one.partition == GRANT.name]
    claims = [key for key in left if key != "grant"]
    assert sorted(claims) == ["claim|undo x", claim_of(estate, "vm1")]


@pytest.mark.parametrize("why", ["intended", "claimed anew", "granted anew", "out of sight"])
async def test_a_claim_that_is_being_made_stays(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """A sweep reads it before its grant is written, and looks again before it drops it."""
    estate = await begun_with(monkeypatch, "vm1")
    scope = "/subscriptions/00000000-0000-4000-8000-00000000000a" if why == "out of sight" else ""
    machine = ResourceId.parse(f"{scope or estate.scope}/{NEVER_THERE}")
    claims, ledger = estate.services.claims, estate.services.ledger
    await claims.share(GRANT, machine)
    learnt = partial(estate.services.claims.learn, assignment_id=GRANT.assignment_id)

    async def meanwhile(resource: ResourceId) -> ResourceRecord:
        """What a worker does after the sweep has read everything."""
        if why == "claimed anew":
            await claims.share(GRANT, machine)
        if why == "granted anew":
            await learnt(GRANT)
        return await read(resource)

    read = ledger.resource
    if why == "intended":
        await ledger.update(machine, lambda now: replace(now, pending=frozenset({GRANT})))
    monkeypatch.setattr(ledger, "resource", meanwhile)
    await sweep(estate)
    assert await claims.claimed_by(GRANT, machine)


@pytest.mark.parametrize("there", [True, False])
async def test_what_stands_and_is_on_record_as_being_made_is_settled_by_a_sweep(
    monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    """Who made it never came to write that; its claimants have it on record as given."""
    estate = await begun_with(monkeypatch, "vm1", "vm2")
    (key,) = [key for key in estate.tables.grants.content if key[1] == "grant"]
    row = estate.tables.grants.content[key]
    await estate.tables.grants.replace(row, {**row.values, "state": "granting"})
    if not there:
        (name,) = [
            name
            for name, each in estate.azure.state.role_assignments.items()
            if estate.installation in (each.description or "")
        ]
        del estate.azure.state.role_assignments[name]
        await pass_time(estate, HOUR)
    await sweep(estate)
    await pass_time(estate)
    assert estate.tables.grants.content[key].values["state"] == "active"
    assert roles(estate, "id-old") == ["Reader"]
