"""Where a policy's rules lead: the resource groups, or whole subscriptions, that have their
resources, the roles that they give, and the identities that they have made. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from lanyard.policy import IdentitySpec, Rule
from lanyard.policy.named_subscriptions import is_id
from lanyard.policy.patterns import ANY, fits, meet
from lanyard.policy.templates import variables
from lanyard.values.resource_id import folded

#: Of a scope: "", "subscriptions", the subscription, "resourceGroups", the group.
_SUBSCRIPTION, _GROUP = 2, 4
_HERE, _GROUP_OF_RESOURCE = "{subscription}", "{resourceGroup}"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A resource group (name, folded) in each subscription whose id fits a pattern; "" for all of
    the subscription.
    """

    group: str
    subscription: str = ANY

    def in_subscription(self, subscription: str) -> str | None:
        """Its id in a subscription (id), None where it is in another."""
        if not fits(subscription, self.subscription):
            return None
        scope = f"/subscriptions/{subscription}"
        return f"{scope}/resourceGroups/{self.group}" if self.group else scope

    def __str__(self) -> str:
        where = "" if self.subscription == ANY else f" in subscription {self.subscription}"
        return f"{self.group or 'any resource group'}{where}"


def matched(rule: Rule) -> frozenset[Place]:
    """Where the resources are that a rule is for. A group that is named by a pattern is any, and so
    is a subscription that is named by anything but its id.
    """
    scopes = [folded(scope).rstrip("/").split("/") for scope in rule.match.scopes] or [[]]
    names = [folded(name) for name in rule.match.resource_groups] or [ANY]
    every = product(scopes, names, _subscriptions(rule))
    return frozenset(
        _both(scope, name, subscription)
        for scope, name, subscription in every
        if _meet(scope, name) and meet(_segment(scope, _SUBSCRIPTION), subscription)
    )


def _subscriptions(rule: Rule) -> list[str]:
    entries = rule.match.subscriptions
    return list(map(folded, entries)) if entries and all(map(is_id, entries)) else [ANY]


def _meet(scope: list[str], name: str) -> bool:
    """Whether a group may be in a scope and have the name; two patterns are taken to meet."""
    group = _segment(scope, _GROUP)
    return ("*" in group and "*" in name) or fits(group, name) or fits(name, group)


def _both(scope: list[str], name: str, subscription: str) -> Place:
    """The group, and the subscription, that either of them names."""
    named = [each for each in (_segment(scope, _GROUP), name) if "*" not in each]
    where = _segment(scope, _SUBSCRIPTION) if subscription == ANY else subscription
    return Place(named[0] if named else "", where)


def _segment(scope: list[str], at: int) -> str:
    return scope[at] if len(scope) > at else ANY


def given(rule: Rule, scope: str) -> frozenset[Place]:
    """Where the roles stand that a rule gives at a scope (a template)."""
    if scope in ("{resource}", _GROUP_OF_RESOURCE):
        return matched(rule)
    if scope == _HERE:
        return _in_group(rule, _HERE, "")
    segments = scope.split("/")
    below = segments[_GROUP] if folded(_segment(segments, 3)) == "resourcegroups" else ""
    return _in_group(rule, segments[_SUBSCRIPTION], below)


def made(rule: Rule, spec: IdentitySpec) -> frozenset[Place]:
    """Where the identities are made that a rule attaches: beside the resource, if no group is
    named.
    """
    return _in_group(rule, _HERE, spec.resource_group or _GROUP_OF_RESOURCE)


def _in_group(rule: Rule, subscription: str, group: str) -> frozenset[Place]:
    """A group ("" for none) of a subscription, as templates have them."""
    resources = matched(rule)
    if (subscription, group) == (_HERE, _GROUP_OF_RESOURCE):
        return resources
    if subscription == _HERE:
        subscriptions = {place.subscription for place in resources}
    else:
        subscriptions = {_filled(subscription, ANY)}
    if group == _GROUP_OF_RESOURCE:
        groups = {place.group for place in resources}
    else:
        groups = {_filled(group, "")}
    return _every(groups, subscriptions)


def _filled(template: str, unknown: str) -> str:
    return unknown if [*variables(template)] else folded(template)


def _every(groups: Iterable[str], subscriptions: Iterable[str]) -> frozenset[Place]:
    return frozenset(Place(*each) for each in product(groups, subscriptions))
