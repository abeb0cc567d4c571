"""Why something has access, for people."""

from collections.abc import Mapping

from lanyard.cli.explain.explanation import Attached, Explanation
from lanyard.cli.explain.why import Claim, Why
from lanyard.cli.frame.held_entries import shown_answer, shown_reasons
from lanyard.cli.frame.names import short
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import shown_time
from lanyard.record.held import Entry
from lanyard.values.grants import shown_condition

# So many rules that are not for a resource are shown, and so many users of an identity: there may
# be thousands.
_NEAREST, _USERS = 5, 20
_KINDS = {"servicePrincipal": "service principal"}


def show(explanation: Explanation, places: Mapping[str, str], terminal: Terminal) -> None:
    """All of it. `places`: where each rule stands."""
    terminal.show((explanation.id, "bold"))
    if (known := explanation.known) is not None:
        terminal.show(f"  {known.name}", (f"  {_KINDS.get(known.kind, known.kind)}", "dim"))
    _show_what_keeps(explanation, places, terminal)
    for identity in explanation.identities:
        _show_identity(identity, explanation, places, terminal)
    _show_users(explanation.had_by, terminal)
    for why in explanation.assignments:
        _show_assignment(why, places, terminal)
    if not explanation.assignments:
        terminal.show(("  holds no role", "green"))
    for entry in explanation.held:
        _show_held(entry, explanation, terminal)
    _show_misses(explanation, places, terminal)
    for damage in explanation.damaged:
        terminal.report((f"! left alone: {damage}", "yellow"))


def _show_held(entry: Entry, explanation: Explanation, terminal: Terminal) -> None:
    whose = "" if entry.resource.text == explanation.id else f"  {short(entry.resource.text)}"
    answer = f"  {answered}" if (answered := shown_answer(entry)) else ""
    head = (f"  ‖ {entry.refusal.action}", "magenta"), (whose, "dim"), (answer, "green")
    terminal.show(*head)
    for line in shown_reasons(entry):
        terminal.show(f"      {line}")


def _show_what_keeps(
    explanation: Explanation, places: Mapping[str, str], terminal: Terminal
) -> None:
    if explanation.managed_by:
        terminal.show((f"  managed by another service: {explanation.managed_by}", "dim"))
    for rule, because in explanation.excluded_by.items():
        terminal.show((f"  excluded by rule {_placed(rule, places)}: {because}", "yellow"))
        terminal.show(("    it keeps what it has of that rule, and gets nothing new", "dim"))
    for rule in explanation.undecided:
        unknown = "its subscription's name or management groups are not known: it keeps what it has"
        named = _placed(rule, places)
        terminal.show((f"  {unknown}, and gets nothing new, of rule {named}", "yellow"))
    for one in explanation.keeps_all:
        why_all = f"{one.part} of rule {one.rule}: {one.reason}"
        terminal.show((f"  keeps everything that Lanyard gave it: {why_all}", "dim"))


def _show_identity(
    identity: Attached, explanation: Explanation, places: Mapping[str, str], terminal: Terminal
) -> None:
    name = "system-assigned identity" if identity.id == "system" else short(identity.id)
    by = "attached by Lanyard" if identity.by_lanyard else "not attached by Lanyard"
    note = "" if explanation.had_by is not None else f"  {by}{_by_rules(identity.rules, places)}"
    terminal.show(f"  {name}", (note, "dim"))
    terminal.show((f"    object id {identity.principal or 'not shown by Azure yet'}", "dim"))


def _show_users(had_by: tuple[str, ...] | None, terminal: Terminal) -> None:
    if had_by is None:
        return
    for user in had_by[:_USERS]:
        terminal.show(f"  attached to {user}")
    if (more := len(had_by) - _USERS) > 0:
        terminal.show((f"  and to {more} more: see --json", "dim"))
    if not had_by:
        terminal.show(("  attached to nothing that is listed", "yellow"))


def _show_misses(explanation: Explanation, places: Mapping[str, str], terminal: Terminal) -> None:
    for one in explanation.not_for[:_NEAREST]:
        terminal.show(f"  rule {_placed(one.rule, places)} is not for it")
        for miss in one.misses:
            terminal.show((f"    {miss}", "dim"))
    if (more := len(explanation.not_for) - _NEAREST) > 0:
        terminal.show((f"  nor are {more} more rules for its type: see --json", "dim"))


def _show_assignment(why: Why, places: Mapping[str, str], terminal: Terminal) -> None:
    assignment = why.assignment
    whose = ("Lanyard's", "green") if why.lanyards else ("not Lanyard's", "yellow")
    whose = ("Lanyard's, adopted", "green") if why.adopted else whose
    what = f"  {why.role} at {assignment.scope}  "
    terminal.show((what, "bold"), whose)
    terminal.show((f"    {assignment.id}", "dim"))
    for claim in why.claims:
        terminal.show(f"    claimed by {claim.resource}{_by_rules(claim.rules, places)}")
        if claim.decision is not None:
            terminal.show((f"      given {_after(claim)}", "dim"))
    if why.condition_changed:
        given = shown_condition(assignment.condition)
        changed = f"somebody changed its condition, to {given}: the next sweep puts it back"
        terminal.show((f"    {changed}", "yellow"))
    if why.otherwise:
        terminal.show((f"    {why.otherwise}", "yellow"))
    if why.kept_by:
        terminal.show(f"    kept by {why.kept_by}, who had its removal undone")
    for way in why.ways_out():
        terminal.show((f"    to go: {way}", "dim"))


def _by_rules(rules: tuple[str, ...], places: Mapping[str, str]) -> str:
    return f", rule: {'; '.join(_placed(rule, places) for rule in rules)}" if rules else ""


def _placed(rule: str, places: Mapping[str, str]) -> str:
    return f"{rule} ({places[rule]})" if rule in places else rule


def _after(claim: Claim) -> str:
    assert claim.decision is not None
    cause = claim.decision.decision.cause
    words = [cause.get("eventType") or cause.get("source", ""), cause.get("correlationId", "")]
    return f"{shown_time(claim.decision.at)}, after {' '.join(filter(None, words))}"
