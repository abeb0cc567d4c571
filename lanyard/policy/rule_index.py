"""A policy's rules, found by what they match, so that a resource is held against those few alone
that may be for it.

`kinds` and `exclude` are left to who is asked in the end.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from lanyard.policy.pattern_index import PatternIndex
from lanyard.policy.patterns import ANY
from lanyard.policy.rule import Match, Rule
from lanyard.values.compute import ComputeResource
from lanyard.values.resource_id import folded


class _Levels(NamedTuple):
    """The levels of the index: patterns of a rule, and what a resource has. All folded."""

    types: Collection[str]
    subscriptions: Collection[str]
    groups_of_scopes: Collection[str]
    groups: Collection[str]
    names: Collection[str]
    locations: Collection[str]
    #: Name and value of each.
    tags: Collection[str]


class RuleIndex:
    """The rules of one policy."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        spread = Counter(tag for rule in rules for tag in _tags(rule.match.tags))
        self._index = PatternIndex((_ways(rule.match, spread), rule) for rule in rules)

    def may_fit(self, resource: ComputeResource, types: Collection[str]) -> list[Rule]:
        """Every rule that is for the resource, or excludes it, and perhaps some others, in the
        order of the file. `types`: all that it counts as, in any case.
        """
        segments = resource.id.key.split("/")
        group = segments[4:5]
        return self._index.may_fit(
            _Levels(
                types=list(map(folded, types)),
                subscriptions=segments[2:3],
                groups_of_scopes=group,
                groups=group,
                names=segments[-1:],
                locations=[folded(resource.location)],
                tags=_tags(resource.tags),
            )
        )


def _ways(match: Match, spread: Counter[str]) -> Iterator[_Levels]:
    # One tag will do, the one that the fewest rules want: that all are there is asked in the end.
    tag = min(_tags(match.tags), key=lambda tag: (tag.endswith(ANY), spread[tag]), default=None)
    for scope in match.scopes or [""]:
        segments = folded(scope).rstrip("/").split("/")
        yield _Levels(
            types=_folded(match.types),
            subscriptions=segments[2:3],
            groups_of_scopes=segments[4:5],
            groups=_folded(match.resource_groups),
            names=_folded(match.names),
            locations=_folded(match.locations),
            tags=[] if tag is None else [tag],
        )


def _tags(tags: Mapping[str, str]) -> list[str]:
    return [f"{folded(name)}\0{folded(value)}" for name, value in tags.items()]


def _folded(patterns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(folded, patterns)))
