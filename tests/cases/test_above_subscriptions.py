"""Cases of what Resource Graph lists above subscriptions: assignments at management groups."""

from dataclasses import replace

import pytest

from simulator.faults import Fault
from simulator.state import RoleAssignment, RoleDefinition
from tests.support.cases import (
    HOUR,
    Rules,
    attached,
    begun,
    hours,
    own,
    pass_time,
    principal,
    removals,
)
from tests.support.estate import Estate

_GROUP = "/providers/Microsoft.Management/managementGroups/platform"
_CUSTOM = "5a0f4b7e-2a3e-4e43-9d0c-6f4b6b9b2c22"
_OWN = (
    Rules(identity=own(0), more="")
    .text("")
    .replace("graceMinutes: 0}\nlimits", "remove: all, graceMinutes: 0}\nlimits")
)


async def _begun(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """The app may read everything above, and nobody reads the definition of a role there."""
    estate = await begun(monkeypatch, _OWN)
    azure = estate.azure
    azure.assign(estate.app.object_id, "Reader", _GROUP)
    azure.state.role_definitions[_CUSTOM] = RoleDefinition(
        _CUSTOM, "Platform", "", "CustomRole", ["*/read"], [], [], [], [_GROUP]
    )
    return estate


def _given(estate: Estate, to: str, role: str = _CUSTOM) -> RoleAssignment:
    made = estate.azure.assign(to, role, _GROUP)
    made = replace(made, created_at=made.created_at - 100 * HOUR)
    estate.azure.state.role_assignments[made.id.lower()] = made
    return made


def _stands(estate: Estate, one: RoleAssignment) -> bool:
    return one.id.lower() in estate.azure.state.role_assignments


async def test_case_C23_a_role_that_only_a_management_group_knows_ends_no_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await _begun(monkeypatch)
    given = _given(estate, estate.operator.object_id)
    estate.azure.calls.clear()
    vm = await estate.create_vm("vm1")
    estate.new_events()
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-vm1"], "swept"
    asked = [call.path for call in estate.azure.calls if "roleDefinitions" in call.path]
    assert not [path for path in asked if "managementGroups" in path], asked
    assert _stands(estate, given)


@pytest.mark.parametrize("refused", [False, True])
async def test_case_C23_what_a_gone_identity_has_above_is_left_to_people(
    monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """All else of it goes, whether the app may read what is above or not."""
    estate = await _begun(monkeypatch)
    await estate.create_vm("vm1")
    await pass_time(estate)
    above = _given(estate, principal(estate, "id-vm1"))
    estate.azure.assign(principal(estate, "id-vm1"), "Key Vault Secrets User", estate.scope)
    if refused:
        path = "managementGroups/.*roleAssignments/"
        estate.azure.faults.add(
            Fault(path=path, status=403, code="AuthorizationFailed", times=None)
        )
    await estate.delete_vm("vm1")
    await hours(estate, 3)
    left = estate.assignments(of=above.principal_id)
    assert [scope for _, scope, _ in left] == [_GROUP]
    assert _stands(estate, above)
    assert not [each for each in await estate.recorded() if each.outcome == "failed"]


async def test_case_C23_an_unknown_principal_above_is_reported_and_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await _begun(monkeypatch)
    gone = "7d8f4a55-77c4-4a28-a111-3b2a6b6c9f01"
    above = _given(estate, gone)
    below = estate.azure.assign(gone, "Reader", estate.scope)
    below = replace(below, created_at=below.created_at - 100 * HOUR)
    estate.azure.state.role_assignments[below.id.lower()] = below
    await hours(estate, 3)
    assert (_stands(estate, above), _stands(estate, below)) == (True, False)
    assert len(await removals(estate)) == 1
    report = await estate.sweeps.run()
    (orphan,) = report.orphans
    assert "left to people" in orphan.held
