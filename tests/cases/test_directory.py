"""Cases of the directory's health: measured by what is listed, and what is in doubt stops no more
than what needs the directory.
"""

from collections.abc import Callable

import pytest

from simulator.directory.models import Answer
from simulator.faults import Fault
from simulator.state import Resource
from tests.support.bad_parts import swept
from tests.support.cases import (
    HOUR,
    IDENTITY_TYPE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    delete_identity,
    hours,
    identity_id,
    make_identity,
    pass_time,
    roles,
    sweep,
)
from tests.support.estate import Estate

DAY = 24 * HOUR
ANOTHER_TENANT = "07e60000-0000-4000-8000-000000000001"
STRANGERS = "orphans: {graceMinutes: 0, remove: all}\n"


def stranger(estate: Estate, scope: str = "") -> str:
    """A principal that the directory does not know, with a role; Lanyard never saw it."""
    gone = estate.azure.state.add_principal("gone", names=["isExplicit=True"])
    estate.azure.assign(gone.object_id, "Reader", scope or estate.scope)
    estate.azure.state.delete_principal(gone.object_id)
    return gone.object_id


@pytest.mark.parametrize("deleted", [5, 6, 8])
async def test_case_C21_deleted_identities_that_machines_show_are_a_finding(
    monkeypatch: pytest.MonkeyPatch, deleted: int
) -> None:
    estate = await begun(monkeypatch, Rules(match="tags: {env: prod}"), "id-old")
    stranger(estate)
    for number in range(8):
        theirs = await make_identity(estate, f"id-{number}")
        block = {"type": "UserAssigned", "userAssignedIdentities": {theirs: {}}}
        await estate.create_vm(f"vm{number}", identity=block)
    for number in range(deleted):
        await delete_identity(estate, f"id-{number}")
    await pass_time(estate, HOUR)
    ninth = await estate.create_vm("vm9", tags={"env": "prod"})
    estate.new_events()
    await sweep(estate)
    assert attached(estate, ninth) == ["id-old"]
    reason = await swept(estate)
    assert "orphans only as far as" not in reason, "the directory is as it should be"
    for number in range(deleted):
        gone = identity_id(estate.subscription, f"id-{number}").lower()
        assert f"{gone} is shown by resources and not listed" in reason


def empty(estate: Estate) -> None:
    estate.platform.directory.behaviour.answer = Answer.EMPTY


def no_control_principal(estate: Estate) -> None:
    estate.platform.directory.behaviour.hidden.add(estate.app.object_id)


def unavailable(estate: Estate) -> None:
    estate.azure.faults.add(Fault(service="graph", status=503, times=None))


def a_part(estate: Estate) -> None:
    """It misses what is listed, and not only what machines go on showing."""
    estate.platform.directory.behaviour.hidden.update(
        one.properties["principalId"]
        for one in estate.azure.state.resources.values()
        if one.type == IDENTITY_TYPE and one.name != "id-old"
    )


@pytest.mark.parametrize("broken", [empty, no_control_principal, unavailable, a_part])
async def test_case_C21_with_a_directory_in_doubt_all_else_is_swept_and_said(
    monkeypatch: pytest.MonkeyPatch, broken: Callable[[Estate], None]
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old", *(f"id-{n}" for n in range(8)))
    gone = stranger(estate)
    await pass_time(estate, DAY)
    text = Rules().text(estate.subscription).replace("orphans: {graceMinutes: 0}", STRANGERS)
    estate.change_policy(text)
    broken(estate)
    vm = await estate.create_vm("vm1")
    estate.new_events()
    await hours(estate, 2)
    assert attached(estate, vm) == ["id-old"]
    assert roles(estate, "id-old") == ["Reader"]
    assert "orphans only as far as the ledger knows: " in await swept(estate)
    assert len(estate.assignments(of=gone)) == 1


async def test_case_C21_principals_of_another_tenant_are_not_this_directorys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A delegated subscription: its identities, and whom it gives roles, are another tenant's."""
    estate = await begun(monkeypatch, NOTHING, "id-old")
    state, app = estate.azure.state, estate.app.object_id
    delegated = state.add_subscription("delegated").id
    estate.azure.assign(app, "Reader", f"/subscriptions/{delegated}")
    for number in range(8):
        theirs = identity_id(delegated, f"id-{number}")
        shown = {"principalId": state.ids.uuid(), "tenantId": ANOTHER_TENANT}
        state.resources[theirs.lower()] = Resource(
            theirs, IDENTITY_TYPE, f"id-{number}", "westeurope", {}, shown
        )
    guest, unknown = stranger(estate, f"/subscriptions/{delegated}"), stranger(estate)
    await pass_time(estate, DAY)
    await adopt(estate, f"version: 1\nmode: full\n{STRANGERS}")
    await hours(estate, 3)
    assert "orphans only as far as" not in await swept(estate)
    assert len(estate.assignments(of=guest)) == 1
    assert estate.assignments(of=unknown) == []
