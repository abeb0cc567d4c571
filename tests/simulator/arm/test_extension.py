"""A service of one's own behind the whole front door, and routes beside it."""

import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.transport import ask
from tests.support.arm.world import World

TYPE = "Contoso.App/things"


async def get(request: ArmRequest) -> ArmResponse:
    return ArmResponse(200, {"name": request.params["name"]})


async def test_an_added_operation_is_guarded_like_all_others(world: World) -> None:
    template = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{TYPE}/{{name}}"
    world.azure.add_operations([Operation("GET", template, get, f"{TYPE}/read")])
    path = f"{world.group_scope}/providers/{TYPE}/one?api-version=2024-01-01"
    answer = await world.raw("GET", path)
    assert (answer.status, json.loads(answer.content)) == (200, {"name": "one"})
    assert (await world.raw("GET", path, principal=world.app)).status == 403


async def test_mounted_routes_come_before_arm(world: World) -> None:
    async def hello(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    world.azure.mount("/beside", [Route("/hello", hello)])
    answer = await ask(world.azure.app, "GET", "https://arm.local/beside/hello", {}, b"")
    assert answer.content == b"hello"
    assert world.azure.calls == []
