"""Why a rule is not for a resource, or leaves it out: in words, part by part. Pure; what fits is
for `matching` to say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lanyard.policy.document import Policy
from lanyard.policy.matching import is_of_kind, types_of
from lanyard.policy.named_subscriptions import SubscriptionNames
from lanyard.policy.patterns import alternatives, fits_one_of, has_tags, one_of, within_one_of
from lanyard.policy.rule import Match, Rule, Selector
from lanyard.values.compute import ComputeResource
from lanyard.values.resource_id import folded

# So many of the names that a rule gives are shown; a list of regions can be long.
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Part:
    """What a rule asks of one property of the resource. `fits`: None where nobody knows."""

    what: str
    has: str
    wants: Sequence[str]
    fits: bool | None

    def miss(self) -> str:
        """Why it does not fit, where it does not."""
        if not self.has:
            return f"it has no {self.what}: {_named(self.wants)} is asked for"
        return f"its {self.what} is {self.has}, not {_named(self.wants)}"


@dataclass(frozen=True, slots=True)
class NotFor:
    """A rule that is for the resource's type and not for the resource."""

    rule: str
    misses: tuple[str, ...]


def nearest(policy: Policy, resource: ComputeResource) -> list[NotFor]:
    """The rules that are for resources of its type and neither for it nor leave it out: first
    those that lack least.
    """
    missed = [
        NotFor(rule.name, tuple(_misses(rule.match, resource, policy.subscriptions)))
        for rule in policy.rules
        if _is_of_type(rule, resource)
    ]
    return sorted((one for one in missed if one.misses), key=lambda one: len(one.misses))


def _misses(match: Match, resource: ComputeResource, names: SubscriptionNames) -> list[str]:
    """Each condition that the resource does not meet, but for its type; `exclude` apart. What
    nobody knows (`SubscriptionNames`) is none.
    """
    of_kind = _Part("kind", resource.kind, match.kinds, is_of_kind(resource, match.kinds))
    parts = (*([of_kind] if match.kinds else ()), *_parts(match, resource, names))
    return [part.miss() for part in parts if part.fits is False]


def excluded_because(rule: Rule, resource: ComputeResource, names: SubscriptionNames) -> str:
    """By what a rule that leaves the resource out does so."""
    if resource.managed_by and not rule.match.managed:
        return f"it is managed by {resource.managed_by}, and the rule does not say `managed: true`"
    parts = _parts(rule.match.exclude, resource, names)
    return " and ".join(f"its {part.what} is {part.has}" for part in parts)


def _is_of_type(rule: Rule, resource: ComputeResource) -> bool:
    return any(one_of(type_, rule.match.types) for type_ in types_of(resource))


def _parts(
    selector: Selector, resource: ComputeResource, names: SubscriptionNames
) -> Iterator[_Part]:
    id_ = resource.id
    for tag, values in selector.tags.items():
        yield _tag(resource, tag, alternatives(values))
    if scopes := selector.scopes:
        yield _Part("id", id_.text, scopes, within_one_of(id_.key, scopes))
    if entries := selector.subscriptions:
        listed = names.listing.get(id_.subscription)
        name = f"{id_.subscription} ({listed.name})" if listed else id_.subscription
        yield _Part("subscription", name, entries, names.is_among(entries, id_.subscription))
    if groups := selector.resource_groups:
        fits = fits_one_of(id_.resource_group, groups)
        yield _Part("resource group", id_.resource_group, groups, fits)
    if places := selector.locations:
        yield _Part("location", resource.location, places, one_of(resource.location, places))
    if wanted := selector.names:
        yield _Part("name", id_.name, wanted, fits_one_of(id_.name, wanted))


def _tag(resource: ComputeResource, tag: str, wants: Sequence[str]) -> _Part:
    has = [repr(value) for name, value in resource.tags.items() if folded(name) == folded(tag)]
    fits = has_tags(resource.tags, {tag: wants})
    return _Part(f"tag {tag}", " or ".join(has), [repr(want) for want in wants], fits)


def _named(wants: Sequence[str]) -> str:
    more = len(wants) - _MOST_NAMED
    others = [f"{more} others"] if more > 1 else wants[_MOST_NAMED:]
    return " or ".join((*wants[:_MOST_NAMED], *others))
