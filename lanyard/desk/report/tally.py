"""The figures of a month: of all of it, by rule and by day. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lanyard.desk.report.happened import Happening, Line
from lanyard.planning.actions import Given
from lanyard.values.removed import Became

_PUT_BACK = (Became.UNDONE, Became.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How much of what happened in a time."""

    #: Role assignments that were made.
    roles_given: int
    #: Identities that were attached, or switched on.
    identities_attached: int
    #: User-assigned identities that were made.
    identities_made: int
    #: Times that a resource was given a role that its identity had already.
    shared: int
    #: Resources that were given anything.
    resources: int
    #: Of what was given: by a sweep, and not by an event.
    put_right: int
    roles_removed: int
    identities_detached: int
    identities_deleted: int
    #: Of what was removed: by a person, since.
    put_back: int
    #: What was to be removed, and was not.
    not_removed: int
    #: What began to wait for a person or for a change of the policy.
    held: int
    failed: int
    #: By persons, beside the policy.
    decided: int
    #: Versions of the policy that came into force, or were refused.
    policies: int
    sweeps: int
    sweeps_failed: int


@dataclass(frozen=True, slots=True)
class Share:
    """What of a month belongs to one thing: a rule, or a day."""

    name: str
    given: int
    held: int
    removed: int


def figures(lines: Iterable[Line]) -> Figures:
    """Of these lines."""
    lines = list(lines)
    count = Counter((line.happening, line.what) for line in lines)
    given = [line for line in lines if _gives_access(line)]
    swept = [line for line in lines if line.happening is Happening.SWEPT]
    return Figures(
        roles_given=count[Happening.GIVEN, Given.ROLE],
        identities_attached=count[Happening.GIVEN, Given.ATTACHMENT],
        identities_made=count[Happening.GIVEN, Given.IDENTITY],
        shared=count[Happening.SHARED, Given.ROLE],
        resources=len({line.recorded.decision.resource.lower() for line in given}),
        put_right=sum(line.by_sweep for line in given),
        roles_removed=count[Happening.REMOVED, Given.ROLE],
        identities_detached=count[Happening.REMOVED, Given.ATTACHMENT],
        identities_deleted=count[Happening.REMOVED, Given.IDENTITY],
        put_back=sum(line.became in _PUT_BACK for line in lines),
        not_removed=_number(lines, Happening.NOT_REMOVED),
        held=_number(lines, Happening.HELD),
        failed=_number(lines, Happening.FAILED),
        decided=_number(lines, Happening.DECIDED),
        policies=_number(lines, Happening.POLICY),
        sweeps=len(swept),
        sweeps_failed=sum(line.recorded.decision.outcome == "failed" for line in swept),
    )


def by_rule(lines: Iterable[Line]) -> list[Share]:
    """Each rule that gave, held or had given what was removed, by name. What several rules ask for
    counts for each of them.
    """
    return _shares((rule, line) for line in lines for rule in line.recorded.decision.rules)


def by_day(lines: Iterable[Line], days: Sequence[str]) -> list[Share]:
    """Each of these days (`2026-10-01`, UTC), also where nothing happened."""
    found = {share.name: share for share in _shares((_day(line), line) for line in lines)}
    return [found.get(day, Share(day, 0, 0, 0)) for day in days]


def _shares(named: Iterable[tuple[str, Line]]) -> list[Share]:
    counted: Counter[tuple[str, str]] = Counter()
    for name, line in named:
        if _gives_access(line):
            counted[name, "given"] += 1
        elif line.happening is Happening.HELD:
            counted[name, "held"] += 1
        elif _takes_access(line):
            counted[name, "removed"] += 1
    names = sorted({name for name, _ in counted})
    return [Share(n, *(counted[n, kind] for kind in ("given", "held", "removed"))) for n in names]


def _gives_access(line: Line) -> bool:
    return line.happening is Happening.GIVEN and line.what is not Given.IDENTITY


def _takes_access(line: Line) -> bool:
    return line.happening is Happening.REMOVED and line.what is not Given.IDENTITY


def _day(line: Line) -> str:
    return f"{line.recorded.at:%Y-%m-%d}"


def _number(lines: Iterable[Line], happening: Happening) -> int:
    return sum(line.happening is happening for line in lines)
