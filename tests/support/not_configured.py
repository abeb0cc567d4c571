"""An app that lacks what it needs, in a Functions host: the same in ours and Microsoft's."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from demo.stack import BLOB_READER, Stack
from lanyard.cli.host_findings import FUNCTIONS
from tests.support.app_queues import poisoned
from tests.support.machines import created, principals_of, roles_of

#: Of host.json: what failed comes back at once, so that all deliveries are a matter of seconds.
_AT_ONCE = {"AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00"}
_ANEW = "a message is put on the queue anew"


async def wait_until_named(
    stack: Stack, settings: Mapping[str, str], machine: str, named: str
) -> None:
    """Started with these settings the app has all its functions, names in its log what is wrong
    (`named`), and uses up no message, however often it is handed over.
    """
    before = len(log_of(stack))
    await started_with(stack, {**settings, **_AT_ONCE})
    assert {function["name"] for function in stack.host.functions} == FUNCTIONS
    await created(stack, machine)
    while _ANEW not in log_of(stack)[before:]:
        await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.1)
    assert named in log_of(stack)[before:]
    assert await poisoned(stack) == 0, named


async def put_right(stack: Stack, right: Mapping[str, str], machines: Iterable[str]) -> None:
    """Started with the right settings the app does all that waited."""
    await started_with(stack, right)
    await stack.quiet()
    given = {machine: await principals_of(stack, machine) for machine in machines}
    without = [machine for machine, principals in given.items() if len(principals) != 1]
    lost, on_poison = stack.addresses.delivery.lost, await poisoned(stack)
    assert without == [], f"{without}: lost on their way: {lost}, poisoned: {on_poison}"
    for machine, (principal,) in given.items():
        assert await roles_of(stack, principal) == [BLOB_READER], machine
    assert await poisoned(stack) == 0


async def started_with(stack: Stack, settings: Mapping[str, str]) -> None:
    """The host once more, with these settings alone."""
    await stack.host.stop()
    stack.host.settings.clear()
    stack.host.settings.update(settings)
    await stack.host.start()


def log_of(stack: Stack) -> str:
    return stack.host.log_file.read_text(errors="replace")


def broken(folder: Path) -> Path:
    """A policy with a mistake."""
    policy = folder / "broken.yaml"
    policy.write_text("version: 1\nmode: ful\n")
    return policy


def unreadable(folder: Path) -> Path:
    """A policy that nobody can read, whoever runs the tests: a link to itself."""
    policy = folder / "unreadable.yaml"
    policy.symlink_to(policy)
    return policy
