"""Cases of what refuses an attach by name: a lock, a deny assignment, Azure Policy."""

import pytest

from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.bad_parts import refuse, swept
from tests.support.cases import Rules, attached, begun, held, hours, pass_time, roles
from tests.support.estate import Estate

_BY_POLICY = (
    'Policy identifiers: \'[{"policyAssignment": {"name": "no identities", "id": "/p"}}]\'.'
)


def _lock(estate: Estate, vm: ResourceId) -> None:
    estate.azure.locks.put(vm.text, "keep", "ReadOnly")


def _deny(estate: Estate, vm: ResourceId) -> None:
    estate.azure.behaviour.denied_scopes.add(vm.key)


def _disallow(estate: Estate, _vm: ResourceId) -> None:
    fault = Fault(
        method="PATCH",
        status=403,
        code="RequestDisallowedByPolicy",
        message=_BY_POLICY,
        times=None,
        caller=estate.app.object_id,
    )
    estate.azure.faults.add(fault)


def _allow(estate: Estate, vm: ResourceId) -> None:
    estate.azure.locks.delete(vm.text, "keep")
    estate.azure.behaviour.denied_scopes.clear()
    estate.azure.faults.clear()


#: What refuses it, and the name that the answer gives it.
_REFUSALS = {
    "a lock": (_lock, "virtualMachines/vm1"),
    "a deny assignment": (_deny, "System deny assignment created by the service"),
    "Azure Policy": (_disallow, "no identities"),
}


@pytest.mark.parametrize("kind", _REFUSALS)
async def test_case_C19_what_refuses_an_attach_is_named_and_held(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    block, name = _REFUSALS[kind]
    estate = await begun(monkeypatch, Rules(), "id-old")
    vm = await estate.create_vm("vm1")
    block(estate, vm)
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == ([], [])
    (entry,) = [one for key, one in (await held(estate)).items() if "attach" in key]
    assert name in entry.refusal.reason
    decisions = [each for each in await estate.recorded() if each.resource]
    assert not [each for each in decisions if each.outcome == "failed"]
    _allow(estate, vm)
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    assert await held(estate) == {}, "healed"


@pytest.mark.parametrize("kind", ["a lock", "a deny assignment"])
async def test_case_C19_it_is_tried_with_the_next_sweep_once_what_refuses_it_is_gone(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    block, _ = _REFUSALS[kind]
    estate = await begun(monkeypatch, Rules(), "id-old")
    vm = await estate.create_vm("vm1")
    block(estate, vm)
    await hours(estate, 40)
    writes = Fault(method="PATCH", path="vm1$", times=None)
    estate.azure.faults.add(writes)
    await hours(estate, 3)
    assert writes.hits == 0, "once a day by now"
    _allow(estate, vm)
    await hours(estate, 1)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_case_C19_what_refuses_it_may_be_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    vm = await estate.create_vm("vm1")
    _lock(estate, vm)
    refuse(estate, "Microsoft.Authorization/locks$")
    await hours(estate, 2)
    assert "not read: list the locks of subscription" in await swept(estate)
    _allow(estate, vm)
    await hours(estate, 3)
    assert attached(estate, vm) == ["id-old"]


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
