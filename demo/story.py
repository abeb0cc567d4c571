"""The main job, told in seven acts, and one more where events come by queue. Every claim is read
back from ARM, never from Lanyard.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from azure.mgmt.authorization.v2022_04_01.models import RoleAssignment
from azure.storage.blob.aio import BlobServiceClient

from demo.events import BY_QUEUE, EVENTS
from demo.kinds import other_kinds
from demo.machine import Workload, workload_on
from demo.narration import Narration
from demo.stack import BLOB_READER, LOCATION, READER, SHOP, Stack

_ACCOUNT = "stshopdata"
_TEXT = "price list"
_DEADLINE = 60.0


@dataclass(frozen=True)
class Blob:
    """Where the workload's data is."""

    url: str


async def tell(stack: Stack, narration: Narration) -> None:
    """All acts."""
    blob = await _prepare(stack, narration)
    unrelated = await _someone_unrelated(stack)

    narration.act("1  A machine arrives")
    first = await _arrival(stack, narration, "vm-web-1")
    async with workload_on(await _machine(stack, "vm-web-1"), stack.addresses) as program:
        await _reads(narration, program, blob, "its workload gets a token from IMDS and reads")

    narration.act("2  A second machine shares the identity")
    second = await _arrival(stack, narration, "vm-web-2")
    narration.check("it is the same identity", second, holds=second == first)
    async with workload_on(await _machine(stack, "vm-web-2"), stack.addresses) as program:
        await _reads(narration, program, blob, "its workload reads too")

        narration.act("3  The first machine leaves")
        await _departure(stack, narration, "vm-web-1")
        await _granted(stack, narration, second, "the grant stays: the second machine claims it")
        await _reads(narration, program, blob, "the second machine's workload still reads")

        narration.act("4  The second machine leaves")
        await _departure(stack, narration, "vm-web-2")
        await _holds_nothing(stack, narration, second, "the last claim is gone, so is the grant")
        answer = await program.read(blob.url)
        told = f"{answer['status']} {answer.get('code', '')}"
        narration.check("its workload, token in hand, is refused", told, holds="403" in told)

    narration.act(
        "5  A machine with an identity of its own, to which someone gave a role elsewhere"
    )
    await _orphan(stack, narration)

    narration.act("6  Other kinds of compute")
    await other_kinds(stack, narration)

    number = 7
    if stack.way == BY_QUEUE:
        narration.act(f"{number}  A machine arrives while the app is stopped")
        await _while_stopped(stack, narration)
        number += 1
    narration.act(f"{number}  Everybody else")
    await _untouched(stack, narration, unrelated)


