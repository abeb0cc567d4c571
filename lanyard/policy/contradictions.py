"""Parts of a policy that ask for two things at once."""

from collections.abc import Iterator

from lanyard.policy.document import Grant, Match, Policy, Rule, contents
from lanyard.policy.problems import Found, Path
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
            role = role_id(content.role) or content.role
            key = (_normal(rule.match), content_of(content.scope, role, grant.to))
            condition, first = seen.setdefault(key, (content.condition, rule.name))
            if condition != content.condition:
                yield path, f"rule {first!r} gives the same role under another condition"


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
