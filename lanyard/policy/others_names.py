"""Names of identities of one resource each that come to an identity which others have: whoever
gives a resource that name has it first, and is held, or holds up the others. Only the estate shows
whether there is one, so it is no mistake.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product

from lanyard.policy.document import IdentitySpec, Policy
from lanyard.policy.possible_resources import (
    LOCATIONS,
    UNDERSCORES,
    group_patterns,
    groups_of,
    id_of,
    made_up,
    matched,
    shown,
    subscriptions,
    types_of,
    used_by,
)
from lanyard.policy.problems import Found
from lanyard.policy.rule import Rule
from lanyard.policy.templates import fill_name
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class _Place:
    """Of an identity, in lower case."""

    subscription: str
    group: str
    name: str


def names_of_others(policy: Policy) -> Found:
    """Every identity of one resource each with such a name, with one resource that comes to it."""
    for name, spec in policy.identities.items():
        if not spec.dedicated or spec.name is None or "resource.hash" in used_by(spec):
            continue
        rules = [rule for rule in policy.rules if name in rule.attach]
        for other, shared in policy.identities.items():
            if shared.dedicated:
                continue
            if resource := next(_coming_to(spec, shared, rules), None):
                message = (
                    f"{shown(resource)} would come to the identity {other!r}, which others have, "
                    "and one of them gets none; use {resource.hash} in its name"
                )
                yield ("identities", name, "name"), message


def _coming_to(
    spec: IdentitySpec, shared: IdentitySpec, rules: Iterable[Rule]
) -> Iterator[ComputeResource]:
    for rule in rules:
        groups = groups_of(rule.match, ["a", *_groups(spec, shared, rule)])
        own = rule.match.locations or (LOCATIONS if "location" in used_by(spec) else LOCATIONS[:1])
        places = product(_subscriptions(shared, rule), groups, _locations(shared, rule), own)
        for subscription, group, others, location in places:
            with suppress(ValueError):  # no group has such a name
                here = ResourceId.parse(f"/subscriptions/{subscription}/resourceGroups/{group}")
                wanted = _place(shared, made_up(here, others))
                name = _own_name(spec, wanted, made_up(here, location))
                yield from _named(rule, here, name, location) if name else ()


def _named(rule: Rule, group: ResourceId, name: str, location: str) -> Iterator[ComputeResource]:
    """The resources of this full name that the rule matches."""
    alone = Policy(version=1, rules=[rule])
    for kind in filter(None, map(compute_type, types_of(rule))):
        for names in _names(kind, name):
            with suppress(InvalidResourceId):  # no resource has such a name
                id_ = id_of(group.subscription, group.resource_group, kind, names)
                yield from matched(alone, id_, location)


def _subscriptions(shared: IdentitySpec, rule: Rule) -> Sequence[str]:
    named = subscriptions(rule.match)
    return named if shared.id is None else [*named, ResourceId.parse(shared.id).subscription]


def _locations(shared: IdentitySpec, rule: Rule) -> Sequence[str]:
    used = "location" in used_by(shared)
    return tuple(dict.fromkeys((*rule.match.locations, *LOCATIONS))) if used else LOCATIONS[:1]


def _groups(spec: IdentitySpec, shared: IdentitySpec, rule: Rule) -> Iterator[str]:
    """Groups of resources that bring the two identities into one group."""
    group = shared.resource_group or ""
    if shared.id is not None:
        group = ResourceId.parse(shared.id).resource_group
    pattern = _pattern(spec.resource_group or "{resourceGroup}", "resourceGroup")
    if found := re.fullmatch(pattern, folded(group)):
        yield from found.groups()
    yield from (one.replace("*", "") or "a" for one in group_patterns(rule.match))


def _place(shared: IdentitySpec, resource: ComputeResource) -> _Place:
    if shared.id is not None:
        id_ = ResourceId.parse(shared.id)
        return _Place(id_.subscription, folded(id_.resource_group), folded(id_.name))
    group = folded(fill_name(shared.resource_group or "", resource))
    return _Place(resource.id.subscription, group, folded(fill_name(shared.name or "", resource)))


def _own_name(spec: IdentitySpec, wanted: _Place, here: ComputeResource) -> str:
    """The full name of a resource, where `here` is, whose identity is the one that is wanted; ""
    for none.
    """
    group = folded(fill_name(spec.resource_group or "{resourceGroup}", here))
    if (here.id.subscription, group) != (wanted.subscription, wanted.group):
        return ""
    rest = "{resource.name}".join(
        fill_name(part, here) for part in (spec.name or "").split("{resource.name}")
    )
    found = re.fullmatch(_pattern(rest, "resource.name"), wanted.name)
    return found[1] if found else ""


def _names(kind: ComputeType, full: str) -> Iterator[list[str]]:
    """Names of a resource, and of what it lies in, that are joined to this one."""
    if "_" in full and folded(kind.name) not in UNDERSCORES:
        return
    if not kind.nested:
        yield [full]
        return
    for joint in re.finditer("-", full):
        if 0 < joint.start() < len(full) - 1:
            yield [full[: joint.start()], full[joint.end() :]]


def _pattern(template: str, variable: str) -> str:
    """A pattern for what the template comes to: its one group is the variable, which has the same
    value wherever it stands; any other may have any.
    """
    parts = _VARIABLE.split(folded(template))
    pattern, seen = "", False
    for number, part in enumerate(parts):
        if number % 2 == 0:
            pattern += re.escape(part)
        elif part == folded(variable):
            pattern += r"\1" if seen else "(.+)"
            seen = True
        else:
            pattern += ".+"
    return pattern
