"""Roles that could give themselves more, and where the policy allows them all the same. Pure."""

from lanyard.policy.document import Privileged
from lanyard.policy.patterns import within_one_of
from lanyard.values.resource_id import folded
from lanyard.values.roles import BUILT_IN_ROLES, role_id

_OWNER = BUILT_IN_ROLES["Owner"]
_CONTRIBUTOR = BUILT_IN_ROLES["Contributor"]
_ASSIGNING = {
    _OWNER,
    BUILT_IN_ROLES["User Access Administrator"],
    BUILT_IN_ROLES["Role Based Access Control Administrator"],
}


def is_privileged(role: str, scope: str, can_write_assignments: frozenset[str]) -> bool:
    """Whether a role (GUID) at a scope (id) is one that could give itself more.

    `can_write_assignments` are the custom roles that can. Contributor counts at a subscription or
    wider: there it can run code as every identity of the subscription.
    """
    if is_assigning(role) or role in can_write_assignments:
        return True
    return role == _CONTRIBUTOR and not _within_a_group(scope)


def is_assigning(role: str) -> bool:
    """Whether a role (GUID) is a built-in one that can assign any role."""
    return role in _ASSIGNING


def is_allowed(role: str, scope: str, privileged: Privileged) -> bool:
    """Whether the policy names this role for this scope."""
    return any(
        role_id(entry.role) == role and within_one_of(scope, entry.scopes)
        for entry in privileged.allow
    )


def _within_a_group(scope: str) -> bool:
    return "/resourcegroups/" in folded(scope)
