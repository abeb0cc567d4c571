"""Which rules are for a resource."""

import re
from typing import NamedTuple

from lanyard.policy.document import Policy
from lanyard.policy.named_subscriptions import SubscriptionNames
from lanyard.policy.patterns import fits_one_of, has_tags, one_of, within_one_of
from lanyard.policy.rule import SCALE_SET, Match, Rule, Selector
from lanyard.values.compute import ComputeResource
from lanyard.values.resource_id import GUID, are_segments, folded

# Of a folded scope: re.IGNORECASE would go further than Azure.
_PATTERN = re.compile(
    rf"/subscriptions/({GUID}|[0-9a-f-]*\*[0-9a-f*-]*)"
    r"(/resourcegroups/[^/]+(/providers/.+)?)?",
)


class Rules(NamedTuple):
    """Of one resource, each in the order of the file. `excluded`: would be for it but for their
    `exclude`. `undecided`: would be for it if its subscription is among those that they name, of
    which nobody knows.
    """

    matching: list[Rule]
    excluded: list[Rule]
    undecided: list[Rule]


def rules_for(policy: Policy, resource: ComputeResource) -> Rules:
    """The rules whose every condition fits, those that leave the resource out, and those of which
    that is not known.
    """
    rules, names = Rules([], [], []), policy.subscriptions
    for rule in policy.index.may_fit(resource, types_of(resource), names):
        if not _names(rule.match, resource):
            continue
        named = _in_its_subscriptions(rule.match, resource, names)
        excluded = named is not False and _is_excluded(rule.match, resource, names)
        match named, excluded:
            case False, _:
                pass
            case _, True:  # it gives nothing either way
                rules.excluded.append(rule)
            case True, False:
                rules.matching.append(rule)
            case _:
                rules.undecided.append(rule)
    return rules


def scope_pattern_problem(pattern: str) -> str | None:
    """What is wrong with an entry of `scopes`, or None."""
    plain = folded(pattern).rstrip("/")
    if _PATTERN.fullmatch(plain) and are_segments(plain.replace("*", "x").split("/")):
        return None
    return (
        f"{pattern!r} is no scope; write /subscriptions/GUID or "
        "/subscriptions/GUID/resourceGroups/NAME, with * for any part of a segment"
    )


def _names(match: Match, resource: ComputeResource) -> bool:
    return (
        any(one_of(type_, match.types) for type_ in types_of(resource))
        and (not match.kinds or is_of_kind(resource, match.kinds))
        and selects(match, resource)
    )


def _is_excluded(match: Match, resource: ComputeResource, names: SubscriptionNames) -> bool | None:
    """By the rule's own word, or because another service manages it and the rule does not ask for
    such: what was given to it before stays, as with every `exclude`. None where nobody knows.
    """
    if resource.managed_by and not match.managed:
        return True
    if not (is_given(match.exclude) and selects(match.exclude, resource)):
        return False
    return _in_its_subscriptions(match.exclude, resource, names)


def _in_its_subscriptions(
    selector: Selector, resource: ComputeResource, names: SubscriptionNames
) -> bool | None:
    return names.is_among(selector.subscriptions, resource.id.subscription)


def selects(selector: Selector, resource: ComputeResource) -> bool:
    """Whether every field that the selector gives fits the resource, but for its `subscriptions`:
    those are asked of a listing.
    """
    return (
        has_tags(resource.tags, selector.tags)
        and (not selector.scopes or within_one_of(resource.id.key, selector.scopes))
        and (not selector.locations or one_of(resource.location, selector.locations))
        and (not selector.names or fits_one_of(resource.id.name, selector.names))
        and (
            not selector.resource_groups
            or fits_one_of(resource.id.resource_group, selector.resource_groups)
        )
    )


def is_given(selector: Selector) -> bool:
    """Whether the selector says anything; an empty exclude excludes nothing."""
    return any(getattr(selector, name) for name in Selector.model_fields)


def types_of(resource: ComputeResource) -> tuple[str, ...]:
    """A machine of a flexible scale set counts as the set too: it is an ordinary machine, and
    whether it inherits what is attached to the set later is not documented.
    """
    return (resource.id.type, SCALE_SET) if resource.scale_set else (resource.id.type,)


def is_of_kind(resource: ComputeResource, kinds: list[str]) -> bool:
    """Whether its kind, a list in itself ("functionapp,linux"), has one of these words."""
    have = [part.strip() for part in resource.kind.split(",")]
    return any(one_of(kind, have) for kind in kinds)
