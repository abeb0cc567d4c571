"""What a plan is made of: each action is one thing done to Azure, for a reason people can read.

`key` distinguishes an action from every other one on its resource: its kind, with the whole ids and
the principal that it is about, in lower case. What is held, released, dismissed or ordered goes by
it; the text is for people alone, and two actions may have the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lanyard.values.compute import PrincipalRef, UserAssigned
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId
from lanyard.values.roles import role_name


@dataclass(frozen=True, slots=True)
class CreateIdentity:
    """Make a user-assigned identity that the policy names and that does not exist.

    A `dedicated` one is made for this resource alone, and deleted with it.
    """

    id: ResourceId
    location: str
    rules: tuple[str, ...] = field(compare=False)
    dedicated: bool = False
    #: Of a dedicated one: so many seconds it is kept when it is no longer needed.
    delete_after: float = 0.0
    #: What it is made with beside Lanyard's own.
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"create identity|{self.id.key}"

    def __str__(self) -> str:
        return f"create identity {self.id.name} in {self.location}"


@dataclass(frozen=True, slots=True)
class AttachIdentity:
    """Attach a user-assigned identity to the resource.

    `in_repair`: it is the second half of a repair whose first one was done, and gives nothing that
    the resource did not have. Without `rules` that alone is why.
    """

    id: ResourceId
    rules: tuple[str, ...] = field(compare=False)
    in_repair: bool = field(compare=False, default=False)

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"attach identity|{self.id.key}"

    def __str__(self) -> str:
        return f"attach identity {self.id.name}"


@dataclass(frozen=True, slots=True)
class ReattachIdentity:
    """Detach and attach again: the identity was deleted and recreated under the same name, the
    resource still holds the dead principal, and nothing but this brings the new one.
    """

    id: ResourceId
    rules: tuple[str, ...] = field(compare=False)

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"reattach identity|{self.id.key}"

    def __str__(self) -> str:
        return f"attach identity {self.id.name} again: it was recreated"


@dataclass(frozen=True, slots=True)
class UpgradeInstances:
    """Bring the instances of a scale set with manual upgrade policy up to date.

    `lagging`: its model was changed before this plan, and they were not brought up to it since.
    """

    rules: tuple[str, ...] = field(compare=False, default=())
    lagging: bool = field(compare=False, default=False)

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return "upgrade instances"

    def __str__(self) -> str:
        return "bring all instances up to date"


@dataclass(frozen=True, slots=True)
class EnableSystemIdentity:
    """Switch on the system-assigned identity of the resource."""

    rules: tuple[str, ...] = field(compare=False)

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return "enable system identity"

    def __str__(self) -> str:
        return "enable the system-assigned identity"


@dataclass(frozen=True, slots=True)
class ReplaceIdentity:
    """Give a resource whose type holds one identity another one, which takes the place of the one
    that it works with: one write gives and takes away.
    """

    new: PrincipalRef
    old: PrincipalRef
    rules: tuple[str, ...] = field(compare=False)

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"replace identity|{self.old.key}|{self.new.key}"

    def __str__(self) -> str:
        if isinstance(self.new, UserAssigned):
            return str(AttachIdentity(self.new.id, self.rules))
        return str(EnableSystemIdentity(self.rules))


@dataclass(frozen=True, slots=True)
class AssignRole:
    """Claim a grant for the resource, and make its role assignment where it is missing.

    `principal_id` is None while the identity does not exist yet: it is known after apply.
    """

    scope: str
    role_id: str
    to: PrincipalRef
    principal_id: str | None
    rules: tuple[str, ...] = field(compare=False)
    condition: str | None = None

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource.

        The principal is part of it: a person who lets an identity have a role does not let the one
        have it that is made under the same name later.
        """
        grant = Grant(self.scope, self.role_id, self.principal_id or "", self.condition)
        return f"assign role|{self.to.key}|{grant.key}|{self.condition or ''}"

    @property
    def key_before(self) -> str:
        """The key that it had while its identity did not exist."""
        return replace(self, principal_id=None).key

    def __str__(self) -> str:
        return f"assign {role_name(self.role_id)} at {self.scope} to {self.to}"


@dataclass(frozen=True, slots=True)
class DetachIdentity:
    """Detach a user-assigned identity that Lanyard attached and no rule asks for any more."""

    id: ResourceId

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"detach identity|{self.id.key}"

    def __str__(self) -> str:
        return f"detach identity {self.id.name}"


