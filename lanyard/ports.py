"""What the product asks of Azure. lanyard/azure/ answers it with the real SDKs.

Every call raises Temporary or Permanent (errors.py) where it fails; principal ids are object ids
in lower case.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from lanyard.model import ComputeResource, Grant, ResourceId, RoleAssignment


class Compute(Protocol):
    """Compute resources and their identity block."""

    async def read(self, resource: ResourceId) -> ComputeResource | None:
        """The resource as it is now; None where ARM says that it does not exist."""

    async def update_identity(
        self,
        resource: ComputeResource,
        *,
        add: Iterable[ResourceId] = (),
        remove: Iterable[ResourceId] = (),
        enable_system: bool = False,
    ) -> ComputeResource:
        """Change the identity block in one write; returns the resource as read after it."""

    async def reattach(self, resource: ComputeResource, identity: ResourceId) -> ComputeResource:
        """Remove an identity and add it again; returns the resource as read after it."""

    async def upgrade_instances(self, resource: ComputeResource) -> None:
        """Bring the instances of a uniform scale set up to date with its model."""


class Identities(Protocol):
    """User-assigned managed identities."""

    async def principal(self, identity: ResourceId) -> str | None:
        """The principal of an existing identity, or None."""

    async def create(self, identity: ResourceId, location: str) -> str:
        """Make the identity where it is missing; returns its principal."""

    async def delete(self, identity: ResourceId) -> None:
        """Delete the identity; a missing one is fine."""


class Assignments(Protocol):
    """Role assignments."""

    async def ensure(self, grant: Grant) -> bool:
        """Make the assignment exist. False where someone else's assignment gives the same."""

    async def read(self, assignment_id: str) -> RoleAssignment | None:
        """The assignment as it is now, or None."""

    async def delete(self, assignment_id: str) -> None:
        """Delete the assignment; a missing one is fine."""

    async def of_principal(self, principal_id: str, subscription: str) -> list[RoleAssignment]:
        """All assignments of a principal at, above and below a subscription."""

    async def can_write_assignments(self, role_id: str, scope: str) -> bool:
        """Whether the role's definition lets its holder assign roles; True where it is unknown."""

    def is_ours(self, assignment: RoleAssignment) -> bool:
        """Whether the assignment carries our stamp."""


class Index(Protocol):
    """Where else to look: eventually consistent, over everything that can be read."""

    async def assignments(self) -> frozenset[str]:
        """The ids (lower case) of all role assignments."""

    async def assignments_of(self, principal_id: str) -> list[str]:
        """The ids of the role assignments of a principal."""

    def resources(self, types: Iterable[str]) -> AsyncIterator[ComputeResource]:
        """Every resource of these types (any case), in the order of their ids."""

    async def resources_with(self, identity: ResourceId) -> list[ResourceId]:
        """The resources that a user-assigned identity is attached to."""


class Directory(Protocol):
    """The second witness."""

    async def existing(self, principals: Iterable[str]) -> frozenset[str]:
        """Those that the directory knows. Raises Temporary where it cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Azure:
    """All of them, for one cloud and one identity."""

    compute: Compute
    identities: Identities
    assignments: Assignments
    index: Index
    directory: Directory
