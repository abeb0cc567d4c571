"""`lanyard doctor`: is a deployed app well, and if not, what fixes it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.options import LOOK, Command, Json, PolicyPath, Quiet, storage_rights
from lanyard.cli.frame.part_options import PlaceOptions
from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.within import Within
from lanyard.policy import load_policy
from lanyard.record.rows import DamagedRow
from lanyard.values.errors import LanyardError

if TYPE_CHECKING:
    from lanyard.cli.findings import Finding

_ABOUT = f"""\
Look at a deployed app from outside: its storage, this machine's clock, the rights of the app's
identity (scope by scope, and each role that a rule gives), the directory, its host, functions and
settings, the event subscriptions and the way that each brings events, its queues, dead letters,
sweeps, holds and pauses, and whether it works by the policy at hand. Each finding says how to fix
it. Nothing is changed.

Whether events come in time is seen by what the last sweep found that none had named; how long they
took is in the metrics of the system topic, in the Azure portal.

{storage_rights(*LOOK)}
You need Reader on the subscriptions and the right to read the directory, too; to have the app's
settings checked, Microsoft.Web/sites/config/list/action on the app (Website Contributor has it).
"""
_AFTER = """\
examples:
  lanyard doctor --storage stlanyard --app-principal 2f0c…
  lanyard doctor --subscription production
  lanyard doctor --watch 11111111-1111-1111-1111-111111111111 --json

exit codes:
  0  all is well
  1  it cannot be looked at: no credentials, the storage cannot be reached, a broken policy
  2  a problem or a warning was found
"""
_SHAPE = {
    "version": "`1`",
    "findings[]": "in the order of the checks",
    "findings[].check": "`storage`, `watch`, `clock`, `rights`, `directory`, `events`, `host`, "
    "`installation`, `app`, `delivery`, `policy` or `subscriptions`",
    "findings[].state": "`ok`, `warning`, `problem`",
    "findings[].message": "what was found",
    "findings[].fix": "what to do; empty where all is well",
}
_FOUND = 2
_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


def run(
    watch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SUBSCRIPTION",
            help="A subscription that it looks after; repeatable. Default: those on its record.",
        ),
    ] = None,
    subscription: Annotated[
        list[str] | None,
        typer.Option(metavar="ID|NAME", help="Only this one of those subscriptions; repeatable."),
    ] = None,
    policy: PolicyPath = Path("lanyard.yaml"),
    app_id: Annotated[
        str,
        typer.Option(
            envvar="LANYARD_APP_ID",
            metavar="ID",
            help="The function app, where its events come by queue, which does not show it.",
        ),
    ] = "",
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look and show; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    loaded = load_policy(policy)

    async def look() -> "list[Finding]":
        from lanyard.cli.examination import Doctor
        from lanyard.desk.azure.app_setup import Setup  # the SDKs

        async with connect.app(azure, where) as reached:
            app, principal = await connect.believing(reached, where.app_principal)
            in_force = await app.in_force(loaded)
            part = await PlaceOptions(subscription).chosen(app.reading.inventory)
            watched = _within(part, watch or await _on_record(app))
            setup = Setup(app.reading.clients)
            return await Doctor(
                app=app,
                setup=setup,
                policy=in_force,
                principal=principal,
                watched=watched,
                part=part,
                site=app_id,
            ).findings()

    findings = asyncio.run(look())
    if json:
        terminal.json({"version": 1, "findings": [_as_json(finding) for finding in findings]})
    else:
        _show(findings, terminal)
    return _FOUND if any(finding.wrong for finding in findings) else 0


async def _on_record(app: App) -> list[str]:
    """The subscriptions (ids) of which the app knows anything."""
    damaged: list[DamagedRow] = []  # `lanyard status` names them
    known = {record.id.subscription async for record in app.ledger().records(damaged)}
    return sorted(known | {damage.row.partition for damage in damaged})


def _within(part: Within, watched: Sequence[str]) -> tuple[str, ...]:
    """The subscriptions that are looked at. Raises LanyardError where the app looks after none of
    those that were asked for.
    """
    found = tuple(each for each in watched if part.holds(f"/subscriptions/{each}"))
    if watched and not found:
        raise LanyardError(
            "--subscription: the app has nothing there on its record; with --watch ID it is looked "
            "at all the same"
        )
    return found


def _as_json(finding: "Finding") -> dict[str, Any]:
    return {
        "check": finding.check,
        "state": finding.state.value,
        "message": finding.message,
        "fix": finding.fix,
    }


def _show(findings: "Sequence[Finding]", terminal: Terminal) -> None:
    for finding in findings:
        mark, style = _MARKS[finding.state.value]
        line = (f"{mark} {finding.check:10}", style), finding.message
        if finding.wrong:
            terminal.report(*line)
            terminal.report((f"    {finding.fix}", "dim"))
        else:
            terminal.show(*line)
    wrong = sum(finding.wrong for finding in findings)
    terminal.show((f"doctor: {wrong or 'nothing'} to fix", "yellow" if wrong else "green"))


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
