"""`make local`: the local Azure, Azurite and the app keep running, for any client."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.desk import environment, local_settings, write, write_privately
from demo.events import BY_WEBHOOK, WAYS
from demo.hosts import MAKERS, NAMES, OURS, PROJECT
from demo.narration import Narration
from demo.stack import LOCATION, POLICY, SHOP, Stack, as_json, running
from simulator.functions_host.microsoft import NoMicrosoftHost
from simulator.serve import Addresses

_DIRECTORY = PROJECT / ".cache" / "local"
_SHELL = _DIRECTORY / "lanyard.env"
_SETTINGS = _DIRECTORY / "local.settings.json"


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 0 then, 1 where something does not start, 2 without the host."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.local",
        description="A local Azure with Lanyard at work in it, until Ctrl-C.",
        epilog="examples:  make local    python -m demo.local --json --policy my-policy.yaml",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON when it is ready")
    parser.add_argument("--policy", type=Path, default=POLICY, help="the policy file in force")
    parser.add_argument(
        "--operation-seconds", type=float, default=4.0, help="how long a VM's write takes (4)"
    )
    parser.add_argument(
        "--delivery", choices=WAYS, default=BY_WEBHOOK, help="how events come to the app (webhook)"
    )
    parser.add_argument("--host", choices=NAMES, default=OURS, help="the Functions host (ours)")
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(arguments))
    except NoMicrosoftHost as error:
        sys.stderr.write(f"local: {error}\n")
        return 2
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    narration = Narration(as_json=arguments.json)
    async with running(
        _DIRECTORY,
        narration.step,
        operation_seconds=arguments.operation_seconds,
        policy=arguments.policy.resolve(),
        make_host=MAKERS[arguments.host],
        timers=True,
        way=arguments.delivery,
    ) as stack:
        operator = stack.addresses.operator.principal.object_id
        stack.azure.services.directory.grant_permission(operator)
        write_privately(_SETTINGS, local_settings(stack.host.settings))
        write(_SHELL, environment(stack.addresses, stack.azurite, arguments.policy.resolve()))
        async with narration.step("a machine to look at"):
            machine = await stack.operator.create_vm(SHOP, "vm-web-1", LOCATION)
            await stack.quiet()
        if arguments.json:
            sys.stdout.write(as_json(stack) + "\n")
            sys.stdout.flush()
        else:
            _show(stack, machine)
        await stopped.wait()


def _show(stack: Stack, machine: str) -> None:
    addresses = stack.addresses
    table = Table(title="Running until Ctrl-C", show_header=False)
    for name, value in (
        ("Resource Manager", addresses.arm),
        ("Microsoft Graph", addresses.graph),
        ("blobs, guarded by roles", f"{addresses.blob}/{{account}}"),
        ("IMDS of a machine", addresses.imds("{resource id}")),
        ("subscription", addresses.subscriptions[0]),
        ("tenant", addresses.tenant_id),
        ("CA certificate", str(addresses.certificates.ca_file)),
        ("app", stack.host.url),
        ("app's log", str(stack.host.log_file)),
        ("queues and tables", f"{stack.azurite.queue_url}  {stack.azurite.table_url}"),
    ):
        table.add_row(name, value)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print("\nIn another shell, lanyard as the operator:")
    console.print(f"  . {_SHELL.relative_to(PROJECT)}", markup=False)
    for command in ("scan", f"plan {stack.operator.group(SHOP)}", f"explain {machine}", "status"):
        console.print(f"  .venv/bin/lanyard {command}", markup=False)
    console.print("\nThe app in Core Tools, over this Azure and storage:")
    console.print(f"  cp {_SETTINGS.relative_to(PROJECT)} . && func start", markup=False)
    console.print("\nA token as the operator (Owner of the subscription):")
    console.print(f"  {addresses.as_json()['token']}", markup=False)
    console.print("\nA bad day (docs/dev/simulator.md has the switches):")
    console.print(f"  {_switch(addresses)}", markup=False)


def _switch(addresses: Addresses) -> str:
    """The call that turns a switch of the local Azure on."""
    header = f"Authorization: Bearer {addresses.operator.identity_header}"
    body = '{"behaviour": {"conflict_while_updating": true}}'
    return f"curl -X PATCH {addresses.control}/switches -H '{header}' -d '{body}'"


if __name__ == "__main__":
    sys.exit(main())
