"""Parts of a policy that ask for two things at once."""

from collections.abc import Iterator

from lanyard.policy.document import Policy, contents
from lanyard.policy.overlaps import may_meet
from lanyard.policy.problems import Found, Path
from lanyard.policy.rule import Grant, Match, Rule
from lanyard.policy.scope_overlaps import Patterns, may_be_one, scope_patterns
from lanyard.policy.standards import GrantContent
from lanyard.policy.templates import variables
from lanyard.values.compute_types import compute_type
from lanyard.values.grants import Content, content_of
from lanyard.values.resource_id import folded
from lanyard.values.roles import role_id

#: Switches of a rule that two rules for the same resources must agree on, and the file's keys.
_SWITCHES = {"imds_default": "imdsDefault", "restart": "restart", "replace": "replace"}


def contradictions(policy: Policy) -> Found:
    """Every one, at the later of the two parts."""
    yield from _same_identity(policy)
    yield from _switches(policy)
    yield from _conditions(policy)
    yield from _one_identity_only(policy)


def _same_identity(policy: Policy) -> Found:
    seen: dict[str, str] = {}
    for name, spec in policy.identities.items():
        key = folded(spec.id or f"{spec.resource_group}/{spec.name}")
        if key in seen:
            yield ("identities", name), f"{name!r} and {seen[key]!r} are the same identity"
        seen.setdefault(key, name)


def _switches(policy: Policy) -> Found:
    set_by: dict[tuple[str, str], dict[str, str]] = {}
    for index, rule in enumerate(policy.rules):
        for field in _SWITCHES.keys() & rule.model_fields_set:
            # The first rule for the same resources that says so; its name is enough.
            first = set_by.setdefault((_normal(rule.match), field), {})
            value = getattr(rule, field)
            for other in first.keys() - {value}:
                message = f"rule {first[other]!r} says the opposite"
                yield ("rules", index, _SWITCHES[field]), message
            first.setdefault(value, rule.name)


def _conditions(policy: Policy) -> Found:
    """Azure keeps one assignment for a role, scope and principal: it has one condition."""
    seen: dict[tuple[str, Content[str]], tuple[str | None, str]] = {}
    for path, grant, rule in _grants(policy):
        for content in contents(policy, grant):
            # What every resource has as one is one for whatever the rules are for.
            match = "" if _is_one(policy, content.scope, grant.to) else _normal(rule.match)
            key = (match, _content(content, grant))
            condition, first = seen.setdefault(key, (content.condition, rule.name))
            if condition != content.condition:
                yield path, f"rule {first!r} gives the same role under another condition"


def may_contradict(policy: Policy) -> Found:
    """Grants that may come to be one of two conditions, at the later of the two: of one identity
    for many resources, or for a resource that may fit both rules. Only the estate shows it.
    """
    seen: dict[tuple[str, str], list[tuple[str | None, Rule, list[Patterns]]]] = {}
    for path, grant, rule in _grants(policy):
        shared = _is_shared(policy, grant.to)
        for content in contents(policy, grant):
            condition, scopes = content.condition, scope_patterns(content.scope, rule)
            others = seen.setdefault((_role(content), grant.to), [])
            for its, other, theirs in others:
                meet = its != condition and may_be_one(theirs, scopes)
                if meet and (shared or may_meet(other.match, rule.match)):
                    message = (
                        f"rule {other.name!r} gives the same role on another condition: where both "
                        "come to one assignment, neither changes it"
                    )
                    yield path, message
            others.append((condition, rule, scopes))


def _content(content: GrantContent, grant: Grant) -> Content[str]:
    return content_of(content.scope.rstrip("/"), _role(content), grant.to)


def _role(content: GrantContent) -> str:
    return role_id(content.role) or content.role


def _is_one(policy: Policy, scope: str, to: str) -> bool:
    """Whether a scope and an identity are the same for every resource. One that Lanyard makes is
    another one in each subscription.
    """
    spec = policy.identities.get(to)
    return spec is not None and spec.id is not None and not any(variables(scope))


def _is_shared(policy: Policy, to: str) -> bool:
    spec = policy.identities.get(to)
    return spec is not None and not spec.dedicated


def _one_identity_only(policy: Policy) -> Found:
    for index, rule in enumerate(policy.rules):
        single = [name for name in rule.match.types if _takes_one(name)]
        if single and len(rule.attach) + rule.system > 1:
            yield ("rules", index, "attach"), f"{single[0]} has one identity only"
    seen: dict[str, dict[str, str]] = {}
    for index, rule in enumerate(policy.rules):
        single = [name for name in rule.match.types if _takes_one(name)]
        attached = seen.setdefault(_normal(rule.match), {}) if single else {}
        for other in attached.keys() - set(rule.attach) if rule.attach else ():
            message = (
                f"{single[0]} has one identity only, and rule {attached[other]!r} attaches another"
            )
            yield ("rules", index, "attach"), message
        attached |= {name: rule.name for name in rule.attach if name not in attached}


def _takes_one(type_name: str) -> bool:
    kind = compute_type(type_name)
    return kind is not None and kind.replaces


def _normal(match: Match) -> str:
    return folded(match.model_dump_json())


def _grants(policy: Policy) -> Iterator[tuple[Path, Grant, Rule]]:
    for index, rule in enumerate(policy.rules):
        for position, grant in enumerate(rule.grant):
            yield ("rules", index, "grant", position), grant, rule
