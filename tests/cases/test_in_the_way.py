"""Cases of what refuses an attach by name: a lock, a deny assignment, Azure Policy."""

import pytest

from simulator.faults import Fault
from tests.support.cases import Rules, attached, begun, held, hours, pass_time, roles
from tests.support.estate import Estate

_DENIED = (
    "The client 'c' with object id 'o' has permission to perform action 'write' on scope 's'; "
    "however, the access is denied because of the deny assignment with name 'System deny "
    "assignment created by Azure Databricks w' and Id '0123456789abcdef0123456789abcdef' at "
    "scope 's'."
)
_REFUSALS = {
    "ScopeLocked": (409, "following scope(s) are locked: '/subscriptions/s/resourceGroups/rg'."),
    "DenyAssignmentAuthorizationFailed": (403, _DENIED),
    "RequestDisallowedByPolicy": (
        403,
        'Policy identifiers: \'[{"policyAssignment": {"name": "no identities", "id": "/p"}}]\'.',
    ),
}
_NAMES = {
    "ScopeLocked": "/subscriptions/s/resourceGroups/rg",
    "DenyAssignmentAuthorizationFailed": "System deny assignment created by Azure Databricks w",
    "RequestDisallowedByPolicy": "no identities",
}


async def _refused(estate: Estate, code: str, method: str = "PATCH") -> Fault:
    status, message = _REFUSALS[code]
    fault = Fault(
        method=method,
        status=status,
        code=code,
        message=message,
        times=None,
        caller=estate.app.object_id,
    )
    return estate.azure.faults.add(fault)


@pytest.mark.parametrize("code", _REFUSALS)
async def test_case_C19_what_refuses_an_attach_is_named_and_held(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    await _refused(estate, code)
    vm = await estate.create_vm("vm1")
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == ([], [])
    (entry,) = [one for key, one in (await held(estate)).items() if "attach" in key]
    assert _NAMES[code] in entry.refusal.reason
    decisions = [each for each in await estate.recorded() if each.resource]
    assert not [each for each in decisions if each.outcome == "failed"]
    estate.azure.faults.clear()
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    assert await held(estate) == {}, "healed"


async def test_case_C19_a_lock_on_one_machine_keeps_nothing_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    locked = await estate.create_vm("vm1")
    estate.azure.locks.put(locked.text, "keep", "ReadOnly")
    other = await estate.create_vm("vm2")
    await pass_time(estate)
    assert (attached(estate, locked), attached(estate, other)) == ([], ["id-old"])
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_C16_no_role_for_what_cannot_be_attached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever refuses it."""
    estate = await begun(monkeypatch, Rules(), "id-old")
    fault = Fault(method="PATCH", status=403, code="AuthorizationFailed", times=None)
    estate.azure.faults.add(fault)
    vm = await estate.create_vm("vm1")
    await hours(estate, 1)
    assert (attached(estate, vm), roles(estate, "id-old")) == ([], [])
