"""A scan for people at a terminal: tables of 80 columns, the longest lists cut short."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len

from lanyard.cli.frame.names import counted
from lanyard.cli.frame.terminal import Part, Terminal
from lanyard.cli.plan.counts import Counts, in_words
from lanyard.cli.scan.words import Places, most_important_first
from lanyard.desk.scan.holders import HolderKind
from lanyard.values.shown import shown

type Json = dict[str, Any]
#: A name, and what stands behind it.
type Row = tuple[str, Sequence[Part]]

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
    "Sign in as a member of the tenant, or with Directory.Read.All, to have them determined: "
    "{count} assignments are of service principals that no resource shows."
)


def show(document: Json, changes: Counts | None, terminal: Terminal) -> None:
    """All of it, on standard output."""
    _show_compute(document, terminal)
    _show_subscriptions(document, terminal)
    places = Places(document)
    _show_identities(document, places, terminal)
    _show_privileged(document["privileged"], places, terminal)
    _show_orphans(document["orphans"], places, terminal)
    if changes is not None:
        _show_policy(document["policy"], changes, terminal)
    for damage in document["record"]["damaged"] if document["record"] else ():
        terminal.report((f"! left alone: {damage}", "yellow"))


def _show_compute(document: Json, terminal: Terminal) -> None:
    summary = document["summary"]
    title = (
        f"{summary['compute']:,} compute resources, {summary['withoutIdentity']:,} without identity"
    )
    rows = [
        (
            row["type"].removeprefix("Microsoft."),
            _counts(row[name] for name in ("total", "none", "system", "user", "both")),
        )
        for row in document["compute"]
    ]
    heads = ("total", "none", "system", "user-as.", "both")
    _section(title, ("Compute", heads), rows, terminal)
    if summary["withoutIdentity"]:
        terminal.show(("  which have none: --show without-identity", "dim"))
        terminal.show("")


def _show_subscriptions(document: Json, terminal: Terminal) -> None:
    summary, above = document["summary"], document["aboveSubscriptions"]
    kinds = [kind for kind in HolderKind if _any_holds(kind, document)]
    rows = [_held_in(row, kinds) for row in document["subscriptions"]]
    if above["assignments"]:
        counts = [above["holders"][kind] for kind in kinds]
        rows.append(("above subscriptions", [*_counts([*counts, above["assignments"]]), ""]))
    heads = (*(_HEADS[kind] for kind in kinds), "all", "of 4,000")
    title = (
        f"{summary['assignments']:,} role assignments in {summary['subscriptions']:,} subscriptions"
    )
    _section(title, ("Held by", heads), rows, terminal)


def _held_in(row: Json, kinds: Sequence[HolderKind]) -> Row:
    counts = [*(row["holders"][kind] for kind in kinds), row["assignments"]]
    share = f"{row['assignments'] / row['limit']:.0%}"
    near = (share, "bold red") if row["nearLimit"] else share
    return row["name"] or row["id"], [*_counts(counts), near]


def _any_holds(kind: HolderKind, document: Json) -> bool:
    rows = [*document["subscriptions"], document["aboveSubscriptions"]]
    return any(row["holders"][kind] for row in rows)


def _show_identities(document: Json, places: Places, terminal: Terminal) -> None:
    summary, identities = document["summary"], document["identities"]
    title = f"{summary['identities']:,} user-assigned identities"
    unused, shared = summary["unusedIdentities"], summary["sharedIdentities"]
    terminal.show((title, "bold"), f", {unused:,} attached to nothing, {shared:,} to ten or more")
    lists = {"--show unused": identities["unused"], "--json": identities["shared"]}
    for option, rows in lists.items():
        for row in rows[:_MOST]:
            uses = f"on {row['resources']:,}" if row["resources"] else "unused"
            holds = f"  {counted(row['assignments'], 'role')}"
            terminal.show(f"  {uses:>8}  {_identity(row['id'], places)}", (holds, "dim"))
        _show_rest(rows, terminal, option)
    terminal.show("")


def _identity(resource_id: str, places: Places) -> str:
    return places.full(resource_id).replace("/userAssignedIdentities/", "/")


def _show_privileged(rows: Sequence[Json], places: Places, terminal: Terminal) -> None:
    title = f"{len(rows):,} privileged assignments of managed identities"
    terminal.show((title, "bold red" if rows else "bold"))
    for row in most_important_first(rows)[:_MOST]:
        resource = row["holder"]["resource"]
        who = places.full(resource) if resource else row["principalId"]
        terminal.show(f"  {row['role']['name']} at {places.full(row['scope'])}")
        terminal.show((f"      {who}: {row['privileged']}", "dim"))
    _show_rest(rows, terminal, "--show privileged")
    terminal.show("")


def _show_orphans(orphans: Json, places: Places, terminal: Terminal) -> None:
    if not orphans["determined"]:
        terminal.show((_NOT_DETERMINED, "bold yellow"))
        terminal.show(f"  {orphans['reason']}")
        terminal.show(f"  {_ADVICE.format(count=orphans['undetermined'])}")
        return
    rows = orphans["assignments"]
    title = f"{len(rows):,} orphaned role assignments"
    terminal.show((title, "bold red" if rows else "bold"))
    if ages := _ages(orphans):
        terminal.show(f"  {ages}")
    for row in most_important_first(rows)[:_MOST]:
        age = "" if row["ageDays"] is None else f"{row['ageDays']:,} d"
        what = f"{row['role']['name']} at {places.full(row['scope'])}"
        why = f": {row['privileged']}" if row["privileged"] else ""
        terminal.show(f"  {age:>7}  {what}", (why, "red"))
        terminal.show((f"           principal {row['principalId']}", "dim"))
    _show_rest(rows, terminal, "--show orphaned")
    for evidence in rows[0]["evidence"] if rows else ():
        terminal.show((f"  evidence: {evidence}", "dim"))


def _ages(orphans: Json) -> str:
    ages = [f"{age['age']}: {age['count']:,}" for age in orphans["byAge"] if age["count"]]
    return ", ".join(ages)


def _show_policy(policy: Json, changes: Counts, terminal: Terminal) -> None:
    terminal.show("")
    terminal.show(("By this policy", "bold"), f" (mode {policy['mode']}): {in_words(changes)}")
    note = "By the listing: no resource was read by itself. `lanyard plan` does, and names each."
    terminal.show((f"  {note}", "dim"))
    for odd in policy["subscriptionNotes"]:
        terminal.show((f"  {odd}", "yellow"))


def _show_rest(rows: Sequence[Json], terminal: Terminal, show: str) -> None:
    if len(rows) > _MOST:
        terminal.show((f"  … and {len(rows) - _MOST:,} more: {show} has all", "dim"))


def _counts(numbers: Iterable[int]) -> list[Part]:
    return [f"{number:,}" if number else ("0", "dim") for number in numbers]


def _section(
    title: str, heads: tuple[str, Sequence[str]], rows: Sequence[Row], terminal: Terminal
) -> None:
    """Numbers below each other. A name that has no room beside them stands above them, whole."""
    first, others = heads
    columns = zip(others, *(cells for _, cells in rows), strict=True)
    widths = [max(cell_len(_text(each)) for each in column) for column in columns]
    longest = max(cell_len(shown(name)) for name in (first, *(name for name, _ in rows)))
    fits = longest + 2 + sum(widths) + 2 * len(widths) <= terminal.width
    widths = [width + (2 if fits else 1) for width in widths]
    room = max(min(longest + 2, terminal.width - sum(widths)), 0)
    terminal.show((title, "bold"))
    for name, cells in [(first, [(head, "dim") for head in others]), *rows]:
        numbers = [
            (f"{_text(each):>{width}}", _style(each))
            for each, width in zip(cells, widths, strict=True)
        ]
        beside = f"  {shown(name)}"
        if cell_len(beside) > room:
            terminal.show(beside)
            beside = ""
        style = "dim" if name is first else ""
        terminal.show((beside + " " * (room - cell_len(beside)), style), *numbers)
    terminal.show("")


def _text(part: Part) -> str:
    return part if isinstance(part, str) else part[0]


def _style(part: Part) -> str:
    return "" if isinstance(part, str) else part[1]
