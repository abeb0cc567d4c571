"""Grants of a good policy that are worth a look: by what their roles let their holders do."""

from lanyard.policy.document import Policy, contents
from lanyard.policy.powerful import power
from lanyard.policy.privileged import privilege
from lanyard.policy.problems import Found
from lanyard.policy.templates import sample_scope
from lanyard.values.permissions import RoleDefinition
from lanyard.values.roles import listed_role, role_id


def grants_to_look_at(policy: Policy) -> Found:
    """Every grant of a listed role by which its holder can act as others, or take everything that
    is there; and of one that is privileged, and that the policy does not name. What other roles
    allow only Azure knows: `plan` asks it.
    """
    for index, rule in enumerate(policy.rules):
        for position, grant in enumerate(rule.grant):
            for content in contents(policy, grant):
                role = listed_role(role_id(content.role) or "")
                scopes = [sample_scope(content.scope, type_) for type_ in rule.match.types]
                found = _why(role, scopes, policy) if role is not None else ""
                if role is not None and found:
                    message = f"{role.name} at {content.scope} is {found}"
                    yield ("rules", index, "grant", position), message


def _why(role: RoleDefinition, scopes: list[str], policy: Policy) -> str:
    """By the first of the scopes at which there is a reason."""
    if operation := next(filter(None, (privilege(role, scope) for scope in scopes)), ""):
        named = any(role_id(entry.role) == role.id for entry in policy.privileged.allow)
        held = "it is held unless 'privileged.allow' names it"
        return "" if named else f"privileged by {operation}: {held}"
    found = next(filter(None, (power(role, scope) for scope in scopes)), None)
    return "" if found is None else f"powerful: who holds it {found}"
