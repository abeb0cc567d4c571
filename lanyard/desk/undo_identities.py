"""An identity that was taken off a resource, attached again; one that was deleted, described."""

from datetime import datetime
from typing import Protocol

from lanyard.ports.azure import Compute, Identities
from lanyard.record.ledger import Ledger
from lanyard.record.ownership import left_to_others
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import compute_type
from lanyard.values.errors import Permanent
from lanyard.values.removed import RemovedAttachment, RemovedIdentity
from lanyard.values.resource_id import ResourceId
from lanyard.values.roles import role_name


class Estate(Protocol):
    """Where an identity is attached, and what Lanyard remembers of it."""

    @property
    def compute(self) -> Compute:
        """With the rights of the person."""

    @property
    def identities(self) -> Identities:
        """Whether an identity still is the one that it was."""

    @property
    def ledger(self) -> Ledger:
        """What Lanyard attached: that alone it detaches."""


async def attach_again(removed: RemovedAttachment, at: datetime, estate: Estate) -> str:
    """Attach what was taken off at that moment, as Lanyard attaches; returns what was done. From
    then on it is no attachment of Lanyard's, which neither detaches it nor deletes the identity.

    Raises as `attachable`.
    """
    resource, identity = await attachable(removed, at, estate)
    # First: what is attached in between must not be detached again.
    await _give_up(resource.id, identity, estate.ledger)
    if identity in resource.identity.user_assigned:
        return "it is there; left to you from now on"
    await estate.compute.update_identity(resource, add=[identity])
    return "attached again"


async def attachable(
    removed: RemovedAttachment, at: datetime, estate: Estate
) -> tuple[ComputeResource, ResourceId]:
    """The resource as it is now, and the identity that it can have again, or has.

    Raises Permanent where the resource is gone or shows that another one has its id, or where the
    identity has another principal now: that would be access that nobody took away. Raises
    Temporary.
    """
    if not removed.identity:
        raise Permanent(how_to_enable_again(removed))
    identity = ResourceId.parse(removed.identity)
    if await estate.identities.principal(identity) != removed.principal_id:
        who = removed.principal_id or "that it had"
        raise Permanent(f"{identity} no longer has the principal {who}: nothing to attach again")
    resource = await estate.compute.read(ResourceId.parse(removed.resource))
    if resource is None:
        raise Permanent(f"{removed.resource} is gone: there is nothing to attach it to")
    if resource.incarnation != removed.incarnation or resource.created > at.timestamp():
        raise Permanent(
            f"{removed.resource} was made again since: the identity was on the one before it, and "
            "this one never had it"
        )
    if identity not in resource.identity.user_assigned:
        _check_room(resource)
    return resource, identity


def _check_room(resource: ComputeResource) -> None:
    kind, identity = compute_type(resource.id.type), resource.identity
    if (
        kind is not None
        and kind.replaces
        and (identity.user_assigned or identity.system_principal_id)
    ):
        raise Permanent(
            f"{resource.id} has one identity, and works with another one now: change the rule that "
            "gives it that one, and give it back where the resource is defined"
        )


async def _give_up(resource: ResourceId, identity: ResourceId, ledger: Ledger) -> None:
    """Lanyard knows it as its own no more."""
    record = await ledger.resource(resource)
    if identity in record.attachments or identity in record.dedicated:
        await ledger.save(left_to_others(record, identity))


def how_to_enable_again(removed: RemovedAttachment) -> str:
    """Why a system-assigned identity cannot be put back, and what a person does instead."""
    return (
        f"the system-assigned identity of {removed.resource} ended when another one took its "
        f"place, with its principal {removed.principal_id}: one that is enabled again has another. "
        "What you can do: let no rule attach an identity there, enable it where the resource is "
        "defined, and give it again the roles that 'lanyard history --removals' lists"
    )


def how_to_make_again(removed: RemovedIdentity) -> str:
    """Why a deleted identity cannot be put back, and what a person does instead."""
    identity = ResourceId.parse(removed.id)
    roles = [f"{role_name(role.role_id)} at {role.scope}" for role in removed.roles]
    todo = [
        f"make it again (az identity create --subscription {identity.subscription} "
        f"--resource-group {identity.resource_group} --name {identity.name} "
        f"--location {removed.location})",
        f"give it {'; '.join(roles)}" if roles else "",
        f"attach it to {', '.join(removed.resources)}" if removed.resources else "",
    ]
    return (
        f"{identity} cannot be put back: one made under its name has another principal. What you "
        f"can do: {', then '.join(filter(None, todo))}"
    )
