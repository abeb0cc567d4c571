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

    @property
    def key(self) -> str:
        """What distinguishes it from the other identities of a resource: the whole id, folded."""
        return self.id.key

    def __str__(self) -> str:
        return self.id.name


@dataclass(frozen=True, slots=True)
class SystemAssigned:
    """The system-assigned identity of the resource at hand, as the principal of a grant."""

    @property
    def key(self) -> str:
        """What distinguishes it from the user-assigned ones, whose keys are ids."""
        return "system"

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
    #: Keys of its block that are no resource ids, as they are written, with their principals: they
    #: are somebody else's.
    odd: Mapping[str, str | None] = field(default_factory=dict)
    #: Its type names user-assigned identities, and none is shown.
    shows_none: bool = False

    @property
    def whole(self) -> bool:
        """Whether all that it has is known by its id."""
        return not self.odd and not self.shows_none

    @property
    def principals(self) -> frozenset[str]:
        """All that it shows."""
        shown = {
            self.system_principal_id,
            *self.user_assigned.values(),
            *self.odd.values(),
        }
        return frozenset(each for each in shown if each is not None)

    @property
    def keys(self) -> frozenset[str]:
        """Those of all the identities that it has, as principals."""
        keys = {UserAssigned(identity).key for identity in self.user_assigned}
        system = {SystemAssigned().key} if self.system_principal_id is not None else set()
        return frozenset(keys | system)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity:
    """A user-assigned managed identity, as read from ARM. `location` is ARM's name of it; the ids
    are its object id and its application id, lower case.
    """

    location: str
    tags: Mapping[str, str]
    principal_id: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeResource:
    """A compute resource as read from ARM a moment ago."""

    id: ResourceId
    #: ARM's name of it: "westeurope".
    location: str
    #: Names as Azure keeps them, which compares them in any case.
    tags: Mapping[str, str]
    identity: Identity
    #: As ARM writes it: "Succeeded", "Updating", …
    provisioning_state: str = "Succeeded"
    #: For If-Match; None where the type has none.
    etag: str | None = None
    #: Which other service manages it, by the resource itself, its tags or its group; "" for none.
    managed_by: str = ""
    #: A list in itself: "functionapp,linux".
    kind: str = ""
    #: The flexible scale set that a machine belongs to.
    scale_set: ResourceId | None = None
    #: A uniform scale set whose instances take a change of the model only when they are upgraded.
    manual_upgrade: bool = False
    #: The identity of an AKS cluster's nodes.
    kubelet: ResourceId | None = None
    #: Differs between a resource and another one made later under its id; "" where nothing does.
    incarnation: str = ""
    #: A moment at which it was there, of its creation or its last change, by Azure's clock (seconds
    #: since the epoch); 0 where it shows none.
    dated: float = 0.0
    #: The moment of its creation, as `dated`; 0 where it shows none.
    created: float = 0.0
    #: No other resource of its type has its names anywhere at the same time.
    named_once: bool = False
    #: Identities that its own settings name outside its identity block, with the members that do:
    #: "properties.keyVaultReferenceIdentity".
    names: Mapping[ResourceId, tuple[str, ...]] = field(default_factory=dict)
    #: The members that name its system-assigned identity.
    names_system: tuple[str, ...] = ()
    #: The whole body, for types that only take it back whole.
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
