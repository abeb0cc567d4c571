"""Names of identities of one resource each that two resources would have: where the two are there,
the second gets none. That is no mistake, for only the estate shows whether there are such two.

Two are looked for among resources with names of a few parts, joined as the template joins its own
parts: where any two come to one name, two of those do.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, product

from lanyard.policy.document import IdentitySpec, Match, Policy, Rule
from lanyard.policy.matching import matching_rules
from lanyard.policy.problems import Found
from lanyard.policy.templates import fill_name, variables
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

#: By the subscription, the group and the name of an identity, the first resource that has it.
type Seen = dict[tuple[str, str, str], ComputeResource]

# So many resources are tried for one identity at most.
_MOST_TRIED = 3000
_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
# Of which one ends, or begins, as the other, and what a name ends or begins with to make up for it.
_LOCATIONS = ("westeurope", "eastus", "eastus2", "centralus", "southcentralus")
_BESIDE_LOCATIONS = ("2a", "asouth")
_BETWEEN = re.compile(r"(?<=\})[^{}]*(?=\{)")
# Azure's naming rules: of the types that Lanyard knows, the names of these alone may have it.
_UNDERSCORES = {
    "microsoft.containerservice/managedclusters",
    "microsoft.batch/batchaccounts/pools",
}
# Letters and digits only.
_ACCOUNT = "microsoft.batch/batchaccounts"


def shared_names(policy: Policy) -> Found:
    """Every identity with such a name, and two that would share it; at the later one, where the
    names of two identities meet.
    """
    own = {
        name: (spec, spec.name)
        for name, spec in policy.identities.items()
        if spec.dedicated and spec.name is not None and "resource.hash" not in _used(spec)
    }
    seen: Seen = {}
    for name, (spec, template) in own.items():
        rules = [rule for rule in policy.rules if name in rule.attach]
        beside = _affixes(template, [other for _, other in own.values()])
        tried = islice(_resources(spec, template, rules, beside), _MOST_TRIED)
        if two := _two_of_one_name(spec, template, tried, seen):
            message = (
                f"{_shown(two[0])} and {_shown(two[1])} would share one identity, and the second "
                "gets none; use {resource.hash} in its name"
            )
            yield ("identities", name, "name"), message


def _used(spec: IdentitySpec) -> set[str]:
    return {*variables(spec.name or ""), *variables(spec.resource_group or "")}


def _shown(resource: ComputeResource) -> str:
    id_ = resource.id
    return f"{id_.type} {'/'.join(_names(id_))!r} in {id_.resource_group!r}"


def _names(id_: ResourceId) -> list[str]:
    return id_.text.split("/")[8::2]


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
    used = _used(spec)
    parts = [*_parts(_joints(template) | _joints(spec.resource_group or ""))]
    alone = spec.resource_group in (None, "{resourceGroup}")
    groups = [*(["a"] if alone else parts), *_cores(_group_patterns(rule.match) for rule in rules)]
    parts += _cores(rule.match.names for rule in rules)
    parts += [*beside, *(_BESIDE_LOCATIONS if "location" in used else ())]
    for rule in rules:
        locations = rule.match.locations or (_LOCATIONS if "location" in used else _LOCATIONS[:1])
        kinds = [kind for kind in map(compute_type, _types(rule)) if kind is not None]
        alone_in = Policy(version=1, rules=[rule])
        for kind, group, location in product(kinds, _groups(rule.match, groups), locations):
            for names in _names_of(kind, rule.match, parts):
                for subscription in _subscriptions(rule.match):
                    with suppress(InvalidResourceId):  # no resource has such a name
                        id_ = _id(subscription, group, kind, names)
                        yield from _matched(alone_in, id_, location)


def _types(rule: Rule) -> list[str]:
    return list(dict.fromkeys(map(folded, rule.match.types)))


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


def _group_patterns(match: Match) -> list[str]:
    scopes = [scope.rstrip("/").split("/") for scope in match.scopes]
    return [*match.resource_groups, *(one[4] for one in scopes if len(one) > 4)]


def _groups(match: Match, parts: Iterable[str]) -> list[str]:
    return _fitting(_group_patterns(match) or ["*"], parts)


def _subscriptions(match: Match) -> list[str]:
    named = [scope.split("/")[2] for scope in match.scopes]
    return list(dict.fromkeys(_SUBSCRIPTION if "*" in one else folded(one) for one in named)) or [
        _SUBSCRIPTION
    ]


def _fitting(patterns: Iterable[str], parts: Iterable[str]) -> list[str]:
    known = list(parts)
    found = [pattern.replace("*", part) for pattern in patterns for part in known]
    return list(dict.fromkeys(found))


def _names_of(kind: ComputeType, match: Match, parts: Iterable[str]) -> Iterator[list[str]]:
    """The names of a resource of a type, after those of what it lies in."""
    plain = [part for part in parts if "_" not in part or folded(kind.name) in _UNDERSCORES]
    own = _fitting(match.names or ["*"], plain)
    if not kind.nested:
        yield from ([name] for name in own)
        return
    parent = folded(kind.name.rpartition("/")[0])
    parents = [part for part in plain if part.isalnum() or parent != _ACCOUNT]
    yield from ([above, name] for above, name in product(parents, own))


def _id(subscription: str, group: str, kind: ComputeType, names: list[str]) -> ResourceId:
    namespace, *types = kind.name.split("/")
    below = "/".join(f"{type_}/{name}" for type_, name in zip(types, names, strict=True))
    where = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return ResourceId.parse(f"{where}/providers/{namespace}/{below}")


def _matched(policy: Policy, id_: ResourceId, location: str) -> Iterator[ComputeResource]:
    """The resource, where the one rule of the policy matches it."""
    match = policy.rules[0].match
    tags = {name: "x" if value == "*" else value for name, value in match.tags.items()}
    resource = ComputeResource(
        id=id_, location=location, tags=tags, identity=Identity(), kind=",".join(match.kinds)
    )
    if any(matching_rules(policy, resource)):
        yield resource
