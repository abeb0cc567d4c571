"""What `lanyard adopt` found and did, for people."""

from rich.table import Table

from lanyard.cli.adopt.found import Found, whose
from lanyard.cli.frame.names import counted, short
from lanyard.cli.frame.terminal import Part, Terminal, cell
from lanyard.desk.adoption.candidates import Assigned, Attached, Candidate
from lanyard.values.roles import role_name


def show(found: Found, terminal: Terminal, *, planned: bool) -> None:
    """A table of what was found, and what came of it."""
    if found.items:
        terminal.table(_table(found, planned=planned))
    for id_, why in found.unread.items():
        terminal.error(f"{short(id_)}: {why}")
    for damage in found.damaged:
        terminal.error(f"left alone: {damage}")
    for item in found.items:
        if error := found.errors.get(item.what.key):
            terminal.error(f"{_named(item.what)}: {error}")
    terminal.show((_summary(found, planned=planned), "red" if found.failed else "dim"))


def _table(found: Found, *, planned: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    for title, share in (("what", 4), ("whose now", 3), ("rule", 2), ("", 3)):
        table.add_column(title, ratio=share, overflow="fold")
    for item in found.items:
        table.add_row(
            cell(_named(item.what), (_for_whom(item), "dim")),
            cell(whose(item.what) or "not known"),
            cell(", ".join(item.rules)),
            cell(_became(item, found, planned=planned)),
        )
    return table


def _named(what: Assigned | Attached) -> str:
    match what:
        case Assigned(grant=grant):
            return f"{role_name(grant.role_id)} at {short(grant.scope)} for {grant.principal_id}"
        case Attached(identity=identity):
            return f"identity {identity.name}"


def _for_whom(item: Candidate) -> str:
    if not item.resources:
        return "no resource claims it"
    first = short(str(item.resources[0]))
    more = len(item.resources) - 1
    return f"{first} and {counted(more, 'more resource')}" if more else first


def _became(item: Candidate, found: Found, *, planned: bool) -> Part:
    if item.refused:
        return f"not adopted: {item.refused}", "yellow"
    if item.what.key in found.errors:
        return "failed", "red"
    if planned or item.what.key not in found.done:
        return "would be released" if found.release else "would be adopted"
    return ("released" if found.release else "adopted"), "green"


def _summary(found: Found, *, planned: bool) -> str:
    due, verb = len(found.due), "released" if found.release else "adopted"
    refused = len(found.items) - due
    counts = f"{due} to be {verb}" if planned else f"{len(found.done)} of {due} {verb}"
    return f"adopt: {counts}" + (f", {refused} not" if refused else "")
