"""Rules that want one identity each of a type that has one, where a resource may fit both: then
neither gets it. That is no mistake, for only the estate shows whether there is such a resource.
"""

from collections.abc import Sequence
from itertools import combinations

from lanyard.policy.document import Policy
from lanyard.policy.named_subscriptions import may_share
from lanyard.policy.patterns import alternatives, meet, same
from lanyard.policy.problems import Found
from lanyard.policy.reachable import excludes_everything
from lanyard.policy.rule import Match, Rule
from lanyard.values.compute_types import ComputeType, compute_type


def overlaps(policy: Policy) -> Found:
    """Every pair, at the later rule."""
    rules = [(i, rule) for i, rule in enumerate(policy.rules) if _single(rule) and _given(rule)]
    for (_, first), (index, second) in combinations(rules, 2):
        shared = [kind for kind in _single(second) if kind in _single(first)]
        if shared and _given(first) != _given(second) and may_meet(first.match, second.match):
            message = (
                f"{shared[0].name} has one identity only, and rule {first.name!r} is for another "
                "one: where a resource fits both, nothing is changed"
            )
            yield ("rules", index, "match"), message


def may_meet(first: Match, second: Match) -> bool:
    """Whether a resource of a type of both may fit both, as far as the two show it."""
    return (
        _listed(first.locations, second.locations)
        and _listed(first.names, second.names)
        and _listed(first.resource_groups, second.resource_groups)
        and _scopes_meet(first.scopes, second.scopes)
        and may_share(first.subscriptions, second.subscriptions)
        and _tags_meet(first, second)
        and not excludes_everything(first, second.exclude)
        and not excludes_everything(second, first.exclude)
    )


def _single(rule: Rule) -> list[ComputeType]:
    """The types of a rule that have one identity."""
    kinds = map(compute_type, rule.match.types)
    return [kind for kind in kinds if kind is not None and kind.replaces]


def _given(rule: Rule) -> frozenset[str]:
    return frozenset((*rule.attach, *(["system"] if rule.system else [])))


def _listed(first: Sequence[str], second: Sequence[str]) -> bool:
    """An empty list is for everything."""
    return not first or not second or any(meet(a, b) for a in first for b in second)


def _scopes_meet(first: list[str], second: list[str]) -> bool:
    return not first or not second or any(_scope_meets(a, b) for a in first for b in second)


def _scope_meets(first: str, second: str) -> bool:
    """One lies within the other, segment by segment."""
    pairs = zip(first.rstrip("/").split("/"), second.rstrip("/").split("/"), strict=False)
    return all(meet(a, b) for a, b in pairs)


def _tags_meet(first: Match, second: Match) -> bool:
    return all(
        _listed(alternatives(values), alternatives(theirs))
        for name, values in first.tags.items()
        for other, theirs in second.tags.items()
        if same(name, other)
    )
