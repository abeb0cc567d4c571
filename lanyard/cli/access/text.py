"""Who has access, for people: by where it was given, then by role; everybody by name."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from lanyard.cli.frame.layout import filled
from lanyard.cli.frame.names import counted, short
from lanyard.cli.frame.terminal import Terminal

type Json = dict[str, Any]

#: Lists of names are laid out to it, in a pipe, too.
_WIDTH = 78
_KINDS = {
    "systemAssigned": "system-assigned identity",
    "userAssigned": "user-assigned identity",
    "application": "application",
    "user": "user",
    "group": "group",
    "unknown": "unknown to the directory",
    "undetermined": "service principal",
}
_WHERE = {"at": "At it", "above": "Above it, at", "below": "Below it, at"}
_BY = {
    "lanyard": "Lanyard's",
    "anotherLanyard": "of another Lanyard",
    "putBack": "not Lanyard's: put back, and kept, by a person",
    "others": "not Lanyard's",
}
_APPS = "the app's own"
_STYLES = {"lanyard": "green"}
_NOT_LISTED = (
    "! Resource Graph does not list it: it is new, of a type that is not listed, or its id is "
    "wrong. What is above it counts all the same."
)
_BESIDE = "Keys, access policies of vaults and eligible assignments are not among these."


def show(document: Json, terminal: Terminal) -> None:
    """All of it, on standard output."""
    terminal.show(("Who has access to ", "bold"), (document["target"], "bold"))
    if not document["listed"]:
        terminal.report((_NOT_LISTED, "yellow"))
    for (where, scope), held in groupby(document["access"], lambda e: (e["where"], e["scope"])):
        _show_scope(where, scope, list(held), terminal)
    terminal.show("")
    directory = document["directory"]
    if not directory["read"]:
        reason = f"! names are not shown: {directory['reason']}"
        terminal.report((reason, "yellow"))
    _sum_up(document, terminal)


def _show_scope(where: str, scope: str, held: Sequence[Json], terminal: Terminal) -> None:
    terminal.show("")
    named = "" if where == "at" else f" {_scope(held[0]['level'], scope)}"
    terminal.show((f"{_WHERE[where]}{named}:", "bold"))
    for role, having in groupby(held, lambda each: each["role"]["name"]):
        terminal.show(f"  {role}")
        for each in having:
            _show_holder(each, terminal)


def _scope(level: str, scope: str) -> str:
    return level if level == "tenant root" else f"{level} {_last(level, scope)}"


def _last(level: str, scope: str) -> str:
    return short(scope) if level == "resource" else scope.rpartition("/")[2]


def _show_holder(each: Json, terminal: Terminal) -> None:
    holder = each["holder"]
    whose = f"  {_APPS if each['heldByTheApp'] else _BY[each['by']]}{_by_rules(each)}"
    terminal.show(
        f"    {_name(each)}",
        (f"  {_KINDS[holder['kind']]}", "dim"),
        (whose, "green" if each["heldByTheApp"] else _STYLES.get(each["by"], "yellow")),
    )
    for note in _notes(each):
        for line in filled(note, _WIDTH, "      ", "      "):
            terminal.show((line, "dim"))


def _name(each: Json) -> str:
    """What people know it by: the resource of an identity, what a user signs in as, else a name."""
    holder = each["holder"]
    if holder["resource"]:
        return short(holder["resource"]).replace("/userAssignedIdentities/", "/")
    return str(holder["signsInAs"] or holder["name"] or each["principalId"])


def _by_rules(each: Json) -> str:
    rules = [f"{one['name']} ({one['place']})" for one in each["rules"] or ()]
    if rules:
        asks = "rule" if each["by"] == "lanyard" else "the same is asked for by rule"
        return f", {asks}: {'; '.join(rules)}"
    return ", no rule asks for it" if each["by"] == "lanyard" and each["rules"] == [] else ""


def _notes(each: Json) -> Iterator[str]:
    holder = each["holder"]
    if having := holder["resources"]:
        yield f"on {', '.join(map(short, having))}"
    elif holder["kind"] == "userAssigned" and holder["resource"]:
        yield "on no resource that can be read"
    if holder["members"] is not None:
        names = [one["signsInAs"] or one["name"] or one["principalId"] for one in holder["members"]]
        yield f"members: {', '.join(names) or 'none'}"
    if holder["membersUnread"]:
        yield f"its members are not known: {holder['membersUnread']}"
    if each["condition"]:
        yield f"only if {each['condition']}"
    if _name(each) != each["principalId"]:
        yield f"object id {each['principalId']}"


def _sum_up(document: Json, terminal: Terminal) -> None:
    summary = document["summary"]
    places = ", ".join(f"{summary[name]:,} {name} it" for name in ("at", "above", "below"))
    total = counted(len(document["access"]), "role assignment")
    terminal.show(f"access: {total}, {places}; {summary['lanyard']:,} Lanyard's")
    terminal.show((_BESIDE, "dim"))
