"""What the shape alone cannot tell: names that must resolve, scopes that must parse."""

import difflib
from collections.abc import Iterable, Iterator

from lanyard.azure.compute_types import COMPUTE_TYPES, compute_type
from lanyard.model import InvalidResourceId, ResourceId
from lanyard.policy.document import Grant, IdentitySpec, Policy, Rule
from lanyard.policy.matching import scope_pattern_problem
from lanyard.policy.templates import name_problem, scope_problem, variables
from lanyard.roles import BUILT_IN_ROLES, role_id

type Path = tuple[str | int, ...]
type Found = Iterator[tuple[Path, str]]

SYSTEM = "system"


def check(policy: Policy) -> list[tuple[Path, str]]:
    """Every problem, with the path of the part of the file it is in."""
    return [*_check_identities(policy), *_check_rules(policy)]


def _check_identities(policy: Policy) -> Found:
    for name, spec in policy.identities.items():
        path: Path = ("identities", name)
        if name == SYSTEM:
            yield path, "'system' means the system-assigned identity; choose another name"
        yield from _existing(path, spec) if spec.id is not None else _created(path, spec)


def _existing(path: Path, spec: IdentitySpec) -> Found:
    if spec.name is not None or spec.resource_group is not None:
        yield path, "an identity has either 'id' (an existing one) or 'name' and 'resourceGroup'"
    try:
        identity = ResourceId.parse(spec.id or "")
    except InvalidResourceId as error:
        yield (*path, "id"), str(error)
        return
    if identity.type.lower() != "microsoft.managedidentity/userassignedidentities":
        yield (*path, "id"), f"{identity} is no user-assigned identity"


def _created(path: Path, spec: IdentitySpec) -> Found:
    if spec.name is None or spec.resource_group is None:
        yield path, "an identity needs 'id' (an existing one) or 'name' and 'resourceGroup'"
        return
    for key, template in (("name", spec.name), ("resourceGroup", spec.resource_group)):
        if problem := name_problem(template):
            yield (*path, key), problem
        elif any(variable.startswith("tags.") for variable in variables(template)):
            yield (*path, key), "a tag cannot choose which identity a resource gets"
    # Two regions would otherwise fight over the location of one identity.
    if "location" in spec.per and not name_problem(spec.name) and "{location}" not in spec.name:
        yield (*path, "name"), "one identity per location needs {location} in its name"


def _check_rules(policy: Policy) -> Found:
    seen: set[str] = set()
    for index, rule in enumerate(policy.rules):
        path: Path = ("rules", index)
        if rule.name in seen:
            yield (*path, "name"), f"two rules are named {rule.name!r}"
        seen.add(rule.name)
        yield from _check_match(path, rule)
        yield from _check_attach(path, rule, policy)
        for position, grant in enumerate(rule.grant):
            yield from _check_grant((*path, "grant", position), grant, rule)
        if not (rule.attach or rule.system or rule.grant):
            yield path, f"the rule {rule.name!r} attaches and grants nothing"


def _check_match(path: Path, rule: Rule) -> Found:
    for index, name in enumerate(rule.match.types):
        if compute_type(name) is None:
            known = [row.name for row in COMPUTE_TYPES.values()]
            yield (*path, "match", "types", index), _unknown("type", name, known)
    for index, pattern in enumerate(rule.match.scopes):
        if problem := scope_pattern_problem(pattern):
            yield (*path, "match", "scopes", index), problem


def _check_attach(path: Path, rule: Rule, policy: Policy) -> Found:
    for index, name in enumerate(rule.attach):
        if name not in policy.identities:
            yield (*path, "attach", index), _unknown("identity", name, policy.identities)


def _check_grant(path: Path, grant: Grant, rule: Rule) -> Found:
    if role_id(grant.role) is None:
        yield (*path, "role"), _unknown("role", grant.role, BUILT_IN_ROLES)
    if problem := scope_problem(grant.scope):
        yield (*path, "scope"), problem
    if grant.to == SYSTEM and not rule.system:
        yield (*path, "to"), "the rule grants to 'system'; say 'system: true' in the rule"
    elif grant.to != SYSTEM and grant.to not in rule.attach:
        yield (*path, "to"), f"the rule grants to {grant.to!r} but does not attach it"


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    by_lower = {entry.lower(): entry for entry in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    hint = (
        f"did you mean {by_lower[near[0]]!r}?" if near else "known: " + ", ".join(by_lower.values())
    )
    return f"unknown {what} {name!r}; {hint}"
