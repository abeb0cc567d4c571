"""What the product asks of Azure. lanyard/azure/ answers it with the real SDKs.

Every call raises Temporary or Permanent (errors.py) where it fails; principal ids are object ids
in lower case.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from lanyard.values.compute import ComputeResource, ManagedIdentity
from lanyard.values.grants import Described, Given, Grant, RoleAssignment
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.own_identity import Created
from lanyard.values.permissions import Definition
from lanyard.values.removed import RemovedAssignment
from lanyard.values.resource_id import ResourceId
from lanyard.values.subscriptions import Subscriptions


class Compute(Protocol):
    """Compute resources and their identity block."""

    def writing(self, resource: ResourceId) -> AbstractContextManager[None]:
        """While the context is open work goes on that may write to the resource. Raises NotYet
        where a write would have to wait for Azure's quota.
        """

    async def read(self, resource: ResourceId) -> ComputeResource | None:
        """The resource as it is now; None where ARM says that it does not exist."""

    async def unchanged(self, resource: ComputeResource) -> ComputeResource:
        """The resource as it is now; raises Temporary where it, or its identities, changed."""

    async def update_identity(
        self,
        resource: ComputeResource,
        *,
        add: Iterable[ResourceId] = (),
        remove: Iterable[ResourceId] = (),
        enable_system: bool = False,
    ) -> ComputeResource:
        """Change the identity block in one write; returns the resource as read after it."""

    def alone(self, resource: ComputeResource) -> AbstractAsyncContextManager[None]:
        """While the context is open nothing is written whose write excludes this one's. Raises
        NotYet where that takes long.
        """

    async def upgrade_instances(self, resource: ComputeResource) -> None:
        """Bring the instances of a uniform scale set up to date with its model."""


class Identities(Protocol):
    """User-assigned managed identities."""

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """The identity as it is now, or None."""

    async def principal(self, identity: ResourceId) -> str | None:
        """The principal of an existing identity, or None."""

    async def create(self, identity: ResourceId, location: str, tags: Mapping[str, str]) -> Created:
        """Make the identity with these tags. One that is there all the same stays, and gets the
        tags in the place of its own.
        """

    async def associated(self, identity: ResourceId) -> int:
        """How many resources have the identity, those that the caller cannot read included."""

    async def federated(self, identity: ResourceId) -> list[str]:
        """The names of its federated credentials."""

    async def delete(self, identity: ResourceId) -> None:
        """Delete the identity; a missing one is fine."""


class Granting(Protocol):
    """What a grant of the kind *role assignment* needs: that, made, read and deleted. Another kind
    would have its adapter beside this one (docs/dev/adr/0014).
    """

    async def ensure(self, grant: Grant, *, was_theirs: bool = False) -> Given:
        """Make the assignment exist. `was_theirs`: another owner's had its name. Not ours where
        someone else's gives the same; raises Refused where it stands in its place and does not.
        """

    async def giving(self, grant: Grant) -> RoleAssignment | None:
        """The one assignment of the grant's content as it is now, whoever made it and whatever its
        condition.
        """

    async def read(self, assignment_id: str) -> RoleAssignment | None:
        """The assignment as it is now, or None."""

    async def delete(self, assignment_id: str) -> None:
        """Delete the assignment; a missing one is fine."""

    def is_ours(self, assignment: Described) -> bool:
        """Whether the assignment has exactly our stamp, and our name or the one that it was adopted
        under.
        """


class Assignments(Granting, Protocol):
    """Role assignments and role definitions."""

    @property
    def installation(self) -> str:
        """Whose assignments count as ours (GUID, lower case); "" where nobody knows."""

    async def restore(self, removed: RemovedAssignment) -> None:
        """Put an assignment back as it was read. One of ours says from then on that it was put
        back, and is no more ours.
        """

    async def withdraw(self, assignment_id: str) -> bool:
        """Take an assignment that was put back for our own again; whether it is ours then."""

    async def adopt(self, assignment: RoleAssignment) -> None:
        """Make somebody else's assignment ours: its description alone changes, and keeps the one
        that it had. Raises Permanent where it cannot.
        """

    async def disown(self, assignment: RoleAssignment) -> None:
        """Leave an adopted one to others again, with the description that it had."""

    async def of_principal(self, principal_id: str, subscription: str) -> list[RoleAssignment]:
        """All assignments of a principal at, above and below a subscription."""

    async def definition(self, role_id: str, scope: str) -> Definition:
        """What a role (GUID) lets its holder do, as it is defined where `scope` is."""


class Index(Protocol):
    """Where else to look: eventually consistent, over everything that can be read.

    A listing that is not complete raises Temporary.
    """

    def resources(self, types: Iterable[str]) -> AsyncIterator[Listed]:
        """Every resource of these types (any case) and every other one that has an identity, in
        the order of their ids.
        """

    def batch_pools(self) -> AsyncIterator[Listed]:
        """Every Batch pool: where `resources` was asked for accounts and not for pools."""

    def assignments(self) -> AsyncIterator[ListedAssignment | ListedRole]:
        """Every role assignment, and every role definition."""

    async def subscriptions(self) -> Subscriptions:
        """Every subscription, by its id (lower case)."""

    async def assignments_of(self, principal_id: str) -> list[str]:
        """The ids of the role assignments of a principal."""

    async def shows(self, resource: ResourceId) -> bool:
        """Whether a resource or identity is listed."""

    async def resources_with(self, identity: ResourceId) -> list[str]:
        """The ids, as listed, of the resources, of any type, that a user-assigned identity is
        attached to. One that is not listed itself may be in use all the same: Temporary.
        """

    async def showing(self, principal_id: str) -> list[Listed]:
        """The resources whose identity block, or own properties, show a principal."""

    async def named(self, resource_type: str, names: str) -> list[Listed]:
        """The resources of a type (any case) that have all these names (`ResourceId.names`),
        anywhere: the slot "a/staging" is not "b/staging".
        """


class Directory(Protocol):
    """The second source, beside ARM, of whether a principal is gone."""

    async def existing(self, principals: Iterable[str]) -> frozenset[str]:
        """Those that the directory knows. Raises Temporary where it cannot be trusted."""

    async def exists(self, principal_id: str) -> bool:
        """Whether it knows this one, asked for it alone."""

    async def restorable(self, principal_id: str) -> bool:
        """Whether the principal is in the recycle bin and somebody could bring it back."""


class ActivityLog(Protocol):
    """What somebody did, as Azure keeps it."""

    async def deleted(
        self, resource_id: str, subscription: str, since: float, until: float
    ) -> bool:
        """Whether somebody deleted a resource, a group or a role assignment between two moments
        (seconds since the epoch), as far as the log shows. What goes with what it lies in is no
        deletion of its own.
        """


class Obstacles(Protocol):
    """What stands in the way of writes, whatever rights one has."""

    async def in_subscription(self, subscription: str) -> frozenset[str]:
        """The ids (lower case) of the locks and deny assignments at a subscription and below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Azure:
    """All of them, for one cloud and one identity."""

    #: Of any type that can have an identity.
    compute: Compute
    #: The user-assigned ones.
    identities: Identities
    #: Of roles, and their definitions.
    assignments: Assignments
    #: Resource Graph.
    index: Index
    #: Microsoft Entra.
    directory: Directory
    #: Who deleted what.
    activity_log: ActivityLog
    #: Locks and deny assignments.
    obstacles: Obstacles
    #: The object id (lower case) of the app's own identity; "" where it is not known.
    own_principal: str = ""
    #: Waits so many seconds, by the clock that Azure's answers go by.
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
