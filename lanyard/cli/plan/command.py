"""`lanyard plan`: what would be done, and nothing is changed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.files import write
from lanyard.cli.frame.names import short
from lanyard.cli.frame.options import AppIdentity, Command, Json, PolicyPath, Quiet, own_identity
from lanyard.cli.frame.part_options import PlaceOptions
from lanyard.cli.frame.short_ids import whole_id
from lanyard.cli.frame.targets import Targets, listed_targets
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.plan.as_json import plan_as_json
from lanyard.cli.plan.batch import Looked, look_ahead
from lanyard.cli.plan.counts import count, in_words
from lanyard.cli.plan.page import page
from lanyard.cli.plan.text import show
from lanyard.desk.look_ahead import Previewer
from lanyard.planning.own_principal import is_own_app
from lanyard.policy import Mode, Policy, load_policy
from lanyard.policy.unmet_names import unmet
from lanyard.values.resource_id import ResourceId, folded

if TYPE_CHECKING:
    from lanyard.desk.azure.connection import Reading

_ABOUT = """\
Show what Lanyard would do: the resources are read from Azure, held against the policy, and nothing
is changed. Each action names the rule that asks for it:

  +  given: an identity made or attached, a role assigned
  ~  changed: instances brought up to date, an identity replaced
  -  taken away
  ‖  held, with the reason and how to release it
  !  cannot be done as things are

What is done to many alike is one line; --full has each resource with its whole id.

You need to be signed in (az login, a service principal in the environment, or a managed identity)
with the role Reader on the subscription. What may be taken away is in the record of a deployed app:
it is shown where its storage account is named (Storage Table Data Reader).
"""
_EXAMPLES = """\
examples:
  lanyard plan /subscriptions/…/resourceGroups/rg-shop
  lanyard plan --resource-group rg-shop --resource-group rg-data
  lanyard plan /subscriptions/… --policy policies/ --json
  lanyard plan --mode full /subscriptions/…/virtualMachines/vm1     as if the policy had it
  lanyard plan /subscriptions/… --storage stlanyard --html plan.html   with removals, as a page
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
_ONE_OF = (
    "give an ID, --list FILE, or what to look at (--subscription, --resource-group, "
    "--management-group), one of these"
)
#: One target as it was given, a part of the estate, or resources and scopes by their ids.
type _Asked = str | PlaceOptions | Sequence[ResourceId]
_NO_REMOVALS = (
    "Removals are not shown: what Lanyard may take away is in the record of the deployed app; name "
    "its storage account with --storage or LANYARD_STORAGE."
)
_WITH_REMOVALS = (
    "A removal waits for limits.removals.graceMinutes, the budget, and what takes its place."
)


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
    full: Annotated[
        bool, typer.Option("--full", help="Each resource by itself, with its whole id.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page, safe to mail.")
    ] = None,
    app_identity: AppIdentity = "",
    *,
    places: PlaceOptions,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look ahead and show; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    narrowed = not places.wanted.is_everything
    if [target is not None, list_ is not None, narrowed].count(True) != 1:
        raise typer.BadParameter(_ONE_OF)
    planned = _policy(policy, mode, own_identity(app_identity))
    targets = Targets(()) if list_ is None else listed_targets(list_, planned.types())
    wanted = places if narrowed else targets.ids if target is None else target
    by_record = connect.is_at_hand(where)
    planned, every = asyncio.run(_look(planned, wanted, azure, where, terminal))
    own_principal = folded(where.app_principal or "")
    own_app = [each for each in every if _is_own_app(each, own_principal)]
    looked = [each for each in every if each not in own_app]
    notes = [f"Left out: Lanyard's own app ({short(str(each.id))})." for each in own_app]
    notes += _notes(planned, looked, targets, by_record=by_record)
    if html is not None:
        write(html, page(looked, notes))
    if json:
        terminal.json(plan_as_json(planned, looked, removals=by_record))
    else:
        show(looked, terminal, full=full)
        _sum_up(looked, notes, terminal)
        if html is not None:
            terminal.show(f"{html} written")
    return _exit_code(looked)


def _is_own_app(looked: Looked, own_principal: str) -> bool:
    preview = looked.preview
    return preview is not None and is_own_app(preview.resource, own_principal)


async def _look(
    policy: Policy,
    wanted: _Asked,
    azure: AzureOptions,
    where: AppOptions,
    terminal: Terminal,
) -> tuple[Policy, list[Looked]]:
    """The policy with the subscriptions that it names, and what came of each resource."""
    own = folded(where.app_principal or "")
    with terminal.progress("reading resources") as progress:
        if not connect.is_at_hand(where):
            async with connect.reading(azure) as reading:
                if policy.named_subscriptions:
                    policy = policy.under(await reading.ports("").index.subscriptions())
                read = reading.compute, reading.identities, reading.assignments
                previewer = Previewer(policy, *read, own)
                targets, inventory = await _whole(wanted, reading), reading.inventory
                return policy, await look_ahead(policy, targets, previewer, inventory, progress)
        async with connect.app(azure, where) as app:
            policy = await app.in_force(policy)
            ports = app.azure
            asked = ports.compute, ports.identities, ports.assignments
            previewer = Previewer(policy, *asked, own, app.ledger().resource)
            inventory, targets = app.reading.inventory, await _whole(wanted, app.reading)
            return policy, await look_ahead(policy, targets, previewer, inventory, progress)


async def _whole(wanted: _Asked, reading: "Reading") -> Sequence[ResourceId]:
    match wanted:
        case str():
            return [await whole_id(wanted, reading.inventory)]
        case PlaceOptions():
            return await wanted.scopes(reading.inventory)
        case _:
            return wanted


def _policy(path: Path, mode: Mode | None, own: ResourceId | None) -> Policy:
    policy = load_policy(path, own)
    return policy.model_copy(update={"mode": mode}) if mode else policy


def _sum_up(looked: Sequence[Looked], notes: Sequence[str], terminal: Terminal) -> None:
    counts = count(looked)
    style = "red" if counts.failed else "yellow" if counts.changed else "green"
    terminal.show((f"plan: {in_words(counts)}", style))
    for note in notes:
        terminal.show((note, "dim"))


def _notes(
    policy: Policy, looked: Sequence[Looked], targets: Targets, *, by_record: bool
) -> list[str]:
    """What to know of the plan as a whole."""
    notes = list(unmet(policy))
    if not looked:
        types = ", ".join(sorted({name for rule in policy.rules for name in rule.match.types}))
        notes.append(f"No resource there is of a type that the policy names ({types or 'none'}).")
    if targets.left_out:
        notes.append(f"Left out: {targets.left_out} of types that no rule is for.")
    if policy.mode is Mode.OBSERVE and count(looked).held:
        notes.append("The mode is observe; --mode full shows the plan without it.")
    if not by_record:
        notes.append(_NO_REMOVALS)
    elif count(looked).remove:
        notes.append(_WITH_REMOVALS)
    return notes


def _exit_code(looked: Sequence[Looked]) -> int:
    counts = count(looked)
    if counts.failed:
        return 1
    return _CHANGES if counts.changed else 0


_SHAPE = {"version": "`1`; the whole of it is in [plan.md](plan.md#--json)"}
COMMAND = Command(_ABOUT, _EXAMPLES, run, _SHAPE)
