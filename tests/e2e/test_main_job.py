"""The main job through everything real: what make demo tells, and what it does not show."""

import json
from typing import Any

import httpx
import pytest

from demo.stack import BLOB_READER, LOCATION, Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP = "rg-shop"
NOTIFICATION = {"aeg-event-type": "Notification"}


def machine_id(stack: Stack, name: str) -> str:
    return f"{stack.operator.group(GROUP)}/providers/Microsoft.Compute/virtualMachines/{name}"


def event(stack: Stack, resource_id: str, verb: str = "Write", **more: Any) -> dict[str, Any]:
    return {
        "id": "e-1",
        "topic": stack.operator.scope,
        "subject": resource_id,
        "eventType": f"Microsoft.Resources.Resource{verb}Success",
        "eventTime": "2026-11-02T09:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {"resourceUri": resource_id},
        **more,
    }


async def post(stack: Stack, body: object, **headers: str) -> int:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(stack.webhook, content=content, headers=NOTIFICATION | headers)
    return answer.status_code


async def identities_of(stack: Stack, name: str) -> list[str]:
    machine = await stack.operator.vm(GROUP, name)
    assert machine is not None
    attached = machine.identity.user_assigned_identities if machine.identity else None
    return [str(value.principal_id) for value in (attached or {}).values()]


async def grants_of(stack: Stack, principal: str) -> list[str]:
    found = await stack.operator.assignments(principal)
    return [str(one.role_definition_id).rpartition("/")[2] for one in found]


async def test_a_machine_comes_and_goes(stack: Stack) -> None:
    await stack.operator.create_vm(GROUP, "vm-e2e", LOCATION)
    await stack.quiet()
    (principal,) = await identities_of(stack, "vm-e2e")
    assert await grants_of(stack, principal) == [BLOB_READER]
    await stack.operator.delete_vm(GROUP, "vm-e2e")
    await stack.quiet()
    assert await grants_of(stack, principal) == []


async def test_an_event_delivered_ten_times_over_the_wire_ends_as_once(stack: Stack) -> None:
    await stack.operator.create_vm(GROUP, "vm-ten", LOCATION)
    again = [event(stack, machine_id(stack, "vm-ten"))] * 10
    assert await post(stack, again) == 202
    await stack.quiet()
    (principal,) = await identities_of(stack, "vm-ten")
    assert await grants_of(stack, principal) == [BLOB_READER]
    await stack.operator.delete_vm(GROUP, "vm-ten")
    assert await post(stack, [event(stack, machine_id(stack, "vm-ten"), "Delete")] * 10) == 202
    await stack.quiet()
    assert await grants_of(stack, principal) == []


async def test_a_delete_delivered_before_its_create_ends_with_nothing(stack: Stack) -> None:
    missing = machine_id(stack, "vm-never")
    assert await post(stack, event(stack, missing, "Delete")) == 202
    assert await post(stack, event(stack, missing)) == 202
    await stack.quiet()
    assert await stack.operator.vm(GROUP, "vm-never") is None


async def test_a_cloud_event_is_worked_on_like_any_other(stack: Stack) -> None:
    before = len(stack.azure.calls_of(stack.app_principal))
    resource = machine_id(stack, "vm-cloud")
    cloud = {
        "specversion": "1.0",
        "id": "c-1",
        "source": stack.operator.scope,
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "subject": resource,
        "time": "2026-11-02T09:00:00Z",
        "data": {"resourceUri": resource},
    }
    content_type = {"Content-Type": "application/cloudevents+json"}
    assert await post(stack, cloud, **content_type) == 202
    await stack.quiet()
    read = stack.azure.calls_of(stack.app_principal)[before:]
    assert [(call.method, call.path.rpartition("/")[2], call.status) for call in read] == [
        ("GET", "vm-cloud", 404)
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no json", 500),
        (b"", 500),
        ([5], 500),
        ([{"id": "x"}], 202),
        ([{"hello": "world"}], 202),
        ("MALFORMED", 202),
        ("OTHER TYPE", 202),
        ("FOREIGN", 202),
        ("OVER-LONG", 202),
    ],
    ids=str,
)
async def test_bad_input_is_dropped_or_refused_and_never_becomes_a_call_to_arm(
    stack: Stack, body: object, status: int
) -> None:
    group = stack.operator.group(GROUP)
    foreign = group.replace(stack.operator.subscription, "22222222-2222-2222-2222-222222222222")
    made = {
        "MALFORMED": event(stack, "/subscriptions/x/y"),
        "OTHER TYPE": event(stack, f"{group}/providers/Microsoft.Network/networkInterfaces/n"),
        "FOREIGN": event(stack, f"{foreign}/providers/Microsoft.Compute/virtualMachines/vm"),
        "OVER-LONG": event(stack, machine_id(stack, "v" * 600)),
    }
    before = len(stack.azure.calls)
    log_before = len(stack.host.log_file.read_text())
    assert await post(stack, made.get(str(body), body)) == status
    await stack.quiet()
    assert len(stack.azure.calls) == before
    said = stack.host.log_file.read_text()[log_before:]
    assert "Traceback" not in said
    if status == 202:
        assert "event ignored: " in said


async def test_what_microsofts_converter_refuses_is_sent_again_and_reaches_nothing(
    stack: Stack,
) -> None:
    """Before our code runs (docs/dev/adr/0003): Event Grid retries it, and dead-letters it."""
    refused = event(stack, machine_id(stack, "vm"), eventTime="not a time")
    before = len(stack.azure.calls)
    assert await post(stack, refused) == 500
    await stack.quiet()
    assert len(stack.azure.calls) == before


async def test_a_wrong_key_or_function_is_refused(stack: Stack) -> None:
    body = event(stack, machine_id(stack, "vm"))
    async with httpx.AsyncClient(trust_env=False) as client:
        key = stack.host.keys["eventgrid_extension"]
        wrong_key = stack.webhook.replace(key, "wrong")
        wrong_name = stack.webhook.replace("functionName=resource_events", "functionName=other")
        for url, status in ((wrong_key, 401), (wrong_name, 404)):
            answer = await client.post(url, json=body, headers=NOTIFICATION)
            assert answer.status_code == status
