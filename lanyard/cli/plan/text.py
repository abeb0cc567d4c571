"""A plan for people: what would be done to each resource, by which rule, and what is not."""

from lanyard.cli.frame.terminal import Part, Terminal
from lanyard.cli.plan.batch import Looked
from lanyard.desk.look_ahead import Preview
from lanyard.planning.actions import (
    Action,
    ReattachIdentity,
    ReplaceIdentity,
    UpgradeInstances,
    is_removal,
)
from lanyard.planning.blocked import why_blocked
from lanyard.planning.verdict import Held

NO_REMOVALS = (
    "Removals are not shown: what Lanyard may take away is in its ledger, which a plan does not "
    "read."
)


def show(looked: Looked, terminal: Terminal) -> None:
    """One resource: its id, then a line for each part of its plan."""
    preview = looked.preview
    if preview is None:
        terminal.error(looked.error)
        return
    lines = _lines(preview)
    if not lines:
        return
    terminal.show((str(preview.resource.id), "bold"))
    for line in lines:
        terminal.show("  ", *line)


def _lines(preview: Preview) -> list[list[Part]]:
    lines = [_action(action) for action in preview.verdict.allowed]
    if preview.replaces:
        lines.append([("~ this replaces the identity that it works with", "yellow")])
    if preview.restarts:
        lines.append([("~ this restarts the app", "yellow")])
    if lines and preview.at_work:
        state = f"~ it is {preview.at_work}: Lanyard waits until that has ended"
        lines.append([(state, "yellow")])
    for held in preview.verdict.held:
        lines += _held(held)
    for identity in preview.plan.blocked:
        why = why_blocked(identity, preview.plan).reason
        wait = f"! attach identity {identity.id.name} waits: {why}"
        lines.append([(wait, "yellow"), _rules(identity.rules)])
    for problem in preview.wanted.unfulfillable:
        lines.append(
            [(f"! {f'{problem.part}: {problem.reason}'}", "yellow"), _rules((problem.rule,))]
        )
    lines += [[(f"i {note}", "dim")] for note in preview.notes]
    return lines


def _action(action: Action) -> list[Part]:
    mark, style = "+", "green"
    if isinstance(action, ReattachIdentity | ReplaceIdentity | UpgradeInstances):
        mark, style = "~", "yellow"
    elif is_removal(action):
        mark, style = "-", "red"
    return [(f"{mark} {action}", style), _rules(getattr(action, "rules", ()))]


def _held(held: Held) -> list[list[Part]]:
    return [
        [(f"‖ {held.action}", "magenta"), _rules(getattr(held.action, "rules", ()))],
        [f"    held: {held.reason}"],
        [f"    to release it: {held.release}"],
    ]


def _rules(rules: tuple[str, ...]) -> Part:
    return (f"  (rule: {'; '.join(rules)})" if rules else "", "dim")
