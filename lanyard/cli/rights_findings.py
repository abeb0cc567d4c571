"""What `lanyard doctor` finds of the app's own rights in one subscription. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from lanyard.cli.findings import Finding, State
from lanyard.desk.at_groups import Kind
from lanyard.desk.delegation import REMOVE
from lanyard.desk.onboarding.parts import group_role_of
from lanyard.desk.rights_compared import Allowed, Gap, Lack, Need
from lanyard.values.resource_id import folded, is_within, last_name
from lanyard.values.roles import role_name

_CHECK = "rights"
_FIX = "'lanyard rights POLICY{}' shows what it needs; '{}' gives it"


@dataclass(frozen=True, slots=True)
class Standing:
    """The app's rights in a subscription (id). `by_group`: they were given at resource groups;
    `boundable`: the policy's rules all name theirs.
    """

    subscription: str
    allowed: Sequence[Allowed]
    by_group: bool
    boundable: bool

    @property
    def fix(self) -> str:
        """What gives the app the rights that the policy needs."""
        if joined := next((each.scope for each in self.allowed if each.is_above), ""):
            return _FIX.format("", f"scripts/join.sh {last_name(joined)}")
        onboard = f"lanyard onboard {self.subscription}"
        if not self.by_group:
            return _FIX.format("", onboard)
        if self.boundable:
            return _FIX.format(" --by-group", f"{onboard} --by-group")
        return f"{_FIX.format('', onboard)}: not every rule names its groups any more"


def is_by_group(subscription: str, allowed: Iterable[Allowed]) -> bool:
    """Whether the app has one of the roles that stand at groups only with --by-group."""
    roles = {group_role_of(subscription, kind) for kind in (Kind.CHANGES, Kind.GRANTS)}
    return any(each.role in roles for each in allowed)


def rights_held(standing: Standing, gaps: Sequence[Gap]) -> Iterator[Finding]:
    """Whether the app may do what the policy needs: each action, and each role of each rule."""
    if not gaps:
        message = (
            f"the app's rights in subscription {standing.subscription} are what the policy needs"
        )
        yield Finding(_CHECK, State.OK, message)
    bare = _bare_groups(standing, gaps)
    for group in bare:
        yield _bare(standing, group)
    rest = [gap for gap in gaps if not any(is_within(gap.need.scope, each) for each in bare)]
    yield from _actions(standing, [gap for gap in rest if not gap.need.role])
    yield from _roles(standing, [gap for gap in rest if gap.need.role])


def _is_group(scope: str) -> bool:
    return len(scope.strip("/").split("/")) == 4


def _bare_groups(standing: Standing, gaps: Iterable[Gap]) -> list[str]:
    """The groups (ids) in which nothing of the app's stands, where its rights stand at groups."""
    if not standing.by_group:
        return []
    held = {folded(each.scope) for each in standing.allowed}
    groups = {gap.need.scope for gap in gaps if _is_group(gap.need.scope)}
    return sorted(each for each in groups if folded(each) not in held)


def _bare(standing: Standing, group: str) -> Finding:
    message = (
        f"the app has no right at {group}, where the policy needs some: a group that was deleted "
        "and made anew has lost them, and one that is new never had them"
    )
    return Finding(_CHECK, State.PROBLEM, message, standing.fix)


def _actions(standing: Standing, gaps: Sequence[Gap]) -> Iterator[Finding]:
    missing = [_at(gap.need) for gap in gaps if gap.lack is not Lack.UNKNOWN]
    if missing:
        message = f"the app's identity lacks {len(missing)} rights: " + ", ".join(missing)
        yield Finding(_CHECK, State.PROBLEM, message, standing.fix)
    if unknown := [gap for gap in gaps if gap.lack is Lack.UNKNOWN]:
        yield _unknown(standing, [f"do {_at(gap.need)}" for gap in unknown], unknown)


def _at(need: Need) -> str:
    return f"{need.action} at {need.scope}"


def _roles(standing: Standing, gaps: Sequence[Gap]) -> Iterator[Finding]:
    """Each role of a rule at its scope, with what may not be done with it there, and why."""
    for lack, why in (
        (Lack.RIGHT, "no role assignment of the app's has the right"),
        (Lack.CONDITION, "the condition on the app's role assignment does not let them through"),
    ):
        if lacking := [gap.need for gap in gaps if gap.lack is lack]:
            message = f"the app may not {'; nor '.join(_named(lacking))}: {why}"
            yield Finding(_CHECK, State.PROBLEM, message, standing.fix)
    if unknown := [gap for gap in gaps if gap.lack is Lack.UNKNOWN]:
        yield _unknown(standing, _named(gap.need for gap in unknown), unknown)


def _named(needs: Iterable[Need]) -> list[str]:
    """As "assign ROLE (rule 'r') at SCOPE", once for both verbs."""
    named = []
    for (scope, rule, role), group in groupby(sorted(needs), lambda n: (n.scope, n.rule, n.role)):
        verbs = ["remove" if each.action == REMOVE else "assign" for each in group]
        named.append(f"{' or '.join(sorted(verbs))} {role_name(role)} (rule {rule!r}) at {scope}")
    return named


def _unknown(standing: Standing, what: Iterable[str], gaps: Iterable[Gap]) -> Finding:
    by = sorted({each for gap in gaps for each in gap.by})
    message = (
        f"it is not known whether the app may {'; or '.join(what)}: the condition cannot be "
        f"judged here of {', '.join(by)}"
    )
    return Finding(_CHECK, State.WARNING, message, f"read the condition yourself; {standing.fix}")
