"""What may be given by the roles' own definitions: privileged ones only where the policy names
them, and none that nobody knows. Pure.
"""

from collections.abc import Iterator
from enum import Enum, auto

from lanyard.planning.actions import AssignRole
from lanyard.planning.desired import WantedGrant
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation, role_key
from lanyard.policy.privileged import is_allowed, privilege
from lanyard.values.errors import Because
from lanyard.values.grants import content_of
from lanyard.values.permissions import RoleDefinition, Unknown
from lanyard.values.roles import role_name


class _Stands(Enum):
    """Whether a role assignment gives it already, on the condition that is wanted or another."""

    NOT = auto()
    SO = auto()
    OTHERWISE = auto()


def not_to_be_given(plan: Plan, situation: Situation) -> Iterator[Held]:
    """Roles that the policy does not allow by name, and those of which nobody knows."""
    for action in _assigns(plan):
        role = situation.role(action.role_id, action.scope)
        allowed = is_allowed(action.role_id, action.scope, situation.policy.privileged)
        if role is Unknown.MISSING:
            yield _missing(action)
        elif not allowed and isinstance(role, RoleDefinition):
            yield from _privileged(action, role, _how_it_stands(action, situation))
        elif not allowed and (failure := _unanswered(action, situation)):
            yield failure
        elif not allowed:
            yield _unreadable(action)


def standing(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What was given before and may not be any more: the policy allowed it then, or the role let
    its holder do less. What an excluded resource keeps is looked at, too.
    """
    planned = {content_of(each.scope, each.role_id, each.to) for each in _assigns(plan)}
    given = {grant.content for grant in situation.granted}
    desired = situation.desired
    for wanted in (*desired.grants, *desired.kept.grants):
        principal = situation.principals.get(wanted.to)
        stands = principal is not None and wanted.granted(principal).content in given
        if not stands or wanted.content in planned:
            continue
        allowed = is_allowed(wanted.role_id, wanted.scope, situation.policy.privileged)
        role = situation.role(wanted.role_id, wanted.scope)
        action = _assign(wanted, situation)
        if not allowed and isinstance(role, RoleDefinition):
            yield from _privileged(action, role, _Stands.SO)
        elif not allowed and (failure := _unanswered(action, situation)):
            yield failure


def _assigns(plan: Plan) -> Iterator[AssignRole]:
    return (action for action in plan.actions if isinstance(action, AssignRole))


def _assign(wanted: WantedGrant, situation: Situation) -> AssignRole:
    principal = situation.principals.get(wanted.to)
    return AssignRole(
        wanted.scope, wanted.role_id, wanted.to, principal, wanted.rules, wanted.condition
    )


def _missing(action: AssignRole) -> Held:
    reason = (
        f"role {action.role_id} at {action.scope}: no role has this id here; "
        "Cosmos DB's data roles are no roles of Azure RBAC"
    )
    release = "name a role that there is: a built-in one, or the GUID of any"
    return Held(action, Because.ROLE, reason, release)


def _unreadable(action: AssignRole) -> Held:
    reason = f"role {action.role_id} at {action.scope}: its definition may not be read"
    release = "let the app read it (Microsoft.Authorization/roleDefinitions/read)"
    return Held(action, Because.ROLE, reason, release)


def _unanswered(action: AssignRole, situation: Situation) -> Held | None:
    """Of a role whose definition cannot be read just now."""
    failure = situation.unanswered.get(role_key(action.role_id, action.scope))
    if failure is None:
        return None
    role, at = action.role_id, action.scope
    reason = f"role {role} at {at}: its definition cannot be read now: {failure}"
    release = "it is asked again by itself"
    return Held(action, Because.CANNOT_BE_ASKED, reason, release, failure=failure)


def _how_it_stands(action: AssignRole, situation: Situation) -> _Stands:
    """Of what is to be given, by what is known to stand."""
    content = content_of(action.scope, action.role_id, action.principal_id)
    for grant in situation.granted:
        if grant.content == content:
            return _Stands.SO if grant.condition == action.condition else _Stands.OTHERWISE
    return _Stands.NOT


def _privileged(action: AssignRole, role: RoleDefinition, stands: _Stands) -> Iterator[Held]:
    if not (operation := privilege(role, action.scope)):
        return
    name, at = role_name(action.role_id), action.scope
    match stands:
        case _Stands.NOT:
            reason = f"{name} at {at} is privileged by {operation}: who holds it can get more"
        case _Stands.SO:
            reason = (
                f"{name} at {at} stands, and is privileged by {operation}: "
                "who holds it can get more"
            )
        case _Stands.OTHERWISE:
            reason = (
                f"{name} at {at} stands on another condition, and is privileged by {operation}: "
                "who holds it can get more"
            )
    release = f"name {name!r} with this scope in 'privileged.allow', or give a smaller role"
    yield Held(action, Because.PRIVILEGED, reason, release)
