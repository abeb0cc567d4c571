"""Conflicts of owners: what was put back on a resource and taken away again. Pure."""

from collections.abc import Iterator

from lanyard.planning.actions import Action, AssignRole, AttachIdentity, ReplaceIdentity
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.values.errors import Because
from lanyard.values.grants import Grant

#: An identity or grant that others took away this often is theirs to decide about.
MOST_REPAIRS = 3


def contested(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What another owner (Terraform, AKS) takes away again and again is left to people."""
    for action in plan.actions:
        times = situation.repairs.get(repair_key(action), 0)
        if times >= MOST_REPAIRS:
            yield Held(
                action,
                Because.CONFLICT,
                f"conflict of owners: it was put back {times} times, and taken away again",
                "let one owner have it: change the rule, or the other owner; release it to try "
                "once more",
                True,
            )


def repair_key(action: Action) -> str:
    """Distinguishes what an action would put back from all else on the resource; "" for what is not
    put back. Another principal is another thing.
    """
    match action:
        case AssignRole(principal_id=str() as principal):
            return f"grant {Grant(action.scope, action.role_id, principal).name}"
        case AttachIdentity(in_repair=False):
            return f"identity {action.id.key}"
        case ReplaceIdentity():
            return f"identity {action.new.key}"
        case _:
            return ""
