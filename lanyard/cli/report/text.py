"""A report for people at a terminal: the figures beside those of the month before."""

from typing import Any

from rich.table import Table

from lanyard.cli.frame.names import short
from lanyard.cli.frame.terminal import Terminal, cell
from lanyard.cli.report.labels import BY_RULE, FIGURES

type Json = dict[str, Any]

_MOST = 10


def show(document: Json, terminal: Terminal) -> None:
    """All of it, on standard output."""
    so_far = " so far" if document["soFar"] else ""
    terminal.show((f"{document['month']}{so_far} (UTC)", "bold"))
    if (since := begins_late(document)) is not None:
        terminal.show((since, "yellow"))
    if document["onRecord"]:
        terminal.table(_figures(document))
    if document["rules"]:
        terminal.show((f"by rule: {BY_RULE}", "bold"))
        terminal.table(_rules(document))
    _show_waiting(document["waiting"], terminal)
    for damage in document["damaged"]:
        terminal.report((f"! left alone: {damage}", "yellow"))


def begins_late(document: Json) -> str | None:
    """What to know where the record does not reach back to the beginning of the month, or of the
    one before.
    """
    first = document["first"]
    if first is None:
        return "Nothing is on record of this month, nor of the one before."
    begins = f"The record begins at {first[:19].replace('T', ' ')} UTC"
    if not document["onRecord"]:
        return f"{begins}, after this month: what happened in it is not known."
    if first > document["since"]:
        return f"{begins}: nothing older is in this."
    # Each day has its sweeps on record.
    return f"{begins}: the month before is not whole." if first[8:10] != "01" else None


def _figures(document: Json) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column(document["month"], justify="right")
    table.add_column("month before", justify="right", style="dim")
    before = document["before"] or {}
    for name, words in FIGURES.items():
        earlier = f"{before[name]:,}" if name in before else "?"
        table.add_row(words, f"{document['figures'][name]:,}", earlier)
    return table


def _rules(document: Json) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("rule")
    for head in ("given", "held", "removed"):
        table.add_column(head, justify="right")
    for rule in document["rules"]:
        table.add_row(cell(rule["name"]), *(f"{rule[k]:,}" for k in ("given", "held", "removed")))
    return table


def _show_waiting(waiting: list[Json], terminal: Terminal) -> None:
    terminal.show((f"{len(waiting):,} held now", "bold"))
    for entry in waiting[:_MOST]:
        since = entry["since"][:10]
        terminal.show(f"  {entry['id']}  since {since}  {short(entry['resource'])}")
        terminal.show((f"      {entry['action']}: {entry['reason']}", "dim"))
    if len(waiting) > _MOST:
        terminal.show((f"  {len(waiting) - _MOST:,} more: lanyard held", "dim"))
