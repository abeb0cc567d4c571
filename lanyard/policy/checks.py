"""What the shape alone does not show: names that must resolve, scopes that must parse, rules that
make no sense. Each check yields the path of the part that is wrong, and what would be right.
"""

import re

from lanyard.policy.contradictions import contradictions
from lanyard.policy.document import IdentitySpec, Policy
from lanyard.policy.identity_tags import tag_problems
from lanyard.policy.keys_together import grant_keys_problem, identity_keys_problem
from lanyard.policy.look_ups import table_problems
from lanyard.policy.matching import scope_pattern_problem
from lanyard.policy.named_subscriptions import subscription_problem
from lanyard.policy.problems import Found, Path, near, unknown
from lanyard.policy.reachable import never_matches
from lanyard.policy.role_names import role_problem
from lanyard.policy.rule import Grant, Rule, Selector
from lanyard.policy.standards import SHIPPED
from lanyard.policy.templates import (
    identity_name_problem,
    resource_group_problem,
    scope_problem,
    variables,
)
from lanyard.values.compute_types import COMPUTE_TYPES, IDENTITY_TYPE, compute_type
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

SYSTEM = "system"
_PATTERN = re.compile(r"[\w.()*-]+")


def check(policy: Policy) -> Found:
    """Every problem, with the path of the part of the file it is in."""
    yield from check_values(policy)
    yield from check_parts(policy)


def check_values(policy: Policy) -> Found:
    """What is wrong with single values, whatever else the file has."""
    for name, contents in policy.standards.items():
        for index, content in enumerate(contents):
            yield from _check_content(
                ("standards", name, index), content.role, content.scope, policy
            )
    for index, rule in enumerate(policy.rules):
        path: Path = ("rules", index)
        yield from _check_types(path, rule)
        yield from _check_selector((*path, "match"), rule.match)
        yield from _check_selector((*path, "match", "exclude"), rule.match.exclude)
        yield from _check_attach(path, rule, policy)
        for position, grant in enumerate(rule.grant):
            yield from _check_grant((*path, "grant", position), grant, policy)
    yield from _check_privileged(policy)


def check_parts(policy: Policy) -> Found:
    """What is wrong with identities, standards and rules as wholes, and beside each other."""
    yield from _check_identities(policy)
    yield from _check_standards(policy)
    yield from _check_rules(policy)
    yield from table_problems(policy.vars)
    yield from contradictions(policy)


def _check_identities(policy: Policy) -> Found:
    for name, spec in policy.identities.items():
        path: Path = ("identities", name)
        if name == SYSTEM:
            yield path, "'system' means the system-assigned identity; choose another name"
        if problem := identity_keys_problem(spec):
            yield path, problem
        elif spec.id is not None:
            yield from _existing(path, spec.id)
        elif spec.name is not None:
            yield from _created(path, spec, spec.name)
        yield from (((*path, *below), message) for below, message in tag_problems(spec))


def _existing(path: Path, id_: str) -> Found:
    try:
        identity = ResourceId.parse(id_)
    except InvalidResourceId as error:
        yield (*path, "id"), str(error)
        return
    if folded(identity.type) != IDENTITY_TYPE or identity.extends:
        yield (*path, "id"), f"{identity} is no user-assigned identity"
    elif problem := identity_name_problem(identity.name):
        yield (*path, "id"), problem


def _created(path: Path, spec: IdentitySpec, name: str) -> Found:
    group = spec.resource_group or ""
    problems = {"name": identity_name_problem(name), "resourceGroup": resource_group_problem(group)}
    for key, problem in problems.items():
        if problem:
            yield (*path, key), problem
    if any(variable.startswith("tags.") for variable in variables(name)):
        yield (*path, "name"), "a tag cannot choose which identity a resource gets"
    elif not any(problems.values()):
        yield from _distinct_names(path, spec, {*variables(name), *variables(group)})


def _distinct_names(path: Path, spec: IdentitySpec, used: set[str]) -> Found:
    """What has one identity each must have a name each, or two would fight over one."""
    if not spec.dedicated and "delete_after_hours" in spec.model_fields_set:
        message = "'deleteAfterHours' is for 'per: resource'; Lanyard deletes no other identity"
        yield (*path, "deleteAfterHours"), message
    if not spec.per:
        yield (*path, "per"), "'per' is empty; write [subscription, location] or resource"
    elif not spec.dedicated:
        if "location" in spec.per and "location" not in used:
            yield (*path, "name"), "one identity per location needs {location} in its name"
        if others := [one for one in variables(spec.name or "") if one not in spec.per]:
            message = (
                f"it is one per {' and '.join(spec.per)}: {{{others[0]}}} would choose another"
            )
            yield (*path, "name"), message
    elif not {"resource.name", "resource.hash"} & used:
        yield (*path, "name"), "one identity per resource needs {resource.name} in its name"
    elif spec.resource_group is not None and not {"resourceGroup", "resource.hash"} & used:
        message = (
            "resources of one name in two groups would share it: leave out 'resourceGroup', or "
            "use {resource.hash} in the name"
        )
        yield (*path, "name"), message