async def _prepare(stack: Stack, narration: Narration) -> Blob:
    async with narration.step("a storage account with a blob in it"):
        await stack.operator.create(
            f"{SHOP}/Microsoft.Storage/storageAccounts/{_ACCOUNT}",
            "2024-01-01",
            {"location": LOCATION, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
        )
        writer = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"  # Storage Blob Data Contributor
        person = stack.addresses.operator.principal.object_id
        stack.azure.assign(person, writer, stack.operator.group(SHOP))
        account = f"{stack.addresses.blob}/{_ACCOUNT}"
        service = BlobServiceClient(
            account, credential=stack.operator.credential, **stack.operator.options
        )
        async with service:
            container = await service.create_container("prices")
            await container.upload_blob("today.txt", _TEXT.encode())
    return Blob(f"{account}/prices/today.txt")


async def _someone_unrelated(stack: Stack) -> tuple[str, str]:
    """A principal that has nothing to do with Lanyard, and its role on the same group."""
    principal = stack.azure.state.add_principal("unrelated-app").object_id
    scope = stack.operator.group(SHOP)
    return principal, await stack.operator.assign(BLOB_READER, principal, scope)


async def _machine(stack: Stack, name: str) -> str:
    return f"{stack.operator.group(SHOP)}/providers/Microsoft.Compute/virtualMachines/{name}"


async def _arrival(stack: Stack, narration: Narration, name: str) -> str:
    """Create a machine, watch its identity and role arrive; returns the identity's principal."""
    async with narration.step(f"{name} is created with azure-mgmt-compute"):
        await stack.operator.create_vm(SHOP, name, LOCATION)
    async with narration.step("event → queue → Lanyard attaches the identity"):
        await _until(lambda: _principal_on(stack, name))
    async with narration.step("Lanyard finishes its work"):
        await stack.quiet()
    principal = await _principal_on(stack, name) or ""
    narration.check("identity attached", f"principal {principal}", holds=bool(principal))
    await _granted(stack, narration, principal, "role assigned")
    return principal


async def _principal_on(stack: Stack, name: str) -> str | None:
    machine = await stack.operator.vm(SHOP, name)
    attached = machine.identity.user_assigned_identities if machine and machine.identity else None
    for value in (attached or {}).values():
        return value.principal_id
    return None


async def _departure(stack: Stack, narration: Narration, name: str) -> None:
    async with narration.step(f"{name} is deleted"):
        await stack.operator.delete_vm(SHOP, name)
    async with narration.step("event → queue → Lanyard looks what only it needed"):
        await stack.quiet()
    gone = await stack.operator.vm(SHOP, name) is None
    narration.check(f"{name} is gone", "404" if gone else "still there", holds=gone)


async def _reads(narration: Narration, program: Workload, blob: Blob, claim: str) -> None:
    answer = await program.read(blob.url)
    told = f"{answer['status']} {answer.get('text', answer.get('code', ''))!r}"
    narration.check(claim, told, holds=answer["status"] == 200 and answer["text"] == _TEXT)


async def _granted(stack: Stack, narration: Narration, principal: str, claim: str) -> None:
    found = await stack.operator.assignments(principal)
    roles = [_role(assignment) for assignment in found]
    told = ", ".join(f"{_role_name(role)} at {SHOP}" for role in roles) or "none"
    narration.check(claim, told, holds=roles == [BLOB_READER])


async def _holds_nothing(stack: Stack, narration: Narration, principal: str, claim: str) -> None:
    found = await stack.operator.assignments(principal)
    narration.check(claim, f"{len(found)} assignments", holds=not found)


async def _orphan(stack: Stack, narration: Narration) -> None:
    name, elsewhere = "vm-batch", stack.operator.group("rg-other")
    async with narration.step(f"{name} is created with a system-assigned identity"):
        await stack.operator.create_vm(SHOP, name, LOCATION, system=True)
        await stack.quiet()
    machine = await stack.operator.vm(SHOP, name)
    own = str(machine.identity.principal_id) if machine and machine.identity else ""
    async with narration.step("someone gives it Reader on rg-other"):
        await stack.operator.assign(READER, own, elsewhere)
    held = [_role(found) for found in await stack.operator.assignments(own)]
    narration.check("it holds a role there", _role_name(READER), holds=READER in held)
    await _departure(stack, narration, name)
    await _holds_nothing(stack, narration, own, "the orphaned assignment was cleaned up")


async def _while_stopped(stack: Stack, narration: Narration) -> None:
    name = "vm-night"
    async with narration.step("the app is stopped"):
        await stack.host.stop()
    async with narration.step(f"{name} is created"):
        await stack.operator.create_vm(SHOP, name, LOCATION)
        await stack.addresses.delivery.settled()
    waiting = await stack.waiting(EVENTS)
    narration.check("its events wait in the queue", f"{waiting} messages", holds=waiting > 0)
    nobody = await _principal_on(stack, name) is None
    narration.check("nobody has seen to it", "no identity" if nobody else "one", holds=nobody)
    async with narration.step("the app starts, and takes them in"):
        await stack.host.start()
        await _until(lambda: _principal_on(stack, name))
        await stack.quiet()
    principal = await _principal_on(stack, name) or ""
    narration.check("identity attached", f"principal {principal}", holds=bool(principal))
    await _granted(stack, narration, principal, "role assigned")
    await _departure(stack, narration, name)


async def _untouched(stack: Stack, narration: Narration, unrelated: tuple[str, str]) -> None:
    principal, assignment = unrelated
    found = [str(entry.id) for entry in await stack.operator.assignments(principal)]
    holds = [text.lower() for text in found] == [assignment.lower()]
    narration.check("the unrelated assignment still stands", f"{len(found)} found", holds=holds)


async def _until(read: Callable[[], Awaitable[object]]) -> None:
    """Read from ARM until there is something to see; gives up at the deadline."""
    try:
        async with asyncio.timeout(_DEADLINE):
            while not await read():  # noqa: ASYNC110  ARM offers nothing to wait on but reads
                await asyncio.sleep(0.3)
    except TimeoutError:
        return  # the check that follows tells what is missing


def _role(assignment: RoleAssignment) -> str:
    return str(assignment.role_definition_id).rpartition("/")[2]


def _role_name(role: str) -> str:
    return {BLOB_READER: "Storage Blob Data Reader", READER: "Reader"}.get(role, role)
