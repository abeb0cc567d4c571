"""Scopes of two rules that may come to one, as far as the rules show it: a literal one and a
template, or two templates.
"""

from collections.abc import Iterator

from lanyard.policy.named_subscriptions import is_id
from lanyard.policy.patterns import meet
from lanyard.policy.possible_resources import types_of
from lanyard.policy.rule import Match, Rule
from lanyard.policy.templates import segments_of, variables

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{resourceGroup}}"

#: The patterns of one scope, for each of its segments: each stands for all that it may be.
type Patterns = list[list[str]]


def scope_patterns(scope: str, rule: Rule) -> list[Patterns]:
    """What a scope's template may come to for the resources of a rule."""
    return [
        [list(_filled(segment, rule.match)) for segment in segments_of(whole.rstrip("/"))]
        for whole in _whole(scope, rule)
    ]


def may_be_one(first: list[Patterns], second: list[Patterns]) -> bool:
    """Whether two scopes may be one."""
    return any(_meet(one, other) for one in first for other in second)


def _meet(first: Patterns, second: Patterns) -> bool:
    return len(first) == len(second) and all(
        any(meet(a, b) for a in some for b in others)
        for some, others in zip(first, second, strict=True)
    )


def _whole(scope: str, rule: Rule) -> Iterator[str]:
    """Without the variables that stand for a whole scope."""
    match scope:
        case "{subscription}":
            yield _SUBSCRIPTION
        case "{resourceGroup}":
            yield _GROUP
        case "{resource}":
            for type_ in types_of(rule):
                namespace, *kinds = type_.split("/")
                names = "/".join(f"{kind}/{{resource.name}}" for kind in kinds)
                yield f"{_GROUP}/providers/{namespace}/{names}"
        case _:
            yield scope


def _filled(segment: str, match: Match) -> Iterator[str]:
    """A segment with what each variable may be; names of whole groups and subscriptions as the
    rule has them.
    """
    if segment == "{resourceGroup}":
        yield from _groups(match)
    elif segment == "{subscription}":
        yield from _subscriptions(match)
    else:
        for variable in variables(segment):
            segment = segment.replace(f"{{{variable}}}", "*")
        yield segment


def _subscriptions(match: Match) -> list[str]:
    """The patterns of the ids of the subscriptions that a rule is for."""
    if match.subscriptions and all(map(is_id, match.subscriptions)):
        return match.subscriptions
    return [scope.split("/")[2] for scope in match.scopes] or ["*"]


def _groups(match: Match) -> list[str]:
    """The patterns of the groups that a rule is for."""
    within = [scope.rstrip("/").split("/") for scope in match.scopes]
    if match.resource_groups or not all(len(segments) > 4 for segments in within):
        return match.resource_groups or ["*"]
    return [segments[4] for segments in within] or ["*"]
