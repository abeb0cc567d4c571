"""A policy's rules, found by what they match, so that a resource is held against those few alone
that may be for it.

`kinds` and `exclude` are left to who is asked in the end.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from lanyard.policy.named_subscriptions import SubscriptionNames, patterns_of
from lanyard.policy.pattern_index import PatternIndex
from lanyard.policy.patterns import ANY, alternatives
from lanyard.policy.rule import Match, Rule
from lanyard.values.compute import ComputeResource
from lanyard.values.resource_id import folded


class _Levels(NamedTuple):
    """The levels of the index: patterns of a rule, and what a resource has. All folded."""

    types: Collection[str]
    subscriptions: Collection[str]
    #: By what rules name them in `subscriptions`.
    named_subscriptions: Collection[str]
    groups_of_scopes: Collection[str]
    groups: Collection[str]
    names: Collection[str]
    locations: Collection[str]
    #: Name and value of each.
    tags: Collection[str]


class RuleIndex:
    """The rules of one policy."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        spread = Counter(tag for rule in rules for tags in _wanted(rule.match) for tag in tags)
        self._index = PatternIndex((_ways(rule.match, spread), rule) for rule in rules)

    def may_fit(
        self, resource: ComputeResource, types: Collection[str], names: SubscriptionNames
    ) -> list[Rule]:
        """Every rule that is for the resource, or may be, or excludes it, and perhaps some others,
        in the order of the file. `types`: all that it counts as, in any case.
        """
        segments = resource.id.key.split("/")
        group = segments[4:5]
        return self._index.may_fit(
            _Levels(
                types=list(map(folded, types)),
                subscriptions=segments[2:3],
                named_subscriptions=names.names_of(resource.id.subscription),
                groups_of_scopes=group,
                groups=group,
                names=segments[-1:],
                locations=[folded(resource.location)],
                tags=[_tag(name, value) for name, value in resource.tags.items()],
            )
        )


def _ways(match: Match, spread: Counter[str]) -> Iterator[_Levels]:
    # One tag will do, the one that the fewest rules want: that all are there is asked in the end.
    tags = min(_wanted(match), key=lambda tags: _reach(tags, spread), default=[])
    named = patterns_of(match.subscriptions)
    for scope in match.scopes or [""]:
        segments = folded(scope).rstrip("/").split("/")
        yield _Levels(
            types=_folded(match.types),
            subscriptions=segments[2:3],
            named_subscriptions=named,
            groups_of_scopes=segments[4:5],
            groups=_folded(match.resource_groups),
            names=_folded(match.names),
            locations=_folded(match.locations),
            tags=tags,
        )


def _wanted(match: Match) -> list[list[str]]:
    """Of each tag the patterns of which one has to fit."""
    return [
        [_tag(name, pattern) for pattern in alternatives(patterns)]
        for name, patterns in match.tags.items()
    ]


def _reach(tags: Sequence[str], spread: Counter[str]) -> tuple[bool, int]:
    """How much fits any of these patterns of one tag: any value at all, or what so many rules
    want.
    """
    return any(tag.endswith(f"\0{ANY}") for tag in tags), sum(spread[tag] for tag in tags)


def _tag(name: str, value: str) -> str:
    return f"{folded(name)}\0{folded(value)}"


def _folded(patterns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(folded, patterns)))
