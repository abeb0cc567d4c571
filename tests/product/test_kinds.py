"""Other kinds of compute through events, plan and guard: what is particular to each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from lanyard.values.resource_id import ResourceId
from tests.support.any_resource import client, instance_is_current
from tests.support.estate import PROFILE, Estate
from tests.support.handlers import started

SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
SITES = "Microsoft.Web/sites"
GROUPS = "Microsoft.ContainerInstance/containerGroups"

type Start = Callable[..., Awaitable[Estate]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    async def with_rule(types: str, more: str = "") -> Estate:
        policy = f"""
version: 1
mode: full
identities: {{regional: {{name: "id-{{location}}", resourceGroup: rg-identities}}}}
rules:
  - name: r
    match: {{types: [{types}]}}
    attach: [regional]
    {more}
"""
        return await started(Estate(policy), monkeypatch)

    return with_rule


async def create(
    estate: Estate, path: str, version: str, properties: Mapping[str, Any], **more: Any
) -> ResourceId:
    text = f"{estate.scope}/resourceGroups/rg-app/providers/{path}"
    body = {"location": "westeurope", "properties": dict(properties), **more}
    poller = await client(estate).resources.begin_create_or_update_by_id(
        text, body, api_version=version, polling_interval=1
    )
    await poller.result()
    return ResourceId.parse(text)


async def names_on(estate: Estate, resource: ResourceId, version: str) -> list[str]:
    found = await client(estate).resources.get_by_id(resource.text, api_version=version)
    attached = found.identity.user_assigned_identities if found.identity else None
    return [text.rpartition("/")[2] for text in attached or {}]


async def scale_set(estate: Estate, mode: str, upgrade: str = "Manual") -> ResourceId:
    profile = {"osProfile": {"computerNamePrefix": "x"}}
    uniform = {"upgradePolicy": {"mode": upgrade}, "virtualMachineProfile": profile}
    return await create(
        estate,
        f"{SCALE_SETS}/set",
        "2024-11-01",
        {
            "orchestrationMode": mode,
            **(uniform if mode == "Uniform" else {"platformFaultDomainCount": 1}),
        },
        sku={"name": "Standard_B1s", "capacity": 1} if mode == "Uniform" else None,
    )


@pytest.mark.parametrize("asked", [True, False])
async def test_instances_with_manual_upgrades_are_touched_only_where_the_rule_asks(
    start: Start, asked: bool
) -> None:
    estate = await start(SCALE_SETS, f"upgradeInstances: {str(asked).lower()}")
    made = await scale_set(estate, "Uniform")
    await estate.settle()
    assert await names_on(estate, made, "2024-11-01") == ["id-westeurope"]
    assert await instance_is_current(estate, made) is asked


async def test_a_machine_of_a_flexible_scale_set_gets_what_the_set_gets(start: Start) -> None:
    estate = await start(SCALE_SETS)
    made = await scale_set(estate, "Flexible")
    of_set = {"virtualMachineScaleSet": {"id": made.text}}
    await estate.create_vm("set_1", properties={**PROFILE, **of_set})
    await estate.create_vm("alone")
    await estate.settle()
    assert await names_on(estate, made, "2024-11-01") == ["id-westeurope"]
    assert list(await estate.identity_of("set_1")) == ["id-westeurope"]
    assert list(await estate.identity_of("alone")) == []


@pytest.mark.parametrize("restart", ["avoid", "accept"])
async def test_an_app_is_restarted_only_where_the_rule_does_not_avoid_it(
    start: Start, restart: str
) -> None:
    estate = await start(SITES, f"restart: {restart}")
    made = await create(estate, f"{SITES}/shop", "2025-05-01", {}, kind="functionapp,linux")
    await estate.settle()
    attached = await names_on(estate, made, "2025-05-01")
    held = [reason for _, outcome, reason in await estate.decisions() if outcome == "held"]
    if restart == "accept":
        assert attached == ["id-westeurope"]
        assert not held
    else:
        assert attached == []
        assert any("restarts the app" in reason for reason in held)


async def test_a_type_that_is_only_reported_is_never_written_and_the_reason_is_told(
    start: Start,
) -> None:
    estate = await start(GROUPS)
    container = {"name": "main", "properties": {"image": "app:1"}}
    made = await create(
        estate, f"{GROUPS}/batch", "2023-05-01", {"osType": "Linux", "containers": [container]}
    )
    await estate.settle()
    assert await names_on(estate, made, "2023-05-01") == []
    held = [reason for _, outcome, reason in await estate.decisions() if outcome == "held"]
    assert any("only with its whole definition" in reason for reason in held)
    assert not [call for call in estate.app_calls() if not call.startswith("GET")]
