"""What stands in the way of a write and is named by Azure: a lock, a deny assignment, Azure Policy.

Nothing is wrong with what was asked for: it is done once that is gone, and until then it is held.
"""

from azure.core.exceptions import HttpResponseError

from lanyard.azure.arm.failures import code_of
from lanyard.azure.arm.policy_refusals import refused_by_policy
from lanyard.values.errors import Because, Refused

#: It is tried again so much later (seconds).
_DELAY = 3600.0
# By code: 409 ScopeLocked names the scopes that are locked, 403 DenyAssignmentAuthorizationFailed
# the deny assignment (azure-facts-2, section 8).
_IN_THE_WAY = {
    "ScopeLocked": (
        Because.LOCKED,
        "a lock",
        "have the lock taken off; it goes on by itself",
    ),
    "DenyAssignmentAuthorizationFailed": (
        Because.DENIED,
        "a deny assignment",
        "leave the resource to who manages it, with 'exclude' in the rule; or have the deny "
        "assignment taken off",
    ),
}


def forbidden(what: str, error: HttpResponseError) -> Refused | None:
    """The refusal, with the name of what it is by; None for any other answer."""
    found = _IN_THE_WAY.get(code_of(error))
    if found is None:
        return refused_by_policy(what, error)
    because, kind, release = found
    reason = f"{what}: refused by {kind}: {error.message}"
    return Refused(because, reason, _DELAY, release, releasable=False)
