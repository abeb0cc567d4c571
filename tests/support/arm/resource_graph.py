"""Queries of Resource Graph, and machines for them to find."""

import json
from typing import Any

from simulator.state import Principal, Resource
from tests.support.arm.world import World

PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"


async def ask(
    world: World,
    query: str,
    options: dict[str, Any] | None = None,
    *,
    principal: Principal | None = None,
) -> tuple[int, dict[str, Any]]:
    body = {"subscriptions": [world.subscription], "query": query, "options": options or {}}
    answer = await world.raw("POST", PATH, body, principal=principal)
    return answer.status, json.loads(answer.content)


async def rows(world: World, query: str) -> list[dict[str, Any]]:
    status, body = await ask(world, query)
    assert status == 200, body
    found: list[dict[str, Any]] = body["data"]
    return found


def add_machines(world: World, count: int) -> None:
    for number in range(count):
        name = f"vm{number:04d}"
        vm_id = world.vm_id(name)
        world.azure.state.resources[vm_id.lower()] = Resource(
            vm_id, "Microsoft.Compute/virtualMachines", name, "westeurope", {}, {}
        )
