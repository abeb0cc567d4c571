"""What a case expects, held against what the policy gives. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lanyard.desk.policy_tests.given_access import SYSTEM, GivenAccess, NotDone
from lanyard.desk.policy_tests.resources import BadCase
from lanyard.desk.policy_tests.shape import Expected, ExpectedGrant, ExpectedHeld
from lanyard.planning.desired import WantedGrant
from lanyard.policy.templates import TemplateProblem, fill_scope
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned
from lanyard.values.grants import shown_condition
from lanyard.values.resource_id import folded
from lanyard.values.roles import role_id, role_name


class Part(StrEnum):
    """What a case expects something of."""

    ATTACHED = "attached"
    GRANTED = "granted"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is expected and does not come (`missing`), or comes and is not expected.
    `rules`: those that ask for what comes.
    """

    part: Part
    missing: bool
    text: str
    rules: tuple[str, ...] = ()


def differences(
    expected: Expected, given: GivenAccess, resource: ComputeResource
) -> list[Difference]:
    """All of them; none where the case passes. Raises BadCase for an expectation that cannot be."""
    if expected.nothing and (expected.attached or expected.granted or expected.held):
        raise BadCase("'nothing: true' leaves no room for 'attached', 'granted' or 'held'")
    return [
        *_attached(expected.attached, given),
        *_granted(expected.granted, given.granted, resource),
        *_held(expected.held, given.held),
    ]


def _attached(names: Sequence[str], given: GivenAccess) -> Iterator[Difference]:
    left = list(given.attached)
    for name in names:
        found = next((one for one in left if _is(name, one.identity)), None)
        if found is None:
            yield Difference(Part.ATTACHED, True, name)
        else:
            left.remove(found)
    for one in left:
        yield Difference(Part.ATTACHED, False, _name(one.identity), one.rules)


def _granted(
    expected: Sequence[ExpectedGrant], given: Sequence[WantedGrant], resource: ComputeResource
) -> Iterator[Difference]:
    left = list(given)
    for one in expected:
        found = next((grant for grant in left if _gives(one, grant, resource)), None)
        if found is None:
            yield Difference(Part.GRANTED, True, _expected_grant(one, resource))
        else:
            left.remove(found)
    for grant in left:
        yield Difference(Part.GRANTED, False, _grant(grant), grant.rules)


def _held(expected: Sequence[ExpectedHeld], given: Sequence[NotDone]) -> Iterator[Difference]:
    left = list(given)
    for one in expected:
        found = next((entry for entry in left if _holds(one, entry)), None)
        if found is None:
            yield Difference(Part.HELD, True, f"{one.what or 'anything'}, because: {one.why}")
        else:
            left.remove(found)
    for entry in left:
        text = f"{entry.what}, because: {entry.why} ({entry.reason})"
        yield Difference(Part.HELD, False, text, entry.rules)


def _is(name: str, identity: PrincipalRef) -> bool:
    if isinstance(identity, SystemAssigned):
        return folded(name) == SYSTEM
    return folded(name) in (folded(identity.id.name), identity.id.key)


def _gives(expected: ExpectedGrant, grant: WantedGrant, resource: ComputeResource) -> bool:
    return (
        _role(expected.role) == grant.role_id
        and folded(_scope(expected.scope, resource)) == folded(grant.scope)
        and _is(expected.to, grant.to)
        and expected.condition == grant.condition
    )


def _holds(expected: ExpectedHeld, entry: NotDone) -> bool:
    what = expected.what
    known = what is None or folded(role_name(role_id(what) or what)) == folded(entry.what)
    return known and expected.why is entry.why


def _role(name: str) -> str:
    """Raises BadCase for a role that nobody knows: a case that expects it could never pass."""
    if (role := role_id(name)) is None:
        raise BadCase(f"unknown role {name!r}; give a custom one by its GUID")
    return role


def _scope(template: str, resource: ComputeResource) -> str:
    try:
        return fill_scope(template, resource)
    except (TemplateProblem, KeyError) as error:
        raise BadCase(f"the scope {template!r}: {error}") from None


def _expected_grant(one: ExpectedGrant, resource: ComputeResource) -> str:
    role, scope = role_name(_role(one.role)), _scope(one.scope, resource)
    return f"{role} at {scope} to {one.to}{_on(one.condition)}"


def _grant(grant: WantedGrant) -> str:
    return f"{role_name(grant.role_id)} at {grant.scope} to {_name(grant.to)}{_on(grant.condition)}"


def _on(condition: str | None) -> str:
    return "" if condition is None else f" on condition {shown_condition(condition)}"


def _name(identity: PrincipalRef) -> str:
    return SYSTEM if isinstance(identity, SystemAssigned) else str(identity)
