"""What a scan counts, by name: each of its lists whole, the ids a line each, so that `--quiet`
gives what other commands and programs take.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lanyard.cli.frame.names import counted
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.scan.words import Places, most_important_first

type Json = dict[str, Any]


class Listing(StrEnum):
    """Which list."""

    WITHOUT_IDENTITY = "without-identity"
    ORPHANED = "orphaned"
    PRIVILEGED = "privileged"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class _Line:
    """An id, and what to know of it."""

    id: str
    notes: tuple[str, ...] = ()


def show_listing(listing: Listing, document: Json, terminal: Terminal) -> None:
    """All of it, on standard output."""
    orphans = document["orphans"]
    if listing is Listing.ORPHANED and not orphans["determined"]:
        terminal.report((f"not determined: {orphans['reason']}", "bold yellow"))
        return
    title, lines_of = _LISTINGS[listing]
    lines = list(lines_of(document))
    terminal.show((f"{len(lines):,} {title}", "bold"))
    for line in lines:
        terminal.report(line.id)
        for note in line.notes:
            terminal.show((f"    {note}", "dim"))


def _without(document: Json) -> Iterator[_Line]:
    return (_Line(each["id"]) for each in document["withoutIdentity"])


def _unused(document: Json) -> Iterator[_Line]:
    for each in document["identities"]["unused"]:
        yield _Line(each["id"], (f"holds {counted(each['assignments'], 'role')}",))


def _orphaned(document: Json) -> Iterator[_Line]:
    places = Places(document)
    for each in most_important_first(document["orphans"]["assignments"]):
        age = "" if each["ageDays"] is None else f", made {each['ageDays']:,} days ago"
        who = f"of principal {each['principalId']}{age}"
        yield _Line(each["assignment"], (*_what(each, places), who, *each["evidence"]))


def _privileged(document: Json) -> Iterator[_Line]:
    places = Places(document)
    for each in most_important_first(document["privileged"]):
        who = each["holder"]["resource"] or each["principalId"]
        yield _Line(each["assignment"], (*_what(each, places), f"held by {who}"))


def _what(each: Json, places: Places) -> Iterator[str]:
    yield f"{each['role']['name']} at {places.full(each['scope'])}"
    if each["privileged"]:
        yield f"privileged: {each['privileged']}"


_LISTINGS: dict[Listing, tuple[str, Callable[[Json], Iterator[_Line]]]] = {
    Listing.WITHOUT_IDENTITY: ("compute resources without identity", _without),
    Listing.ORPHANED: ("orphaned role assignments", _orphaned),
    Listing.PRIVILEGED: ("privileged assignments of managed identities", _privileged),
    Listing.UNUSED: ("user-assigned identities that nothing has", _unused),
}
