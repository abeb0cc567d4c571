"""Conflicts of owners: what is taken away as often as it is given. Pure."""

from collections.abc import Iterator

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    EnableSystemIdentity,
    ReplaceIdentity,
)
from lanyard.planning.givers import grant_key, identity_key
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.values.compute import SystemAssigned, UserAssigned
from lanyard.values.errors import Because
from lanyard.values.grants import Grant

#: An identity or grant is put back so often; whoever takes it away once more decides about it.
MOST_REPAIRS = 3


def contested(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What another owner (Terraform, AKS) takes away again and again is left to people."""
    for action in plan.actions:
        times = situation.repairs.get(repair_key(action), 0)
        if times > MOST_REPAIRS:
            yield Held(
                action,
                Because.CONFLICT,
                f"conflict of owners: it was put back {times - 1} times, and taken away again",
                "let one owner have it: change the rule, or the other owner; release it to try "
                "once more",
                True,
            )


def repair_key(action: Action) -> str:
    """Distinguishes what an action would put back from all else on the resource; "" for what is not
    put back. A grant to another principal is another thing; the system-assigned identity is the
    same one, although it has another principal each time.
    """
    match action:
        case AssignRole(principal_id=str() as principal):
            return grant_key(Grant(action.scope, action.role_id, principal))
        case AttachIdentity(in_repair=False):
            return identity_key(UserAssigned(action.id))
        case EnableSystemIdentity():
            return identity_key(SystemAssigned())
        case ReplaceIdentity():
            return identity_key(action.new)
        case _:
            return ""
