"""The installed `lanyard` against a deployed app: its tables and queue in Azurite, Azure over TLS,
the caller's own identity, no key.
"""

import base64
import json
from typing import Any

import pytest
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from demo.stack import LOCATION, POLICY, Stack
from lanyard.azure.storage.dead_letters import CONTAINER, POISON
from lanyard.queue.messages import encode
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from tests.support.dead_letters import EVENT
from tests.support.installed_command import lanyard

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP = "rg-shop"


async def answer(stack: Stack, *arguments: str) -> dict[str, Any]:
    """The JSON of a command that is to succeed, or to find something."""
    code, out, err = await lanyard(stack, *arguments, "--json")
    assert (code in (0, 2), err) == (True, "")
    return dict(json.loads(out))


async def test_the_life_of_a_machine_as_an_operator_sees_it(stack: Stack) -> None:
    operator = stack.addresses.operator.principal
    stack.azure.services.directory.grant_permission(operator.object_id)
    vm = await stack.operator.create_vm(GROUP, "vm-commands", LOCATION)
    await stack.quiet()

    history = await answer(stack, "history", "--resource", vm)
    assert "done" in {one["outcome"] for one in history["decisions"]}
    explained = await answer(stack, "explain", vm)
    (assignment,) = explained["assignments"]
    assert assignment["claims"][0]["rules"][0]["place"].startswith(f"{POLICY}:")
    assert (await answer(stack, "sweep", "--dry-run"))["orphans"] == []

    paused = await answer(stack, "pause", "--everything", "a test")
    assert paused["pause"]["what"] == "everything"
    assert (await answer(stack, "status"))["pause"]["reason"] == "a test"
    assert (await answer(stack, "resume"))["pause"] is None

    await stack.operator.delete_vm(GROUP, "vm-commands")
    await stack.quiet()
    (removal,) = (await answer(stack, "history", "--removals", "--resource", vm))["decisions"]
    undone = await answer(stack, "undo", removal["id"])
    assert [one["result"] for one in undone["removals"]] == ["put back"]
    withdrawn = await answer(stack, "undo", "--withdraw", removal["id"])
    assert [one["result"] for one in withdrawn["removals"]] == ["withdrawn"]


async def test_apply_gives_the_app_work(stack: Stack) -> None:
    vm = await stack.operator.create_vm(GROUP, "vm-apply", LOCATION)
    await stack.quiet()
    assert (await answer(stack, "apply", vm))["queued"] == [vm]
    await stack.quiet()
    status = await answer(stack, "status")
    assert (status["waiting"], status["poisoned"]) == (0, 0)


async def test_what_was_given_up_is_listed_and_then_replayed(stack: Stack) -> None:
    vm = await stack.operator.create_vm(GROUP, "vm-replay", LOCATION)
    await stack.quiet()
    given_up = encode(Change(ResourceId.parse(vm), "event", attempt=12))
    lost = EVENT | {"topic": stack.operator.scope, "subject": vm, "data": {}}
    options: dict[str, Any] = {"credential": stack.operator.credential, **stack.operator.options}
    async with (
        QueueClient(stack.azurite.queue_url, POISON, **options) as poison,
        ContainerClient(stack.azurite.blob_url, CONTAINER, **options) as container,
    ):
        await poison.create_queue()
        await container.create_container()
        message = await poison.send_message(base64.b64encode(given_up.encode()).decode())
        await container.upload_blob("2026/11/a.json", json.dumps([lost]))
    ids = [("2026/11/a.json#0", "replay"), (message.id, "replay")]

    seen = await answer(stack, "replay", "--dry-run")
    assert [(one["id"], one["fate"]) for one in seen["deadLetters"]] == ids
    waiting = (await answer(stack, "status"))["needsAttention"]
    assert len([reason for reason in waiting if "lanyard replay" in reason]) == 2
    before = len(stack.azure.calls_of(stack.app_principal))
    done = await answer(stack, "replay", "--yes")
    assert [(one["id"], one["fate"]) for one in done["deadLetters"]] == ids
    await stack.quiet()
    read = stack.azure.calls_of(stack.app_principal)[before:]
    assert {call.path.rpartition("/")[2] for call in read} == {"vm-replay"}
    assert (await answer(stack, "replay", "--dry-run"))["deadLetters"] == []
    status = await answer(stack, "status")
    assert (status["poisoned"], status["deadLetters"]) == (0, 0)


async def test_doctor_sees_the_rights_and_the_events_of_the_app(stack: Stack) -> None:
    found = (await answer(stack, "doctor", "--watch", stack.operator.subscription))["findings"]
    states = {one["check"]: one["state"] for one in found}
    assert (states["storage"], states["clock"], states["rights"]) == ("ok", "ok", "ok")
    # The demo keeps no dead letters, and nothing has swept yet.
    assert states["events"] == "warning"


async def test_a_person_reads_tables_and_the_error_of_who_is_nobody(stack: Stack) -> None:
    code, out, err = await lanyard(stack, "status")
    assert (code in (0, 2), err) == (True, "")
    assert [line for line in out.splitlines() if line.startswith("resources ")]
    code, other, err = await lanyard(stack, "status", "--storage", "stother")
    assert (code, other) == (1, "")
    assert "which app? --storage names stother, and LANYARD_TABLE_ENDPOINT https://" in err
    code, out, err = await lanyard(stack, "status", IDENTITY_HEADER="wrong")
    assert (code, out) == (1, "")
    assert err.startswith("lanyard: no Azure credentials: run 'az login'")
    code, out, err = await lanyard(
        stack, "history", LANYARD_TABLE_ENDPOINT="https://localhost:9/devstoreaccount1"
    )
    assert (code, out) == (1, "")
    assert "cannot be reached" in err
    assert "Traceback" not in err
