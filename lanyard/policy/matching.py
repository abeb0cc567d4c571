"""Which rules are for a resource."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from lanyard.policy.document import SCALE_SET, Match, Policy, Rule, Selector
from lanyard.values.compute import ComputeResource
from lanyard.values.resource_id import ResourceId

_PATTERN = re.compile(
    r"/subscriptions/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f-]*\*[0-9a-f*-]*)"
    r"(/resourcegroups/[\w.()*-]+(/providers/[\w.()*/-]+)?)?",
    re.IGNORECASE,
)


def matching_rules(policy: Policy, resource: ComputeResource) -> Iterator[Rule]:
    """The rules whose every condition fits, in the order of the file."""
    return (rule for rule in policy.rules if _fits(rule.match, resource))


def scope_pattern_problem(pattern: str) -> str | None:
    """What is wrong with an entry of `scopes`, or None."""
    if _PATTERN.fullmatch(pattern.rstrip("/")):
        return None
    return (
        f"{pattern!r} is no scope; write /subscriptions/GUID or "
        "/subscriptions/GUID/resourceGroups/NAME, with * for any part of a segment"
    )


def _fits(match: Match, resource: ComputeResource) -> bool:
    return (
        _is_of_type(resource, match.types)
        and (not match.kinds or _is_of_kind(resource, match.kinds))
        and selects(match, resource)
        and not (is_given(match.exclude) and selects(match.exclude, resource))
    )


def selects(selector: Selector, resource: ComputeResource) -> bool:
    """Whether every field that the selector gives fits the resource."""
    return (
        (not selector.scopes or any(_within(resource.id, scope) for scope in selector.scopes))
        and (not selector.locations or _one_of(resource.location, selector.locations))
        and (not selector.names or _like(resource.id.name, selector.names))
        and (
            not selector.resource_groups
            or _like(resource.id.resource_group, selector.resource_groups)
        )
        and _has_tags(resource.tags, selector.tags)
    )


def is_given(selector: Selector) -> bool:
    """Whether the selector says anything; an empty exclude excludes nothing."""
    return any(getattr(selector, name) for name in Selector.model_fields)


def _is_of_type(resource: ComputeResource, types: list[str]) -> bool:
    """A machine of a flexible scale set counts as the set too: it is an ordinary machine, and
    whether it inherits what is attached to the set later is not documented.
    """
    if resource.scale_set is not None and _one_of(SCALE_SET, types):
        return True
    return _one_of(resource.id.type, types)


def _is_of_kind(resource: ComputeResource, kinds: list[str]) -> bool:
    """`kind` is a list in itself: "functionapp,linux"."""
    have = {part.strip().lower() for part in resource.kind.split(",")}
    return any(kind.lower() in have for kind in kinds)


def _one_of(value: str, names: list[str]) -> bool:
    return value.lower() in (name.lower() for name in names)


def _like(value: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(value.lower(), pattern.lower()) for pattern in patterns)


def within_pattern(scope: str, pattern: str) -> bool:
    """Segment by segment, so that a * never reaches over a slash into another group."""
    wanted = pattern.lower().rstrip("/").split("/")
    have = scope.lower().split("/")
    pairs = zip(have, wanted, strict=False)
    return len(wanted) <= len(have) and all(fnmatchcase(part, want) for part, want in pairs)


def _within(resource: ResourceId, pattern: str) -> bool:
    return within_pattern(resource.key, pattern)


def _has_tags(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    have = {key.lower(): value.lower() for key, value in tags.items()}
    return all(
        key.lower() in have and value.lower() in ("*", have[key.lower()])
        for key, value in wanted.items()
    )
