"""Rules that only repeat another: without them every resource has what it has with them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lanyard.policy.document import Policy, contents
from lanyard.policy.matching import is_given
from lanyard.policy.problems import Found
from lanyard.policy.reachable import implied
from lanyard.policy.rule import Match, Rule, Selector
from lanyard.values.resource_id import folded
from lanyard.values.roles import role_id

#: What a rule gives: an identity's name, `system`, or a role at a scope to one, on a condition.
type _Given = tuple[str | None, ...]

_GIVING = {"name", "match", "attach", "system", "grant"}
_SELECTING = {*Selector.model_fields, "types", "kinds", "managed", "exclude"}


def repeated(policy: Policy) -> Found:
    """Each such rule, by the first one that it repeats; of two that are the same, the later."""
    given = [frozenset(_given(policy, rule)) for rule in policy.rules]
    giving: defaultdict[_Given, list[int]] = defaultdict(list)
    for index, each in enumerate(given):
        for one in each:
            giving[one].append(index)
    for index, rule in enumerate(policy.rules):
        fewest = min((giving[one] for one in given[index]), key=len, default=[])
        wider = (
            other
            for other in fewest
            if other != index
            and given[index] <= given[other]
            and _covers(policy.rules[other], rule)
            and (other < index or not _are_one(policy, given, index, other))
        )
        if (found := next(wider, None)) is not None:
            message = f"it only repeats rule {policy.rules[found].name!r}: leave it out"
            yield ("rules", index, "name"), message


def _are_one(policy: Policy, given: Sequence[frozenset[_Given]], one: int, other: int) -> bool:
    return given[one] == given[other] and _covers(policy.rules[one], policy.rules[other])


def _given(policy: Policy, rule: Rule) -> Iterator[_Given]:
    yield from (("attach", name) for name in rule.attach)
    if rule.system:
        yield ("system",)
    for grant in rule.grant:
        for each in contents(policy, grant):
            role = role_id(each.role) or each.role
            yield (grant.to, role, folded(each.scope.rstrip("/")), each.condition)


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Whether every resource of the narrow rule is one of the wide rule, which does it alike."""
    rest = Rule.model_fields.keys() - _GIVING
    return all(getattr(wide, name) == getattr(narrow, name) for name in rest) and _selects_all(
        wide.match, narrow.match
    )


def _selects_all(wide: Match, narrow: Match) -> bool:
    rest = Match.model_fields.keys() - _SELECTING
    asked = [name for name in Selector.model_fields if getattr(wide, name)]
    return (
        set(map(folded, narrow.types)) <= set(map(folded, wide.types))
        and (not wide.kinds or (bool(narrow.kinds) and _are_among(narrow.kinds, wide.kinds)))
        and (wide.managed or not narrow.managed)
        and (not is_given(wide.exclude) or wide.exclude == narrow.exclude)
        and all(getattr(wide, name) == getattr(narrow, name) for name in rest)
        and all(implied(name, narrow, wide) for name in asked)
    )


def _are_among(some: list[str], all_: list[str]) -> bool:
    return set(map(folded, some)) <= set(map(folded, all_))
