"""What was removed, as it is shown in one line."""

from lanyard.cli.frame.names import short
from lanyard.values.removed import Removed, RemovedAssignment, RemovedAttachment, RemovedIdentity
from lanyard.values.roles import role_name


def shown_removed(removed: Removed) -> str:
    """For people, short."""
    match removed:
        case RemovedAssignment() if not removed.whole:
            return "a role assignment that is not whole on record"
        case RemovedAssignment(grant=grant):
            return f"{role_name(grant.role_id)} at {short(grant.scope)} for {grant.principal_id}"
        case RemovedAttachment(identity=identity, resource=resource):
            named = short(identity) if identity else "the system-assigned identity"
            return f"{named} on {short(resource)}"
        case RemovedIdentity(id=id):
            return f"identity {short(id)}"
