"""What is kept of an identity before it is deleted: enough to make one like it by hand."""

from collections.abc import Iterable

from lanyard.reconcile.services import Services
from lanyard.values.grants import RoleAssignment
from lanyard.values.removed import HeldRole, RemovedIdentity
from lanyard.values.resource_id import ResourceId


async def as_kept(
    identity: ResourceId, users: Iterable[ResourceId], services: Services
) -> RemovedIdentity | None:
    """All that is kept of an identity that `users` have; None where it is gone already.

    Raises Temporary, Permanent where any of it cannot be read.
    """
    read = await services.identities.details(identity)
    if read is None:
        return None
    found = await services.orphans.find(read.principal_id, identity.subscription)
    return RemovedIdentity(
        id=identity.text,
        location=read.location,
        tags=read.tags,
        principal_id=read.principal_id,
        client_id=read.client_id,
        roles=tuple(_role(each) for each in found),
        resources=tuple(sorted(user.text for user in users)),
    )


def _role(assignment: RoleAssignment) -> HeldRole:
    properties = assignment.raw.get("properties")
    condition = properties.get("condition") if isinstance(properties, dict) else None
    return HeldRole(assignment.scope, assignment.role_id, condition)
