"""Role assignments as raw requests make them."""

import json
from typing import Any
from uuid import UUID

from simulator.state import Principal
from tests.support.arm.world import World

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
VERSION = "?api-version=2022-04-01"


def guid(number: int) -> str:
    return str(UUID(int=number))


def role_id(world: World, role: str) -> str:
    return (
        f"/subscriptions/{world.subscription}/providers/Microsoft.Authorization/"
        f"roleDefinitions/{role}"
    )


async def assign(
    world: World,
    name: str,
    principal_id: str,
    *,
    scope: str | None = None,
    role: str = READER,
    caller: Principal | None = None,
    **more: Any,
) -> tuple[int, dict[str, Any]]:
    """A PUT; `principalType` is ServicePrincipal unless `more` says otherwise."""
    properties = {
        "roleDefinitionId": role_id(world, role),
        "principalId": principal_id,
        "principalType": "ServicePrincipal",
        **more,
    }
    sent = {key: value for key, value in properties.items() if value is not None}
    at = world.group_scope if scope is None else scope
    path = f"{at}/providers/Microsoft.Authorization/roleAssignments/{name}{VERSION}"
    answer = await world.raw("PUT", path, {"properties": sent}, principal=caller)
    return answer.status, json.loads(answer.content)
