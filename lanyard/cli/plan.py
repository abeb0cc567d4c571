"""`lanyard plan`: what would be done, and nothing is changed."""

import argparse
import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanyard.cli.look_ahead import Looked, look_ahead
from lanyard.cli.options import add_command
from lanyard.cli.plan_counts import count, in_words
from lanyard.cli.plan_json import plan_as_json
from lanyard.cli.plan_text import NO_REMOVALS, tell
from lanyard.cli.targets import listed_targets, one_target
from lanyard.cli.terminal import Terminal
from lanyard.errors import LanyardError
from lanyard.model import ResourceId
from lanyard.policy import Mode, Policy, load_policy
from lanyard.settings import read_endpoints

if TYPE_CHECKING:
    from lanyard.azure.reading import Reading

_ABOUT = """\
Show what Lanyard would do: the resources are read from Azure, held against the policy, and nothing
is changed. Each action names the rule that asks for it:

  +  given: an identity made or attached, a role assigned
  ~  changed: instances brought up to date, an app restarted
  ‖  held, with the reason and how to release it
  !  cannot be done as things are

You need to be signed in (az login, a service principal in the environment, or a managed identity)
with the role Reader on the subscription. Removals are not shown: they need Lanyard's ledger.
"""
_EXAMPLES = """\
examples:
  lanyard plan /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-shop
  lanyard plan /subscriptions/11111111-1111-1111-1111-111111111111 --policy policies/ --json
  lanyard plan --mode full /subscriptions/…/virtualMachines/vm1     as if the policy said so
  az resource list --tag env=prod --output json | lanyard plan --list -

environment:
  LANYARD_POLICY, LANYARD_ARM_ENDPOINT, LANYARD_ARM_AUDIENCE    where the options are not given

exit codes:
  0  nothing would be changed
  1  an error: a broken policy, a resource that is not there or cannot be read, no credentials
  2  something would be changed
"""
_CHANGES = 2


def add(commands: Any) -> None:
    """Add the command to the parser."""
    title = "show what would be done, and change nothing"
    parser = add_command(commands, "plan", title, _ABOUT, _EXAMPLES, run)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "target", nargs="?", metavar="ID", help="a resource, a resource group or a subscription"
    )
    what.add_argument(
        "--list", metavar="FILE", help="ids, one a line or as a JSON array; - for standard input"
    )
    parser.add_argument("--policy", metavar="PATH", help="a file or a folder (lanyard.yaml)")
    parser.add_argument("--mode", choices=[*map(str, Mode)], help="instead of the policy's own")
    parser.add_argument("--arm-endpoint", metavar="URL", help="Azure Resource Manager's address")
    parser.add_argument("--arm-audience", metavar="URL", help="of its tokens; default: the same")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Look ahead and tell; returns the exit code."""
    environment = _environment(arguments)
    policy = _policy(arguments.mode, environment)
    if arguments.list is not None:
        targets = listed_targets(arguments.list, policy.types())
    else:
        targets = one_target(arguments.target)
    looked = asyncio.run(_look(policy, targets.ids, environment, terminal))
    if arguments.json:
        terminal.json(plan_as_json(policy, looked))
    else:
        _tell(policy, looked, targets.left_out, terminal)
    return _exit_code(looked)


def connect(environment: Mapping[str, str]) -> "AbstractAsyncContextManager[Reading]":
    """Azure, as whoever runs this."""
    from lanyard.azure.reading import reading  # the SDKs: the other commands start without them

    return reading(environment)


async def _look(
    policy: Policy,
    targets: Sequence[ResourceId],
    environment: Mapping[str, str],
    terminal: Terminal,
) -> list[Looked]:
    with terminal.progress("reading resources") as progress:
        async with connect(environment) as reading:
            return await look_ahead(policy, targets, reading, progress)


def _environment(arguments: argparse.Namespace) -> dict[str, str]:
    """The process's environment; options go before it."""
    given = {
        "LANYARD_POLICY": arguments.policy,
        "LANYARD_ARM_ENDPOINT": arguments.arm_endpoint,
        "LANYARD_ARM_AUDIENCE": arguments.arm_audience,
    }
    environment = dict(os.environ) | {name: value for name, value in given.items() if value}
    arm, _ = read_endpoints(environment)
    if not arm.url.startswith("https://"):
        raise LanyardError(f"{arm.url!r} is no address of ARM: it does not begin with https://")
    return environment


def _policy(mode: str | None, environment: Mapping[str, str]) -> Policy:
    policy = load_policy(Path(environment.get("LANYARD_POLICY", "lanyard.yaml")))
    return policy.model_copy(update={"mode": Mode(mode)}) if mode else policy


def _tell(policy: Policy, looked: Sequence[Looked], left_out: int, terminal: Terminal) -> None:
    for each in looked:
        tell(each, terminal)
    counts = count(looked)
    style = "red" if counts.failed else "yellow" if counts.changed else "green"
    terminal.say((f"plan: {in_words(counts)}", style))
    if left_out:
        note = f"Left out: {left_out} of types that no rule is for."
        terminal.say((note, "dim"))
    if policy.mode is Mode.OBSERVE and counts.held:
        terminal.say(("The mode is observe; --mode full shows the plan without it.", "dim"))
    terminal.say((NO_REMOVALS, "dim"))


def _exit_code(looked: Sequence[Looked]) -> int:
    counts = count(looked)
    if counts.failed:
        return 1
    return _CHANGES if counts.changed else 0