def _check_standards(policy: Policy) -> Found:
    for name, contents in policy.standards.items():
        path: Path = ("standards", name)
        if name.startswith("lanyard/"):
            yield path, "names that begin with 'lanyard/' are those of the shipped standards"
        if not contents:
            yield path, f"the standard {name!r} grants nothing"


def _check_rules(policy: Policy) -> Found:
    seen: set[str] = set()
    for index, rule in enumerate(policy.rules):
        path: Path = ("rules", index)
        if rule.name in seen:
            yield (*path, "name"), f"two rules are named {rule.name!r}"
        seen.add(rule.name)
        for below, message in never_matches(rule.match):
            yield (*path, "match", *below), message
        for position, grant in enumerate(rule.grant):
            at: Path = (*path, "grant", position)
            if problem := grant_keys_problem(grant):
                yield at, problem
            yield from _check_to(at, grant.to, rule)
        if not (rule.attach or rule.system or rule.grant):
            yield path, f"the rule {rule.name!r} attaches and grants nothing"


def _check_types(path: Path, rule: Rule) -> Found:
    for index, name in enumerate(rule.match.types):
        at: Path = (*path, "match", "types", index)
        kind = compute_type(name)
        if kind is None:
            yield at, unknown("type", name, (row.name for row in COMPUTE_TYPES.values()))
        elif not (kind.system_assigned or kind.user_assigned):
            yield at, f"{kind.name} cannot carry an identity: {kind.reason}"
        elif rule.system and not kind.system_assigned:
            yield at, f"{kind.name} has no system-assigned identity: {kind.reason}"
        elif rule.attach and not kind.user_assigned:
            yield at, f"{kind.name} takes no user-assigned identity: {kind.reason}"


def _check_selector(path: Path, selector: Selector) -> Found:
    for index, pattern in enumerate(selector.scopes):
        if problem := scope_pattern_problem(pattern):
            yield (*path, "scopes", index), problem
    for index, entry in enumerate(selector.subscriptions):
        if problem := subscription_problem(entry):
            yield (*path, "subscriptions", index), problem
    for key, patterns in (
        ("names", selector.names),
        ("resourceGroups", selector.resource_groups),
    ):
        for index, pattern in enumerate(patterns):
            if not _PATTERN.fullmatch(pattern):
                yield (*path, key, index), f"no name of Azure's fits {pattern!r}"
    for index, location in enumerate(selector.locations):
        if problem := _location_problem(location):
            yield (*path, "locations", index), problem


def _location_problem(location: str) -> str | None:
    if re.fullmatch(r"[a-z0-9]+", folded(location)):
        return None
    if "*" in location:
        return f"{location!r}: locations have no wildcards; name each one"
    plain = re.sub(r"[^a-z0-9]", "", folded(location)) or "westeurope"
    return f"{location!r} is no location; write it as ARM names it: {plain!r}"


def _check_attach(path: Path, rule: Rule, policy: Policy) -> Found:
    for index, name in enumerate(rule.attach):
        if name == SYSTEM:
            yield (*path, "attach", index), "say 'system: true' in the rule instead"
        elif name not in policy.identities:
            yield (*path, "attach", index), unknown("identity", name, policy.identities)


def _check_grant(path: Path, grant: Grant, policy: Policy) -> Found:
    if grant.standard is not None and grant.standard not in policy.standards | SHIPPED:
        known = [*policy.standards, *SHIPPED]
        yield (*path, "standard"), unknown("standard", grant.standard, known)
    yield from _check_content(path, grant.role, grant.scope, policy)


def _check_to(path: Path, to: str, rule: Rule) -> Found:
    if to == SYSTEM and not rule.system:
        yield (*path, "to"), "the rule grants to 'system'; say 'system: true' in the rule"
    elif to != SYSTEM and to not in rule.attach:
        own = [*rule.attach, *([SYSTEM] if rule.system else [])]
        meant = near(to, own)
        hint = f"; did you mean {meant!r}?" if meant else ""
        yield (*path, "to"), f"the rule grants to {to!r} but does not attach it{hint}"


def _check_content(path: Path, role: str | None, scope: str | None, policy: Policy) -> Found:
    if role is not None:
        yield from _check_role(path, role)
    if scope is not None and (problem := scope_problem(scope, policy.vars)):
        yield (*path, "scope"), problem


def _check_role(path: Path, role: str) -> Found:
    if problem := role_problem(role):
        yield (*path, "role"), problem


def _check_privileged(policy: Policy) -> Found:
    for index, allowed in enumerate(policy.privileged.allow):
        path: Path = ("privileged", "allow", index)
        yield from _check_role(path, allowed.role)
        for position, scope in enumerate(allowed.scopes):
            if problem := scope_pattern_problem(scope):
                yield (*path, "scopes", position), problem
