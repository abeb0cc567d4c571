"""Azure Policy: a PUT without the tag that a deny assignment asks for."""

import json

import pytest

from tests.support.arm.world import VM_BODY, World

TYPE = "microsoft.compute/virtualmachines"


async def test_a_put_without_the_tag_is_refused_and_nothing_is_made(world: World) -> None:
    world.azure.behaviour.denied_without_tag[TYPE] = "Owner"
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    answer = await world.raw("PUT", path, VM_BODY)
    error = json.loads(answer.content)["error"]
    assert (answer.status, error["code"]) == (403, "RequestDisallowedByPolicy")
    assert error["target"] == "vm1"
    assert error["message"].startswith("Resource 'vm1' was disallowed by policy.")
    assert [one["type"] for one in error["additionalInfo"]] == ["PolicyViolation"]
    (info,) = [one["info"] for one in error["additionalInfo"]]
    assert info["policyAssignmentId"] in error["message"]
    assert info["policyAssignmentDisplayName"] in error["message"]
    assert (await world.raw("GET", path)).status == 404


@pytest.mark.parametrize("tag", ["Owner", "owner"])
async def test_with_it_or_of_another_type_it_is_made(world: World, tag: str) -> None:
    denied = world.azure.behaviour.denied_without_tag
    denied |= {TYPE: "Owner", "microsoft.web/sites": "Other"}
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    answer = await world.raw("PUT", path, VM_BODY | {"tags": {tag: "me"}})
    assert answer.status in (200, 201)
