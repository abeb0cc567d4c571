"""A plan in groups: what is done to many resources alike is one line, and what is made once is
shown once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lanyard.cli.frame.lines import Line
from lanyard.cli.frame.names import short
from lanyard.cli.plan.batch import Looked
from lanyard.desk.look_ahead import Preview
from lanyard.planning.actions import (
    Action,
    AssignRole,
    CreateIdentity,
    ReattachIdentity,
    ReleaseGrant,
    ReplaceIdentity,
    UpgradeInstances,
    changes_identity,
    is_removal,
)
from lanyard.planning.blocked import why_blocked
from lanyard.values.grants import shown_condition
from lanyard.values.roles import role_name

_ORDER = "+~-‖!i"


class _Alike(NamedTuple):
    mark: str
    what: str
    rules: tuple[str, ...]
    notes: tuple[str, ...] = ()


def lines(looked: Sequence[Looked]) -> list[Line]:
    """What is given, changed, taken, held, not possible, and to know; most resources first within
    each.
    """
    found: defaultdict[_Alike, dict[str, bool]] = defaultdict(dict)
    for each in looked:
        if each.preview is not None:
            for alike, restarts in _parts(each.preview):
                found[alike][str(each.id)] = restarts
    made = [_line(alike, resources) for alike, resources in found.items()]
    return sorted(made, key=lambda line: (_ORDER.index(line.mark), -len(line.ids)))


def _line(alike: _Alike, resources: dict[str, bool]) -> Line:
    ids = () if alike.what.startswith("create ") else tuple(resources)
    restarts = sum(resources.values())
    return Line(
        mark=alike.mark,
        what=alike.what,
        rules=alike.rules,
        ids=ids,
        restarts=restarts,
        notes=alike.notes,
    )


def _parts(preview: Preview) -> Iterator[tuple[_Alike, bool]]:
    for action in preview.verdict.allowed:
        restarts = preview.restarts and changes_identity(action)
        yield _Alike(mark(action), brief(action), _rules(action), _effects(action)), restarts
    for held in preview.verdict.held:
        notes = (f"held: {held.reason}", f"to release it: {held.release}")
        yield _Alike("‖", brief(held.action), _rules(held.action), notes), False
    for identity in preview.plan.blocked:
        why = why_blocked(identity, preview.plan).reason
        yield _Alike("!", f"attach identity {identity.id.name}", identity.rules, (why,)), False
    for problem in preview.wanted.unfulfillable:
        yield _Alike("!", f"{problem.part}: {problem.reason}", (problem.rule,)), False
    if preview.at_work and preview.verdict.allowed:
        yield _Alike("~", f"waits while Azure is at work on it ({preview.at_work})", ()), False
    for note in preview.notes:
        yield _Alike("i", note, ()), False


def mark(action: Action) -> str:
    """Whether it gives ("+"), changes ("~") or takes ("-")."""
    if isinstance(action, ReattachIdentity | ReplaceIdentity | UpgradeInstances):
        return "~"
    return "-" if is_removal(action) else "+"


def brief(action: Action) -> str:
    """The action with short ids."""
    match action:
        case AssignRole():
            to = action.to
            on = f" on condition {shown_condition(action.condition)}" if action.condition else ""
            return f"assign {role_name(action.role_id)} at {short(action.scope)} to {to}{on}"
        case ReleaseGrant(grant=grant):
            return f"unassign {role_name(grant.role_id)} at {short(grant.scope)}"
        case CreateIdentity():
            return f"create identity {short(action.id.text)} in {action.location}"
    return str(action)


def _effects(action: Action) -> tuple[str, ...]:
    if isinstance(action, ReplaceIdentity):
        return (f"this replaces {action.old}, the identity that it works with",)
    return ()


def _rules(action: Action) -> tuple[str, ...]:
    return tuple(getattr(action, "rules", ()))
