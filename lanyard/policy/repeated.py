"""Rules that only repeat another: without them every resource has what it has with them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lanyard.policy.document import Policy, contents
from lanyard.policy.matching import is_given
from lanyard.policy.patterns import ANY, alternatives
from lanyard.policy.problems import Found
from lanyard.policy.reachable import implied
from lanyard.policy.rule import Match, Rule, Selector
from lanyard.values.resource_id import folded
from lanyard.values.roles import role_id

#: What a rule gives: an identity's name, `system`, or a role at a scope to one, on a condition.
type _Given = tuple[str | None, ...]
#: What a rule asks for that a narrower one has to ask for, too, in these very words.
type _Asked = tuple[str, ...]

_GIVING = {"name", "match", "attach", "system", "grant"}
_SELECTING = {*Selector.model_fields, "types", "kinds", "managed", "exclude"}
_OTHER_KEYS = tuple(Rule.model_fields.keys() - _GIVING)
_OTHER_MATCHES = tuple(Match.model_fields.keys() - _SELECTING)
_LISTS = ("names", "resource_groups", "scopes", "subscriptions", "locations")
_NOTHING: _Asked = ()


def repeated(policy: Policy) -> Found:
    """Each such rule, by the first one that it repeats; of two that are the same, the later."""
    given = [frozenset(_given(policy, rule)) for rule in policy.rules]
    asking: defaultdict[_Asked, list[int]] = defaultdict(list)
    for index, rule in enumerate(policy.rules):
        asking[next(_asked(rule.match), _NOTHING)].append(index)
    for index, rule in enumerate(policy.rules):
        # Those alone that may be wider: a policy has many rules.
        near = {other for asked in {*_asked_in(rule.match), _NOTHING} for other in asking[asked]}
        wider = (
            other
            for other in sorted(near - {index})
            if given[index] <= given[other]
            and _covers(policy.rules[other], rule)
            and (other < index or not _are_one(policy, given, index, other))
        )
        if given[index] and (found := next(wider, None)) is not None:
            message = f"it only repeats rule {policy.rules[found].name!r}: leave it out"
            yield ("rules", index, "name"), message


def _asked(match: Match) -> Iterator[_Asked]:
    """What every rule asks for, too, that this one is as wide as."""
    for name, values in match.tags.items():
        patterns = alternatives(values)
        exact = len(patterns) == 1 and ANY not in patterns[0]
        yield ("tags", folded(name), *(map(folded, patterns) if exact else ()))
    for field in _LISTS:
        entries: list[str] = getattr(match, field)
        if len(entries) == 1 and ANY not in entries[0]:
            yield field, folded(entries[0])


def _asked_in(match: Match) -> Iterator[_Asked]:
    """Whatever a rule may ask for that is as wide as this one."""
    for name, values in match.tags.items():
        yield ("tags", folded(name))
        yield from (("tags", folded(name), folded(one)) for one in alternatives(values))
    for field in _LISTS:
        yield from ((field, folded(entry)) for entry in getattr(match, field))


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
    return _selects_all(wide.match, narrow.match) and all(
        getattr(wide, name) == getattr(narrow, name) for name in _OTHER_KEYS
    )


def _selects_all(wide: Match, narrow: Match) -> bool:
    asked = [name for name in Selector.model_fields if getattr(wide, name)]
    return (
        set(map(folded, narrow.types)) <= set(map(folded, wide.types))
        and (not wide.kinds or (bool(narrow.kinds) and _are_among(narrow.kinds, wide.kinds)))
        and (wide.managed or not narrow.managed)
        and (not is_given(wide.exclude) or wide.exclude == narrow.exclude)
        and all(getattr(wide, name) == getattr(narrow, name) for name in _OTHER_MATCHES)
        and all(implied(name, narrow, wide) for name in asked)
    )


def _are_among(some: list[str], all_: list[str]) -> bool:
    return set(map(folded, some)) <= set(map(folded, all_))
