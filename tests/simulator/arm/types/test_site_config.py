"""The configuration of apps and slots, as `az webapp deployment slot create` reads it."""

import json
from typing import Any

from tests.support.arm.world import World

VERSION = "?api-version=2025-05-01"


async def config(world: World, path: str) -> Any:
    site = f"{world.group_scope}/providers/Microsoft.Web/sites/{path}"
    answer = await world.raw("GET", f"{site}/config/web{VERSION}")
    return json.loads(answer.content)


async def put(world: World, path: str, properties: dict[str, Any]) -> None:
    site = f"{world.group_scope}/providers/Microsoft.Web/sites/{path}"
    body = {"location": "westeurope", "properties": properties}
    assert (await world.raw("PUT", site + VERSION, body)).status == 200


async def test_it_is_what_was_asked_for_over_the_defaults(world: World) -> None:
    await put(world, "app", {"siteConfig": {"alwaysOn": True, "linuxFxVersion": "PYTHON|3.13"}})
    found = await config(world, "app")
    assert (found["name"], found["type"]) == ("app", "Microsoft.Web/sites/config")
    properties = found["properties"]
    assert (properties["alwaysOn"], properties["linuxFxVersion"]) == (True, "PYTHON|3.13")
    assert properties["numberOfWorkers"] == 1


async def test_a_slot_has_its_own(world: World) -> None:
    await put(world, "app", {"siteConfig": {"alwaysOn": True}})
    await put(world, "app/slots/blue", {})
    found = await config(world, "app/slots/blue")
    assert found["type"] == "Microsoft.Web/sites/slots/config"
    assert found["properties"]["alwaysOn"] is False


async def test_an_app_that_is_not_there_has_none(world: World) -> None:
    assert (await config(world, "none"))["error"]["code"] == "ResourceNotFound"
