"""Cases of resources that another service manages: nodes of AKS, managed applications."""

from collections.abc import Mapping

import pytest
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    Rules,
    adopt,
    attached,
    begun,
    create,
    held,
    hours,
    pass_time,
    roles,
)
from tests.support.compute_examples import MACHINE, SCALE_SET, Example
from tests.support.estate import Estate

_CLUSTER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/clusters/aks"
_AKS: Mapping[str, str] = {"AKS-Managed-PoolName": "system"}
_ASKED = Rules(match="managed: true")


async def _managed_group(estate: Estate, group: str = "rg-app") -> None:
    del estate.azure.state.resources[f"{estate.scope}/resourceGroups/{group}".lower()]
    options = estate.azure.client_options(estate.operator)
    groups = ResourceManagementClient(subscription_id=estate.subscription, **options)
    body = {"location": "westeurope", "managedBy": _CLUSTER}
    await groups.resource_groups.create_or_update(group, body)


async def _left_alone(estate: Estate, resource: ResourceId) -> None:
    """By its event and by sweeps: no write, no role, nothing that is held or failed each hour."""
    await pass_time(estate)
    estate.azure.calls.clear()
    await hours(estate, 3)
    assert (attached(estate, resource), roles(estate, "id-old")) == ([], [])
    writes = [
        call for call in estate.azure.calls_of(estate.app.object_id) if call.method == "PATCH"
    ]
    decisions = [each.action for each in await estate.recorded() if each.resource]
    assert (writes, await held(estate), decisions) == ([], {}, [])
    report = await estate.sweeps.run()
    assert (report.managed, report.drifted) == (1, 0)


@pytest.mark.parametrize("made", [MACHINE, SCALE_SET], ids=str)
async def test_case_C16_what_has_the_tags_of_aks_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    estate = await begun(monkeypatch, Rules(type=made.type), "id-old")
    await _left_alone(estate, await create(estate, made, tags=_AKS))


async def test_case_C16_what_lies_in_a_managed_group_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    await _managed_group(estate)
    await _left_alone(estate, await estate.create_vm("vm1"))


async def test_case_C16_what_says_itself_whose_it_is_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    vm = await estate.create_vm("vm1")
    estate.azure.state.resources[vm.key].extra["managedBy"] = _CLUSTER
    await _left_alone(estate, vm)


async def test_case_C16_a_rule_may_ask_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, _ASKED, "id-old")
    await _managed_group(estate)
    one = await estate.create_vm("vm1")
    other = await estate.create_vm("vm2", tags=_AKS)
    await pass_time(estate)
    assert (attached(estate, one), attached(estate, other)) == (["id-old"], ["id-old"])
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_C16_what_was_given_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken because the rule does not ask for such any more."""
    estate = await begun(monkeypatch, _ASKED, "id-old")
    vm = await estate.create_vm("vm1", tags=_AKS)
    await pass_time(estate)
    assert attached(estate, vm) == ["id-old"]
    await adopt(estate, Rules())
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_case_C16_who_may_not_read_the_group_goes_by_the_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    fault = Fault(
        method="GET",
        path="resourcegroups/rg-app$",
        status=403,
        code="AuthorizationFailed",
        times=None,
        caller=estate.app.object_id,
    )
    estate.azure.faults.add(fault)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    assert (attached(estate, vm), fault.hits) == (["id-old"], 1)


async def test_case_C16_a_group_is_asked_once_in_five_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    for number in range(3):
        await estate.create_vm(f"vm{number}")
    await pass_time(estate)
    calls = estate.azure.calls_of(estate.app.object_id)
    assert sum(call.path.lower().endswith("resourcegroups/rg-app") for call in calls) == 1
