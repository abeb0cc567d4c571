"""Names of identities of one resource each that two resources would have: where the two are there,
the second gets none. That is no mistake, for only the estate shows whether there are such two.

Two are looked for among resources with names of a few parts, joined as the template joins its own
parts: where any two come to one name, two of those do.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, product

from lanyard.policy.document import IdentitySpec, Policy
from lanyard.policy.possible_resources import (
    LOCATIONS,
    group_patterns,
    groups_of,
    id_of,
    matched,
    names_of,
    shown,
    subscriptions,
    types_of,
    used_by,
)
from lanyard.policy.problems import Found
from lanyard.policy.rule import Rule
from lanyard.policy.templates import fill_name
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import InvalidResourceId, folded

#: By the subscription, the group and the name of an identity, the first resource that has it.
type Seen = dict[tuple[str, str, str], ComputeResource]

# So many resources are tried for one identity at most.
_MOST_TRIED = 3000
_BESIDE_LOCATIONS = ("2a", "asouth")
_BETWEEN = re.compile(r"(?<=\})[^{}]*(?=\{)")


def shared_names(policy: Policy) -> Found:
    """Every identity with such a name, and two that would share it; at the later one, where the
    names of two identities meet.
    """
    own = {
        name: (spec, spec.name)
        for name, spec in policy.identities.items()
        if spec.dedicated and spec.name is not None and "resource.hash" not in used_by(spec)
    }
    seen: Seen = {}
    for name, (spec, template) in own.items():
        rules = [rule for rule in policy.rules if name in rule.attach]
        beside = _affixes(template, [other for _, other in own.values()])
        tried = islice(_resources(spec, template, rules, beside), _MOST_TRIED)
        if two := _two_of_one_name(spec, template, tried, seen):
            message = (
                f"{shown(two[0])} and {shown(two[1])} would share one identity, and the second "
                "gets none; use {resource.hash} in its name"
            )
            yield ("identities", name, "name"), message


def _two_of_one_name(
    spec: IdentitySpec, template: str, resources: Iterable[ComputeResource], seen: Seen
) -> tuple[ComputeResource, ComputeResource] | None:
    group = spec.resource_group or "{resourceGroup}"
    for resource in resources:
        filled = folded(fill_name(group, resource)), folded(fill_name(template, resource))
        first = seen.setdefault((resource.id.subscription, *filled), resource)
        if first.id != resource.id:
            return first, resource
    return None


def _resources(
    spec: IdentitySpec, template: str, rules: Sequence[Rule], beside: Iterable[str]
) -> Iterator[ComputeResource]:
    """Resources that the rules match, of names that show where the template is weak; `beside`: more
    names to try.
    """
    used = used_by(spec)
    parts = [*_parts(_joints(template) | _joints(spec.resource_group or ""))]
    alone = spec.resource_group in (None, "{resourceGroup}")
    groups = [*(["a"] if alone else parts), *_cores(group_patterns(rule.match) for rule in rules)]
    parts += _cores(rule.match.names for rule in rules)
    parts += [*beside, *(_BESIDE_LOCATIONS if "location" in used else ())]
    for rule in rules:
        locations = rule.match.locations or (LOCATIONS if "location" in used else LOCATIONS[:1])
        kinds = [kind for kind in map(compute_type, types_of(rule)) if kind is not None]
        alone_in = Policy(version=1, rules=[rule])
        for kind, group, location in product(kinds, groups_of(rule.match, groups), locations):
            for names in names_of(kind, rule.match, parts):
                for subscription in subscriptions(rule.match):
                    with suppress(InvalidResourceId):  # no resource has such a name
                        id_ = id_of(subscription, group, kind, names)
                        yield from matched(alone_in, id_, location)


def _joints(template: str) -> set[str]:
    """What stands between two variables."""
    return set(_BETWEEN.findall(template))


def _affixes(template: str, others: Iterable[str]) -> list[str]:
    """Names that make up for what another template has more than this one before its variables or
    after them: "vm-a", where that one begins with "id-vm-" and this one with "id-".
    """
    begin, end = _ends(template)
    found = [
        f"{first[len(begin) :]}a{last[: max(len(last) - len(end), 0)]}"
        for first, last in map(_ends, others)
        if (first.startswith(begin) or begin.startswith(first))
        and (last.endswith(end) or end.endswith(last))
    ]
    return list(dict.fromkeys(found))


def _ends(template: str) -> tuple[str, str]:
    return folded(template.partition("{")[0]), folded(template.rpartition("}")[2])


def _parts(joints: set[str]) -> Iterator[str]:
    yield from ("a", "b", "c")
    for joint in sorted(joints | {"-"}):
        yield from (f"a{joint}b", f"b{joint}c", f"a{joint}b{joint}c")


def _cores(patterns: Iterable[Iterable[str]]) -> list[str]:
    """What one rule's patterns say of a name, for those of another rule: "web*" and "*1" meet."""
    return [core for each in patterns for one in each if (core := one.replace("*", ""))]
