"""Resources, role assignments and role definitions as a listing of many shows them."""

from dataclasses import dataclass

from lanyard.values.compute import ComputeResource
from lanyard.values.grants import Content, content_of


@dataclass(frozen=True, slots=True)
class Listed:
    """A resource as the index shows it.

    `compute` is there for compute of a type that Lanyard knows. `principals` are the object ids
    that it shows: of its system-assigned identity (`system_principal`), of attached ones, its own
    (`own_principal`, of a user-assigned identity). `attached` are user-assigned identities, in
    lower case.
    """

    id: str
    compute: ComputeResource | None
    attached: frozenset[str]
    principals: frozenset[str]
    own_principal: str | None
    system_principal: str | None = None


@dataclass(frozen=True, slots=True)
class ListedAssignment:
    """A role assignment as the index shows it; `principal_type` as ARM writes it. Ids of principal
    and role are lower case.
    """

    id: str
    scope: str
    role_id: str
    principal_id: str
    principal_type: str
    description: str
    created: str

    @property
    def content(self) -> Content[str]:
        """See `content_of`."""
        return content_of(self.scope, self.role_id, self.principal_id)


@dataclass(frozen=True, slots=True)
class ListedRole:
    """A role definition as the index shows it: its GUID (lower case), its display name, and whether
    it lets its holder assign roles (True also where its permissions are not shown).
    """

    role_id: str
    name: str
    assigns_roles: bool
