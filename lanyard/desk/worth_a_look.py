"""What of the roles that would be given a person should look at, though nothing holds them."""

from collections.abc import Iterable, Iterator

from lanyard.planning.actions import Action, AssignRole
from lanyard.planning.verdict import Situation
from lanyard.policy.powerful import power
from lanyard.values.grants import Grant
from lanyard.values.permissions import RoleDefinition
from lanyard.values.roles import role_name


def worth_a_look(allowed: Iterable[Action], situation: Situation) -> Iterator[str]:
    """Roles that let their holders act as others, and grants that stand on another condition."""
    conditions = {grant.key: grant.condition for grant in situation.granted}
    for action in allowed:
        if not isinstance(action, AssignRole):
            continue
        new = Grant(action.scope, action.role_id, action.principal_id or "", action.condition)
        if note := standing_otherwise(new, conditions.get(new.key, new.condition)):
            yield note
        role = situation.role(action.role_id, action.scope)
        found = power(role, action.scope) if isinstance(role, RoleDefinition) else None
        if found is not None:
            yield f"{role_name(action.role_id)} at {action.scope} is powerful: who holds it {found}"


def standing_otherwise(wanted: Grant, condition: str | None) -> str:
    """What to know of a wanted grant that stands on this condition (None: on none); "" where that
    is its own.
    """
    if condition == wanted.condition:
        return ""
    return f"{wanted} stands on another condition: it changes unless somebody has it so"
