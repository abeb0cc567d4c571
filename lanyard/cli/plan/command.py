"""`lanyard plan`: what would be done, and nothing is changed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AzureOptions
from lanyard.cli.frame.options import AppIdentity, Command, Json, PolicyPath, Quiet, own_identity
from lanyard.cli.frame.targets import listed_targets, one_target
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.plan.as_json import plan_as_json
from lanyard.cli.plan.batch import Looked, look_ahead
from lanyard.cli.plan.counts import count, in_words
from lanyard.cli.plan.text import NO_REMOVALS, show
from lanyard.policy import Mode, Policy, load_policy
from lanyard.values.resource_id import ResourceId, folded

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
  lanyard plan --mode full /subscriptions/…/virtualMachines/vm1     as if the policy had it
  az resource list --tag env=prod --output json | lanyard plan --list -

environment:
  LANYARD_POLICY, LANYARD_CLOUD                 where the options are not given
  LANYARD_ARM_ENDPOINT, LANYARD_ARM_AUDIENCE    an Azure at another address

exit codes:
  0  nothing would be changed
  1  an error: a broken policy, a resource that is not there or cannot be read, no credentials
  2  something would be changed
"""
_CHANGES = 2


def run(
    target: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="A resource, a resource group or a subscription."),
    ] = None,
    list_: Annotated[
        str | None,
        typer.Option(
            "--list",
            metavar="FILE",
            help="Ids, one a line or as a JSON array; - for standard input.",
        ),
    ] = None,
    policy: PolicyPath = Path("lanyard.yaml"),
    mode: Annotated[Mode | None, typer.Option(help="Instead of the policy's own.")] = None,
    app_principal: Annotated[
        str,
        typer.Option(
            envvar="LANYARD_PRINCIPAL_ID",
            metavar="ID",
            help="Object id of the app's identity, which no rule gives away.",
        ),
    ] = "",
    app_identity: AppIdentity = "",
    *,
    azure: AzureOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look ahead and show; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    if (target is None) == (list_ is None):
        raise typer.BadParameter("give an ID or --list FILE, one of the two")
    planned = _policy(policy, mode, own_identity(app_identity))
    targets = (
        one_target(target) if target is not None else listed_targets(str(list_), planned.types())
    )
    own = folded(app_principal)
    looked = asyncio.run(_look(planned, targets.ids, own, azure, terminal))
    if json:
        terminal.json(plan_as_json(planned, looked))
    else:
        _show(planned, looked, targets.left_out, terminal)
    return _exit_code(looked)


async def _look(
    policy: Policy,
    targets: Sequence[ResourceId],
    own_principal: str,
    azure: AzureOptions,
    terminal: Terminal,
) -> list[Looked]:
    with terminal.progress("reading resources") as progress:
        async with connect.reading(azure) as reading:
            return await look_ahead(policy, targets, reading, progress, own_principal)


def _policy(path: Path, mode: Mode | None, own: ResourceId | None) -> Policy:
    policy = load_policy(path, own)
    return policy.model_copy(update={"mode": mode}) if mode else policy


def _show(policy: Policy, looked: Sequence[Looked], left_out: int, terminal: Terminal) -> None:
    for resource in looked:
        show(resource, terminal)
    counts = count(looked)
    style = "red" if counts.failed else "yellow" if counts.changed else "green"
    terminal.show((f"plan: {in_words(counts)}", style))
    if left_out:
        note = f"Left out: {left_out} of types that no rule is for."
        terminal.show((note, "dim"))
    if policy.mode is Mode.OBSERVE and counts.held:
        terminal.show(("The mode is observe; --mode full shows the plan without it.", "dim"))
    terminal.show((NO_REMOVALS, "dim"))


def _exit_code(looked: Sequence[Looked]) -> int:
    counts = count(looked)
    if counts.failed:
        return 1
    return _CHANGES if counts.changed else 0


_SHAPE = {"version": "`1`; the whole of it is in [plan.md](plan.md#--json)"}
COMMAND = Command(
    "plan", "show what would be done, and change nothing", _ABOUT, _EXAMPLES, run, _SHAPE
)
