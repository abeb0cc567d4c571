"""The demo's act with other kinds of compute: the same rule, each type's own way in ARM."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.narration import Narration
from demo.stack import LOCATION, SHOP, Stack


@dataclass(frozen=True)
class Kind:
    """A resource to make, below the resource group's providers."""

    title: str
    path: str
    api_version: str
    body: Mapping[str, Any]


_ENVIRONMENT = f"/resourceGroups/{SHOP}/providers/Microsoft.App/managedEnvironments/env-shop"
_SITE = {"location": LOCATION, "kind": "functionapp,linux", "properties": {}}


def _kinds(scope: str) -> list[Kind]:
    return [
        Kind(
            "a scale set with two instances and manual upgrades",
            "Microsoft.Compute/virtualMachineScaleSets/vmss-shop",
            "2024-11-01",
            {
                "location": LOCATION,
                "sku": {"name": "Standard_B2s", "capacity": 2},
                "properties": {
                    "orchestrationMode": "Uniform",
                    "upgradePolicy": {"mode": "Manual"},
                    "virtualMachineProfile": {"osProfile": {"computerNamePrefix": "shop"}},
                },
            },
        ),
        Kind("a function app", "Microsoft.Web/sites/func-shop", "2025-05-01", _SITE),
        Kind("its slot", "Microsoft.Web/sites/func-shop/slots/staging", "2025-05-01", _SITE),
        Kind(
            "a container app",
            "Microsoft.App/containerApps/ca-shop",
            "2025-07-01",
            {
                "location": LOCATION,
                "properties": {
                    "environmentId": scope + _ENVIRONMENT,
                    "configuration": {},
                    "template": {"containers": [{"name": "main", "image": "registry/shop:1"}]},
                },
            },
        ),
    ]


async def other_kinds(stack: Stack, narration: Narration) -> None:
    """One of each arrives and gets its identity, read back from ARM."""
    kinds = _kinds(stack.operator.scope)
    for kind in kinds:
        async with narration.step(f"{kind.title} is created"):
            path = f"{SHOP}/{kind.path}"
            await stack.operator.create(path, kind.api_version, kind.body, long=True)
    async with narration.step("Lanyard finishes its work"):
        await stack.quiet()
    for kind in kinds:
        names = await _identities(stack, kind)
        holds = names == [f"id-lanyard-{LOCATION}"]
        narration.check(f"{kind.title} has the identity", ", ".join(names) or "none", holds=holds)
    await _instances(stack, narration, kinds[0])


async def _identities(stack: Stack, kind: Kind) -> list[str]:
    found = await stack.operator.resource(_id(stack, kind), kind.api_version)
    attached = found.identity.user_assigned_identities if found.identity else None
    return [text.rpartition("/")[2] for text in attached or {}]


async def _instances(stack: Stack, narration: Narration, scale_set: Kind) -> None:
    """Instances of a set with manual upgrades have the new model only when they were told."""
    states = []
    for number in (0, 1):
        path = f"{_id(stack, scale_set)}/virtualMachines/{number}"
        instance = await stack.operator.resource(path, scale_set.api_version)
        states.append(bool((instance.properties or {}).get("latestModelApplied")))
    told = f"{sum(states)} of {len(states)} instances up to date"
    narration.check("its instances were brought up to date", told, holds=all(states))


def _id(stack: Stack, kind: Kind) -> str:
    return f"{stack.operator.group(SHOP)}/providers/{kind.path}"
