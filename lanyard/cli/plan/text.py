"""A plan for people: what would be done to which resources, by which rule, and what is not."""

from collections.abc import Sequence

from lanyard.cli.frame.lines import show_line
from lanyard.cli.frame.terminal import Part, Terminal
from lanyard.cli.plan.batch import Looked
from lanyard.cli.plan.groups import lines, mark
from lanyard.desk.look_ahead import Preview
from lanyard.planning.actions import Action
from lanyard.planning.blocked import why_blocked
from lanyard.planning.verdict import Held

_STYLES = {"+": "green", "~": "yellow", "-": "red"}


def show(looked: Sequence[Looked], terminal: Terminal, *, full: bool) -> None:
    """What could not be read; then what is alike as one line, or with `full` each resource with its
    whole id and a line for each part of its plan.
    """
    for each in looked:
        if each.preview is None:
            terminal.error(each.error)
        elif full:
            _show_resource(each.preview, terminal)
    for line in lines(looked) if not full else ():
        show_line(line, terminal)


def _show_resource(preview: Preview, terminal: Terminal) -> None:
    parts = _lines(preview)
    if not parts:
        return
    terminal.show((str(preview.resource.id), "bold"))
    for part in parts:
        terminal.show("  ", *part)


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
    sign = mark(action)
    return [(f"{sign} {action}", _STYLES[sign]), _rules(getattr(action, "rules", ()))]


def _held(held: Held) -> list[list[Part]]:
    return [
        [(f"‖ {held.action}", "magenta"), _rules(getattr(held.action, "rules", ()))],
        [f"    held: {held.reason}"],
        [f"    to release it: {held.release}"],
    ]


def _rules(rules: tuple[str, ...]) -> Part:
    return (f"  (rule: {'; '.join(rules)})" if rules else "", "dim")
