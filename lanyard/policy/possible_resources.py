"""Resources that there may be by the rules of a policy: with their patterns filled in."""

from collections.abc import Iterable, Iterator
from itertools import product

from lanyard.policy.document import IdentitySpec, Policy
from lanyard.policy.matching import rules_for
from lanyard.policy.named_subscriptions import is_id
from lanyard.policy.patterns import alternatives
from lanyard.policy.rule import Match, Rule
from lanyard.policy.templates import variables
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.compute_types import ComputeType
from lanyard.values.resource_id import ResourceId, folded

_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
#: Of which one ends, or begins, as another.
LOCATIONS = ("westeurope", "eastus", "eastus2", "centralus", "southcentralus")
#: Azure's naming rules: of the types that Lanyard knows, the names of these alone may have it.
UNDERSCORES = {
    "microsoft.containerservice/managedclusters",
    "microsoft.batch/batchaccounts/pools",
}
# Letters and digits only.
_ACCOUNT = "microsoft.batch/batchaccounts"


def shown(resource: ComputeResource) -> str:
    """As people read it."""
    id_ = resource.id
    return f"{id_.type} {'/'.join(_names(id_))!r} in {id_.resource_group!r}"


def _names(id_: ResourceId) -> list[str]:
    return id_.text.split("/")[8::2]


def used_by(spec: IdentitySpec) -> set[str]:
    """The variables of its name, and of its group."""
    return {*variables(spec.name or ""), *variables(spec.resource_group or "")}


def types_of(rule: Rule) -> list[str]:
    """The types of a rule, folded."""
    return list(dict.fromkeys(map(folded, rule.match.types)))


def group_patterns(match: Match) -> list[str]:
    """The patterns of the groups that it is for."""
    scopes = [scope.rstrip("/").split("/") for scope in match.scopes]
    return [*match.resource_groups, *(one[4] for one in scopes if len(one) > 4)]


def groups_of(match: Match, parts: Iterable[str]) -> list[str]:
    """Names of groups, with each part in the place of what is open in a pattern."""
    return fitting(group_patterns(match) or ["*"], parts)


def subscriptions(match: Match) -> list[str]:
    """Ids, lower case, that it names; a made-up one where it names none."""
    ids = [folded(entry) for entry in match.subscriptions if is_id(entry)]
    # What a name comes to may be any.
    open_ = ids if ids and len(ids) == len(match.subscriptions) else [*ids, _SUBSCRIPTION]
    named = [scope.split("/")[2] for scope in match.scopes] or ["*"]
    found = (one for each in named for one in (open_ if "*" in each else [folded(each)]))
    return list(dict.fromkeys(found))


def fitting(patterns: Iterable[str], parts: Iterable[str]) -> list[str]:
    """The patterns, with each part in the place of what is open in them."""
    known = list(parts)
    found = [pattern.replace("*", part) for pattern in patterns for part in known]
    return list(dict.fromkeys(found))


def names_of(kind: ComputeType, match: Match, parts: Iterable[str]) -> Iterator[list[str]]:
    """The names of a resource of a type, after those of what it lies in."""
    plain = [part for part in parts if "_" not in part or folded(kind.name) in UNDERSCORES]
    own = fitting(match.names or ["*"], plain)
    if not kind.nested:
        yield from ([name] for name in own)
        return
    parent = folded(kind.name.rpartition("/")[0])
    parents = [part for part in plain if part.isalnum() or parent != _ACCOUNT]
    yield from ([above, name] for above, name in product(parents, own))


def id_of(subscription: str, group: str, kind: ComputeType, names: list[str]) -> ResourceId:
    """The id of a resource of these names, its own last. Raises InvalidResourceId."""
    namespace, *types = kind.name.split("/")
    below = "/".join(f"{type_}/{name}" for type_, name in zip(types, names, strict=True))
    where = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return ResourceId.parse(f"{where}/providers/{namespace}/{below}")


def matched(policy: Policy, id_: ResourceId, location: str) -> Iterator[ComputeResource]:
    """The resource, where the one rule of the policy matches it, or may."""
    match = policy.rules[0].match
    tags = {name: alternatives(values)[0].replace("*", "x") for name, values in match.tags.items()}
    resource = ComputeResource(
        id=id_, location=location, tags=tags, identity=Identity(), kind=",".join(match.kinds)
    )
    rules = rules_for(policy, resource)
    if rules.matching or rules.undecided:
        yield resource


def made_up(id_: ResourceId, location: str) -> ComputeResource:
    """A resource of which nothing else is known."""
    return ComputeResource(id=id_, location=location, tags={}, identity=Identity())
