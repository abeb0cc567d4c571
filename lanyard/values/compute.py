"""A compute resource and its identities, as read from ARM. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lanyard.values.resource_id import ResourceId

type PrincipalRef = UserAssigned | SystemAssigned


@dataclass(frozen=True, slots=True)
class UserAssigned:
    """A user-assigned managed identity, as the principal of a grant."""

    id: ResourceId

    def __str__(self) -> str:
        return self.id.name


@dataclass(frozen=True, slots=True)
class SystemAssigned:
    """The system-assigned identity of the resource at hand, as the principal of a grant."""

    def __str__(self) -> str:
        return "system-assigned identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity block of a compute resource, as read.

    `user_assigned` maps each attached identity to its principal id (object id, lower case), or to
    None while Azure has not filled it in: a new identity shows `{}` until the operation ends.
    """

    system_principal_id: str | None = None
    user_assigned: Mapping[ResourceId, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComputeResource:
    """A compute resource as read from ARM a moment ago.

    `location` is ARM's name of it ("westeurope"). `scale_set`: the flexible scale set that a
    machine belongs to. `manual_upgrade`: a uniform scale set whose instances take a change of the
    model only when told. `kubelet` is the identity of an AKS cluster's nodes. `incarnation` differs
    between a resource and another one made later under its id, or is "". `raw` is the whole body,
    for types that only take it back whole.
    """

    id: ResourceId
    location: str
    tags: Mapping[str, str]
    identity: Identity
    provisioning_state: str = "Succeeded"
    etag: str | None = None
    kind: str = ""
    scale_set: ResourceId | None = None
    manual_upgrade: bool = False
    kubelet: ResourceId | None = None
    incarnation: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
