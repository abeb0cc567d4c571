"""Which identity may be deleted, and what is kept of it: enough to make one like it by hand."""

from lanyard.reconcile.services import Services
from lanyard.values.compute import ManagedIdentity
from lanyard.values.grants import RoleAssignment
from lanyard.values.own_identity import Dedicated
from lanyard.values.removed import HeldRole, RemovedIdentity
from lanyard.values.resource_id import ResourceId


def is_deletable(
    own: Dedicated, current: ManagedIdentity, owner: ResourceId, services: Services
) -> bool:
    """Whether what is there now is still the one that was made for `owner`, and not the app's own,
    whatever its tags say.
    """
    if current.principal_id == services.own_principal:
        return False
    return own.is_still(current, owner, services.assignments.installation)


async def as_kept(
    identity: ResourceId, read: ManagedIdentity, owner: ResourceId, services: Services
) -> RemovedIdentity:
    """All that is kept of an identity that was made for `owner`, as it was read.

    Raises Temporary, Permanent where its roles cannot be read.
    """
    found = await services.orphans.find(read.principal_id, identity.subscription)
    return RemovedIdentity(
        id=identity.text,
        location=read.location,
        tags=read.tags,
        principal_id=read.principal_id,
        client_id=read.client_id,
        roles=tuple(_role(each) for each in found),
        resources=(owner.text,),
    )


def _role(assignment: RoleAssignment) -> HeldRole:
    properties = assignment.raw.get("properties")
    condition = properties.get("condition") if isinstance(properties, dict) else None
    return HeldRole(assignment.scope, assignment.role_id, condition)
