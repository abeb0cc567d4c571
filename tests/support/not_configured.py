"""An app that lacks what it needs, in a Functions host: the same in ours and Microsoft's."""

from pathlib import Path

from demo.stack import BLOB_READER, LOCATION, Stack
from lanyard.cli.host_findings import FUNCTIONS
from tests.support.app_queues import poisoned

GROUP = "rg-shop"
#: Of host.json: what failed comes back at once, so that all deliveries are a matter of seconds.
_AT_ONCE = {"AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00"}
_ANEW = "a message is put on the queue anew"


async def waits_and_is_done(stack: Stack, name: str, wrong: dict[str, str], named: str) -> None:
    """Started with these settings the app has all its functions, names in its log what is wrong
    (`named`), and uses up no message; put right, what waited is done.
    """
    host, right = stack.host, dict(stack.host.settings)
    await host.stop()
    before = len(log_of(stack))
    host.settings.update(_AT_ONCE | wrong)
    await host.start()
    assert {function["name"] for function in host.functions} == FUNCTIONS
    await stack.operator.create_vm(GROUP, name, LOCATION)
    while _ANEW not in log_of(stack)[before:]:
        await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.1)
    assert named in log_of(stack)[before:]
    assert await poisoned(stack) == 0
    await host.stop()
    host.settings.clear()
    host.settings.update(right)
    await host.start()
    await stack.quiet()
    machine = await stack.operator.vm(GROUP, name)
    assert machine is not None
    identity = machine.identity
    (found,) = ((identity and identity.user_assigned_identities) or {}).values()
    roles = await stack.operator.assignments(str(found.principal_id))
    assert [str(role.role_definition_id).rpartition("/")[2] for role in roles] == [BLOB_READER]


def log_of(stack: Stack) -> str:
    return stack.host.log_file.read_text(errors="replace")


def broken(folder: Path) -> dict[str, str]:
    """A policy with a mistake."""
    policy = folder / "broken.yaml"
    policy.write_text("version: 1\nmode: ful\n")
    return {"LANYARD_POLICY": str(policy)}
