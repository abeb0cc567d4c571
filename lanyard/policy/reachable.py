"""Rules that can never match: conditions that no resource can meet at once."""

import difflib
from itertools import combinations

from lanyard.policy.named_subscriptions import covers, is_id
from lanyard.policy.patterns import WantedTags, alternatives, fits_one_of, has_tags, meet, same
from lanyard.policy.problems import Found
from lanyard.policy.rule import Match, Selector
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import folded


def never_matches(match: Match) -> Found:
    """Why no resource can fit, with the path below `match`; nothing where one can."""
    if excludes_everything(match, match.exclude):
        yield ("exclude",), "the rule can never match: what it matches is excluded"
    for first, second in _opposed(match.tags):
        message = f"the rule can never match: tag names have no case, {first!r} is {second!r}"
        yield ("tags", second), message
    if match.scopes and match.resource_groups and not _groups_meet(match):
        message = "the rule can never match: none of these groups is within its scopes"
        yield ("resourceGroups",), message
    if not _subscriptions_meet(match):
        message = "the rule can never match: its scopes are in other subscriptions"
        yield ("subscriptions",), message
    yield from _kinds(match)


def _kinds(match: Match) -> Found:
    known = [kind for name in match.types for kind in _kinds_of(name)]
    if match.kinds and not known:
        yield ("kinds",), "the rule can never match: its types have no kinds"
    for index, kind in enumerate(match.kinds):
        if set(kind) & set("*, "):
            yield ("kinds", index), f"{kind!r} is no kind: write one word, without *"
            continue
        # A kind holds other words too ("linux", "container"), so only what is nearly one counts.
        near = difflib.get_close_matches(folded(kind), known, n=1, cutoff=0.8)
        if near and folded(kind) not in known:
            yield ("kinds", index), f"unknown kind {kind!r}; did you mean {near[0]!r}?"


def _kinds_of(type_name: str) -> tuple[str, ...]:
    kind = compute_type(type_name)
    return kind.kinds if kind is not None else ()


def excludes_everything(match: Match, exclude: Selector) -> bool:
    """Whether all that `exclude` asks for is given by what a rule asks for already."""
    given = [name for name in Selector.model_fields if getattr(exclude, name)]
    return bool(given) and all(implied(name, match, exclude) for name in given)


def implied(name: str, match: Match, exclude: Selector) -> bool:
    """Whether whatever fits that field of `match` fits that of the other, too."""
    if name == "tags":
        return has_tags(match.tags, exclude.tags)
    if name == "subscriptions":
        return covers(exclude.subscriptions, match.subscriptions)
    required: list[str] = getattr(match, name)
    excluded: list[str] = getattr(exclude, name)
    return bool(required) and all(fits_one_of(entry, excluded) for entry in required)


def _opposed(tags: WantedTags) -> list[tuple[str, str]]:
    """Pairs of keys that are one tag to Azure and ask for two values."""
    return [
        (first, second)
        for first, second in combinations(tags, 2)
        if same(first, second)
        and not any(
            meet(one, other)
            for one in alternatives(tags[first])
            for other in alternatives(tags[second])
        )
    ]


def _subscriptions_meet(match: Match) -> bool:
    """Whether one of the list can be that of a scope; one that has a name may be any."""
    ids, scopes = match.subscriptions, [scope.split("/")[2:3] for scope in match.scopes]
    if not (ids and scopes and all(map(is_id, ids))):
        return True
    return any(meet(one, other) for one in ids for scope in scopes for other in scope)


def _groups_meet(match: Match) -> bool:
    """Whether a group of the list can lie within a scope; two patterns are taken to meet."""
    scopes = [folded(scope).split("/") for scope in match.scopes]
    if any(len(segments) < 5 for segments in scopes):
        return True
    within = {segments[4] for segments in scopes}
    groups = {folded(group) for group in match.resource_groups}
    return bool(within & groups) or _patterns_meet(within, groups) or _patterns_meet(groups, within)


def _patterns_meet(first: set[str], second: set[str]) -> bool:
    patterns = [name for name in first if "*" in name]
    return any(meet(pattern, name) for pattern in patterns for name in second)
