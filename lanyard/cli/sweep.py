"""`lanyard sweep`: the whole estate looked over from a desk, as the app does every hour."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.names import role_as_json, short
from lanyard.cli.frame.options import Command, Json, PolicyPath, Quiet, storage_rights
from lanyard.cli.frame.part_options import PlaceOptions
from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.within import Within
from lanyard.planning.orphans import Orphan
from lanyard.policy import Policy, load_policy
from lanyard.sweep.report import SweepReport, describe
from lanyard.sweep.sweep import Sweep
from lanyard.values.roles import role_name

_READER = "Storage Table Data Reader"
_WRITER = "Storage Table Data Contributor and Storage Queue Data Message Sender"
_ABOUT = f"""\
Look over everything at once: what is not as the policy says, what is gone, and each role assignment
that is orphaned, with the evidence for it and whether it would be removed. With --dry-run that is
all; without, what needs it is put on the app's queue of work, and the app decides on its own.
`lanyard status` goes by the sweeps of the app itself: what this one found is shown here alone.

Everything is read before anything is shown: where a listing or the directory answers only a part,
there is an error, and no result. Who may not ask the directory at all reads so, and no orphan is
looked for that only the directory knows of. With --dry-run, --subscription, --resource-group and
--management-group list what is in there; counts are those of the whole.

{storage_rights(f"{_READER} (for --dry-run), else {_WRITER}")}
You need Reader on the subscriptions and should be able to read the directory, too.
"""
_AFTER = """\
examples:
  lanyard sweep --dry-run --storage stlanyard --app-principal 2f0c…
  lanyard sweep --dry-run --json | jq '.orphans[] | select(.held == "") | .assignment'
  lanyard sweep                                 put on the queue what needs it

exit codes:
  0  all is as the policy says, and nothing is orphaned
  1  an error: a listing failed or is not complete, a missing right, no credentials
  2  something is not as it should be
"""
_SHAPE = {
    "version": "`1`",
    "dryRun": "whether nothing was put on the queue",
    "policy": "digest of the policy it was held against",
    "summary": "counts: `listed` resources, of them `drifted`; `missing` ones; `identities` with "
    "another principal; `deletedGrants`; `assignments` listed",
    "orphans[]": "in the order of the listing",
    "orphans[].kind": "`unclaimed`, `departed`, `unknown`",
    "orphans[].assignment": "id of the role assignment",
    "orphans[].scope": "where it gives the role",
    "orphans[].role": "`id` (GUID), `name`",
    "orphans[].principalId": "whom it was for",
    "orphans[].owner": "what the principal belonged to, or what claimed it; else null",
    "orphans[].evidence[]": "what proves it, in words",
    "orphans[].held": "why it is not removed; empty where it will be",
    "nearLimit": "subscriptions near the limit of 4,000 role assignments, with their number",
    "unusedIdentities[]": "user-assigned identities that no resource has",
    "unlistedIdentities[]": "user-assigned identities that resources show and no listing has",
    "rolesGone[]": "GUIDs of roles that are assigned and no longer defined",
    "noDirectory": "why the directory's answer is not used, and so no `departed` and no `unknown` "
    "orphan was looked for; else empty",
    "unseenSubscriptions[]": "on record, and not to be read any more: left as they are",
    "partlySeenSubscriptions[]": "something that is on record there cannot be read",
    "unread[]": "what else could not be read, each with the reason: nothing is concluded of it",
    "subscriptionNotes[]": "what is odd about the subscriptions that the policy names",
    "damaged[]": "rows of Lanyard's tables that cannot be read: what they are about is left alone",
}
_FOUND = 2


def run(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look and show; put nothing on the queue.")
    ] = False,
    policy: PolicyPath = Path("lanyard.yaml"),
    *,
    places: PlaceOptions,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look over everything; returns the exit code."""
    if not (dry_run or places.wanted.is_everything):
        raise typer.BadParameter("a part of the estate is looked at with --dry-run alone")
    terminal = Terminal(quiet=quiet)
    loaded = load_policy(policy)

    async def look() -> tuple[Policy, SweepReport]:
        async with connect.app(azure, where) as reached:
            app, _ = await connect.judging(reached, where)
            in_force = await app.in_force(loaded)
            enqueue = None if dry_run else app.queue.put
            part = await places.chosen(app.reading.inventory)
            with terminal.counting() as counted:
                sweep = Sweep(in_force, app.services(in_force), enqueue, counted)
                return in_force, _in_part(await sweep.run(), part)

    loaded, report = asyncio.run(look())
    if json:
        terminal.json(_as_json(report, loaded, dry_run=dry_run))
    else:
        _show(report, terminal, dry_run=dry_run)
    return _FOUND if _finds_something(report) else 0