@dataclass(frozen=True, slots=True)
class ReleaseGrant:
    """Drop the resource's claim on a grant; the assignment goes when no other claim is left."""

    grant: Grant

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"release grant|{self.grant.key}"

    def __str__(self) -> str:
        return f"unassign {self.grant}"


@dataclass(frozen=True, slots=True)
class DeleteIdentity:
    """Delete an identity made for this resource alone, unless something else uses it."""

    id: ResourceId

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"delete identity|{self.id.key}"

    def __str__(self) -> str:
        return f"delete identity {self.id.name}"


@dataclass(frozen=True, slots=True)
class RemoveOrphans:
    """Remove the assignments of a principal that was seen on the resource and is gone."""

    principal_id: str

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"remove orphans|{self.principal_id}"

    def __str__(self) -> str:
        return f"remove the assignments that principal {self.principal_id} left"


@dataclass(frozen=True, slots=True)
class RemoveUnknown:
    """Remove the assignments of a principal that the directory does not know and that was never
    seen alive.
    """

    principal_id: str

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"remove unknown|{self.principal_id}"

    def __str__(self) -> str:
        return f"remove the assignments of unknown principal {self.principal_id}"


@dataclass(frozen=True, slots=True)
class RevokeUnclaimed:
    """Revoke a grant of Lanyard's that no resource claims any more."""

    grant: Grant

    @property
    def key(self) -> str:
        """What distinguishes it from every other action on the resource."""
        return f"revoke unclaimed|{self.grant.key}"

    def __str__(self) -> str:
        return f"revoke {self.grant}: nothing claims it"


type IdentityChange = (
    AttachIdentity | ReattachIdentity | EnableSystemIdentity | ReplaceIdentity | DetachIdentity
)
type Removal = (
    DetachIdentity | ReleaseGrant | RevokeUnclaimed | DeleteIdentity | RemoveOrphans | RemoveUnknown
)
type Action = CreateIdentity | AssignRole | UpgradeInstances | IdentityChange | Removal

#: Access is given before other access is taken: what moves from one grant to another never gaps.
ORDER: tuple[type, ...] = (
    CreateIdentity,
    AttachIdentity,
    ReattachIdentity,
    EnableSystemIdentity,
    AssignRole,
    ReplaceIdentity,
    DetachIdentity,
    UpgradeInstances,
    ReleaseGrant,
    RevokeUnclaimed,
    DeleteIdentity,
    RemoveOrphans,
    RemoveUnknown,
)


class Given(StrEnum):
    """What an addition gives."""

    ROLE = "role"
    ATTACHMENT = "attachment"
    IDENTITY = "identity"


_GIVEN = {
    "create identity": Given.IDENTITY,
    "attach identity": Given.ATTACHMENT,
    "reattach identity": Given.ATTACHMENT,
    "enable system identity": Given.ATTACHMENT,
    "replace identity": Given.ATTACHMENT,
    "assign role": Given.ROLE,
}


def given_by(key: str) -> Given | None:
    """What the action with this key gives; None where it gives nothing."""
    return _GIVEN.get(key.partition("|")[0])


def gone_principal(key: str) -> str:
    """Whose assignments the action with this key takes away because it is gone (object id); "" of
    any other action.
    """
    what, _, principal = key.partition("|")
    return principal if what in ("remove orphans", "remove unknown") else ""


def changes_identity(action: Action) -> bool:
    """Whether the action writes the identity block of the resource."""
    return isinstance(action, IdentityChange.__value__)


def gives_identity(action: Action) -> bool:
    """Whether the action gives the resource an identity that it does not have, or not alive."""
    return isinstance(action, AttachIdentity | ReattachIdentity | EnableSystemIdentity)


def is_removal(action: Action) -> bool:
    """Whether the action takes access away."""
    return isinstance(action, Removal.__value__)


def takes_away(action: Action) -> bool:
    """Whether any part of it takes something away: a removal, the first half of a repair, and what
    takes the place of another thing.
    """
    return is_removal(action) or isinstance(action, ReattachIdentity | ReplaceIdentity)


def takes_from_resource(action: Action) -> bool:
    """Whether the action takes away what the resource itself has or claims. What a principal left
    that is gone is not the resource's any more.
    """
    return isinstance(action, DetachIdentity | ReplaceIdentity | ReleaseGrant | DeleteIdentity)
