"""A scan for people at a terminal: tables of 80 columns, the longest lists cut short."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from lanyard.cli.frame.shown import shown
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.plan.counts import Counts, in_words
from lanyard.cli.scan.words import Places, most_important_first
from lanyard.desk.scan.holders import HolderKind

type Json = dict[str, Any]

_MOST = 10
_HEADS = {
    HolderKind.SYSTEM: "system",
    HolderKind.USER_ASSIGNED: "user-as.",
    HolderKind.APPLICATION: "apps",
    HolderKind.USER: "people",
    HolderKind.GROUP: "groups",
    HolderKind.UNKNOWN: "gone",
    HolderKind.UNDETERMINED: "unclear",
}
_NOT_DETERMINED = "Orphaned assignments: not determined, because the directory could not be asked."
_ADVICE = (
    "Sign in as a member of the tenant, or with Directory.Read.All, to have them told apart: "
    "{count} assignments are of service principals that no resource shows."
)


def tell(document: Json, changes: Counts | None, terminal: Terminal) -> None:
    """All of it, on standard output."""
    _tell_compute(document, terminal)
    _tell_subscriptions(document, terminal)
    places = Places(document)
    _tell_identities(document, places, terminal)
    _tell_privileged(document["privileged"], places, terminal)
    _tell_orphans(document["orphans"], places, terminal)
    if changes is not None:
        _tell_policy(document["policy"], changes, terminal)


def _tell_compute(document: Json, terminal: Terminal) -> None:
    summary = document["summary"]
    title = (
        f"{summary['compute']:,} compute resources, {summary['withoutIdentity']:,} without identity"
    )
    table = _table("Compute", "total", "none", "system", "user-as.", "both")
    for row in document["compute"]:
        counts = [row[name] for name in ("total", "none", "system", "user", "both")]
        _add(table, row["type"].removeprefix("Microsoft."), counts)
    _section(title, table, terminal)


def _tell_subscriptions(document: Json, terminal: Terminal) -> None:
    summary, above = document["summary"], document["aboveSubscriptions"]
    told = [kind for kind in HolderKind if _any_holds(kind, document)]
    table = _table("Held by", *(_HEADS[kind] for kind in told), "all", "of 4,000")
    for row in document["subscriptions"]:
        name = shown(row["name"]) or row["id"]
        share = Text(f"{row['assignments'] / row['limit']:.0%}")
        if row["nearLimit"]:
            share.stylize("bold red")
        _add(table, name, [row["holders"][kind] for kind in told] + [row["assignments"]], share)
    if above["assignments"]:
        counts = [above["holders"][kind] for kind in told]
        _add(table, "above subscriptions", [*counts, above["assignments"]], Text(""))
    title = (
        f"{summary['assignments']:,} role assignments in {summary['subscriptions']:,} subscriptions"
    )
    _section(title, table, terminal)


def _any_holds(kind: HolderKind, document: Json) -> bool:
    rows = [*document["subscriptions"], document["aboveSubscriptions"]]
    return any(row["holders"][kind] for row in rows)


def _tell_identities(document: Json, places: Places, terminal: Terminal) -> None:
    summary, identities = document["summary"], document["identities"]
    title = f"{summary['identities']:,} user-assigned identities"
    unused, shared = summary["unusedIdentities"], summary["sharedIdentities"]
    terminal.say((title, "bold"), f", {unused:,} attached to nothing, {shared:,} to ten or more")
    for rows in (identities["unused"], identities["shared"]):
        for row in rows[:_MOST]:
            uses = f"on {row['resources']:,}" if row["resources"] else "unused"
            holds = f"  {row['assignments']:,} role{'' if row['assignments'] == 1 else 's'}"
            terminal.say(f"  {uses:>8}  {shown(_identity(row['id'], places))}", (holds, "dim"))
        _tell_rest(rows, terminal)
    terminal.say("")


def _identity(resource_id: str, places: Places) -> str:
    return places.full(resource_id).replace("/userAssignedIdentities/", "/")


def _tell_privileged(rows: Sequence[Json], places: Places, terminal: Terminal) -> None:
    title = f"{len(rows):,} privileged assignments of managed identities"
    terminal.say((title, "bold red" if rows else "bold"))
    for row in most_important_first(rows)[:_MOST]:
        resource = row["holder"]["resource"]
        who = places.full(resource) if resource else row["principalId"]
        terminal.say(f"  {shown(row['role']['name'])} at {shown(places.full(row['scope']))}")
        terminal.say((f"      {shown(who)}: {row['privileged']}", "dim"))
    _tell_rest(rows, terminal)
    terminal.say("")


def _tell_orphans(orphans: Json, places: Places, terminal: Terminal) -> None:
    if not orphans["determined"]:
        terminal.say((_NOT_DETERMINED, "bold yellow"))
        terminal.say(f"  {shown(orphans['reason'])}")
        terminal.say(f"  {_ADVICE.format(count=orphans['undetermined'])}")
        return
    rows = orphans["assignments"]
    title = f"{len(rows):,} orphaned role assignments"
    terminal.say((title, "bold red" if rows else "bold"), _ages(orphans))
    for row in most_important_first(rows)[:_MOST]:
        age = "" if row["ageDays"] is None else f"{row['ageDays']:,} d"
        what = f"{shown(row['role']['name'])} at {shown(places.full(row['scope']))}"
        why = f": {row['privileged']}" if row["privileged"] else ""
        terminal.say(f"  {age:>7}  {what}", (why, "red"))
        terminal.say((f"           principal {row['principalId']}", "dim"))
    _tell_rest(rows, terminal)
    for evidence in rows[0]["evidence"] if rows else ():
        terminal.say((f"  evidence: {evidence}", "dim"))


def _ages(orphans: Json) -> str:
    told = [f"{each['age']}: {each['count']:,}" for each in orphans["byAge"] if each["count"]]
    return f"\n  {', '.join(told)}" if told else ""


def _tell_policy(policy: Json, changes: Counts, terminal: Terminal) -> None:
    terminal.say("")
    terminal.say(("By this policy", "bold"), f" (mode {policy['mode']}): {in_words(changes)}")
    note = "By the listing: no resource was read by itself. `lanyard plan` does, and names each."
    terminal.say((f"  {note}", "dim"))


def _tell_rest(rows: Sequence[Json], terminal: Terminal) -> None:
    if len(rows) > _MOST:
        terminal.say((f"  … and {len(rows) - _MOST:,} more: --json or --html has all", "dim"))


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", width=78)
    table.add_column(f"  {first}", no_wrap=True, overflow="ellipsis", ratio=1)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _add(table: Table, name: str, counts: Sequence[int], *more: Text) -> None:
    cells = [Text(f"{number:,}", style="" if number else "dim") for number in counts]
    table.add_row(Text(f"  {name}"), *cells, *more)


def _section(title: str, table: Table, terminal: Terminal) -> None:
    terminal.say((title, "bold"))
    terminal.show(table)
    terminal.say("")