def _in_part(report: SweepReport, part: Within) -> SweepReport:
    """What has a place in the estate, of a part of it. Counts, and what could not be read, stay
    those of the whole: nobody knows what is missing in what was not read.
    """
    return replace(
        report,
        orphans=tuple(one for one in report.orphans if part.holds(one.assignment.scope)),
        near_limit={
            one: number
            for one, number in report.near_limit.items()
            if part.holds(f"/subscriptions/{one}")
        },
        unused_identities=tuple(filter(part.holds, report.unused_identities)),
        unlisted_identities=tuple(filter(part.holds, report.unlisted_identities)),
    )


def _finds_something(report: SweepReport) -> bool:
    counts = report.drifted, report.missing, report.identities, report.deleted_grants
    reported = report.orphans, report.near_limit, report.roles_gone, report.unseen
    unread = report.no_directory, report.unread, report.damaged, report.subscription_notes
    return any(counts) or any(reported) or any(unread)


def _as_json(report: SweepReport, policy: Policy, *, dry_run: bool) -> dict[str, Any]:
    return {
        "version": 1,
        "dryRun": dry_run,
        "policy": policy.digest,
        "summary": {
            "listed": report.listed,
            "drifted": report.drifted,
            "missing": report.missing,
            "identities": report.identities,
            "deletedGrants": report.deleted_grants,
            "assignments": report.assignments,
        },
        "orphans": [_orphan(orphan) for orphan in report.orphans],
        "nearLimit": report.near_limit,
        "unusedIdentities": list(report.unused_identities),
        "unlistedIdentities": list(report.unlisted_identities),
        "rolesGone": list(report.roles_gone),
        "noDirectory": report.no_directory,
        "unseenSubscriptions": list(report.unseen),
        "partlySeenSubscriptions": sorted(report.partly_seen),
        "unread": list(report.unread),
        "damaged": list(report.damaged),
        "subscriptionNotes": list(report.subscription_notes),
    }


def _orphan(orphan: Orphan) -> dict[str, Any]:
    assignment = orphan.assignment
    return {
        "kind": orphan.kind.value,
        "assignment": assignment.id,
        "scope": assignment.scope,
        "role": role_as_json(assignment.role_id),
        "principalId": assignment.principal_id,
        "owner": str(orphan.owner) if orphan.owner is not None else None,
        "evidence": list(orphan.evidence),
        "held": orphan.held,
    }


def _show(report: SweepReport, terminal: Terminal, *, dry_run: bool) -> None:
    for orphan in report.orphans:
        _show_orphan(orphan, terminal)
    for identity in report.unused_identities:
        terminal.show(("unused   ", "yellow"), f"  identity {identity}")
    style = "yellow" if _finds_something(report) else "green"
    terminal.show((describe(report), style))
    terminal.show(("nothing was changed" if dry_run else "put on the app's queue", "dim"))


def _show_orphan(orphan: Orphan, terminal: Terminal) -> None:
    """Its evidence whole, as wide as it is: in no column that could be too narrow for it."""
    assignment = orphan.assignment
    what = f"{role_name(assignment.role_id)} at {short(assignment.scope)}"
    fate = ("held", "magenta") if orphan.held else ("to remove", "red")
    terminal.show(fate, f"  {orphan.kind}  {what}")
    terminal.show((f"    principal {assignment.principal_id}", "dim"))
    for each in orphan.evidence:
        terminal.show(f"    · {each}")
    if orphan.held:
        terminal.show((f"    held: {orphan.held}", "magenta"))


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
