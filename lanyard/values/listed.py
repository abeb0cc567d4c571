"""Resources, role assignments and role definitions as a listing of many shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lanyard.values.compute import ComputeResource
from lanyard.values.grants import Content, content_of
from lanyard.values.permissions import Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A resource as the index shows it. Principals are object ids, lower case."""

    #: As the index writes it, in any case.
    id: str
    #: Where it is compute of a type that Lanyard knows, as far as its row can be read.
    compute: ComputeResource | None
    #: It is compute of a type that Lanyard knows, and its row cannot be read as a whole.
    unread: bool = False
    #: As they are written; of a resource of any type.
    tags: Mapping[str, str] = field(default_factory=dict)
    #: The user-assigned identities attached to it, folded ids.
    attached: frozenset[str]
    #: All that it shows: of its system-assigned identity, of attached ones, its own.
    principals: frozenset[str]
    #: Of a user-assigned identity: its own.
    own_principal: str | None
    #: Of its system-assigned identity.
    system_principal: str | None = None
    #: The tenant (lower case) of these two, "" where it does not show it.
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAssignment:
    """A role assignment as the index shows it."""

    #: As the index writes it, in any case, as is `scope`.
    id: str
    scope: str
    #: The role definition's GUID, lower case.
    role_id: str
    #: Object id, lower case.
    principal_id: str
    #: As ARM writes it: "ServicePrincipal", "User", …
    principal_type: str
    #: Whatever its maker wrote; of Lanyard's own, the stamp.
    description: str
    #: What it is bound to, None where it holds without one.
    condition: str | None = None
    #: When it was made (ISO 8601), "" where the index does not show it.
    created: str

    @property
    def content(self) -> Content[str]:
        """See `content_of`."""
        return content_of(self.scope, self.role_id, self.principal_id)


@dataclass(frozen=True, slots=True)
class ListedRole:
    """A role definition as the index shows it: its GUID (lower case), its display name, and what
    it lets its holder do.
    """

    role_id: str
    name: str
    definition: Definition
