"""Which rules are for a resource."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from lanyard.model import ComputeResource, ResourceId
from lanyard.policy.document import Match, Policy, Rule

_PATTERN = re.compile(
    r"/subscriptions/[0-9a-f*-]+(/resourcegroups/[\w.()*-]+(/providers/[\w.()*/-]+)?)?",
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
        f"{pattern!r} is no scope; write /subscriptions/ID or "
        "/subscriptions/ID/resourceGroups/NAME, with * for any part of a segment"
    )


def _fits(match: Match, resource: ComputeResource) -> bool:
    return (
        _one_of(resource.id.type, match.types)
        and (not match.scopes or any(_within(resource.id, scope) for scope in match.scopes))
        and (not match.locations or _one_of(resource.location, match.locations))
        and _has_tags(resource.tags, match.tags)
        and not (match.exclude.tags and _has_tags(resource.tags, match.exclude.tags))
    )


def _one_of(value: str, names: list[str]) -> bool:
    return value.lower() in (name.lower() for name in names)


def _within(resource: ResourceId, pattern: str) -> bool:
    """Segment by segment, so that a * never reaches over a slash into another group."""
    wanted = pattern.lower().rstrip("/").split("/")
    have = resource.key.split("/")
    pairs = zip(have, wanted, strict=False)
    return len(wanted) <= len(have) and all(fnmatchcase(part, want) for part, want in pairs)


def _has_tags(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    have = {key.lower(): value.lower() for key, value in tags.items()}
    return all(
        key.lower() in have and value.lower() in ("*", have[key.lower()])
        for key, value in wanted.items()
    )
