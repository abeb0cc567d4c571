"""Everything the local Azure knows, apart from HTTP. Keys are lower-case resource ids."""

import random
from collections import UserDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from simulator.behaviour import Behaviour
from simulator.clock import Clock

type Json = dict[str, Any]


@dataclass(frozen=True)
class Activity:
    """One management operation that ended: what the activity log would show, what Event Grid tells.

    `status` is "Succeeded", "Failed" or "Canceled"; `action` as in RBAC ("…/write", "…/delete").
    """

    resource_id: str
    action: str
    method: str
    url: str
    status: str
    caller: Mapping[str, str]  # claims of its token (oid, appid, tid, …); empty for Azure itself
    correlation_id: str
    client_request_id: str
    at: float


@dataclass
class Principal:
    """An object of the directory. A deleted one stays in the recycle bin (`deleted_at`)."""

    object_id: str
    client_id: str
    display_name: str
    kind: str  # "ServicePrincipal" | "User" | "Group"
    created_at: float
    alternative_names: list[str] = field(default_factory=list)
    #: Of an application: the addresses by which tokens are asked for it.
    addresses: list[str] = field(default_factory=list)
    deleted_at: float | None = None


@dataclass
class Resource:
    """Any resource. `identity` is Azure's own JSON block, `type` normalised, or None.

    `graph_table`: Resource Graph's table that has it; ARM's listing of all resources shows what is
    in "resources". "" where neither does.
    """

    id: str
    type: str
    name: str
    location: str
    tags: dict[str, str]
    properties: Json
    identity: Json | None = None
    extra: Json = field(default_factory=dict)  # sku, kind, zones, …: top-level members kept as sent
    etag: int = 1
    created_at: float = 0.0
    provisioning_state: str = "Succeeded"
    shows_state: bool = False  # whether `properties` carry the provisioning state
    system_data: Json | None = None  # who made and changed it, of types that show it
    graph_table: str = "resources"


@dataclass
class RoleDefinition:
    """`guid` is the name; the permission lists are Azure's own, wildcards included."""

    guid: str
    role_name: str
    description: str
    kind: str  # "BuiltInRole" | "CustomRole"
    actions: list[str]
    not_actions: list[str]
    data_actions: list[str]
    not_data_actions: list[str]
    assignable_scopes: list[str] = field(default_factory=lambda: ["/"])
    #: When it was made and last changed, and by which object id; of a custom role alone.
    created_at: float | None = None
    created_by: str | None = None
    updated_at: float | None = None
    updated_by: str | None = None


@dataclass
class RoleAssignment:
    """As stored by Microsoft.Authorization (2022-04-01). `id` keeps the caller's casing."""

    id: str
    name: str
    scope: str
    role_definition_id: str
    principal_id: str
    principal_type: str
    description: str | None
    condition: str | None
    condition_version: str | None
    created_at: float
    created_by: str
    updated_at: float
    updated_by: str
    effective_at: float = 0.0  # when the grant has propagated
    deleted_at: float | None = None  # set on the copy in `revoked_assignments`


@dataclass
class Subscription:
    """A subscription of the one tenant. `management_groups`: its ancestors' names, the nearest
    first, without the tenant's root.
    `tenant`: of another one, which delegates it (Azure Lighthouse); "" for the one.
    """

    id: str
    display_name: str
    management_groups: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    tenant: str = ""


class Observed[Value](UserDict[str, Value]):
    """A dictionary that tells of each change: `(key, before, after)`, None for absent.

    Values are replaced, never changed in place: whoever looks at the past relies on it.
    """

    def __init__(self) -> None:
        self._observers: list[Callable[[str, Value | None, Value | None], None]] = []
        super().__init__()

    def observe(self, observer: Callable[[str, Value | None, Value | None], None]) -> None:
        """Call `observer` at each change, before it is made."""
        self._observers.append(observer)

    def __setitem__(self, key: str, value: Value) -> None:
        self._tell(key, value)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self._tell(key, None)
        super().__delitem__(key)

    def _tell(self, key: str, after: Value | None) -> None:
        before = self.get(key)
        for observer in self._observers:
            observer(key, before, after)


class Ids:
    """Seeded ids: the same seed gives the same ids in the same order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def uuid(self) -> str:
        """A new lower-case GUID."""
        return str(UUID(int=self.random.getrandbits(128), version=4))


class State:
    """The whole of one local Azure. Services add their own parts in their own packages."""

    def __init__(
        self, *, seed: int = 1, clock: Clock | None = None, behaviour: Behaviour | None = None
    ) -> None:
        self.clock = clock or Clock()
        self.ids = Ids(seed)
        self.behaviour = behaviour or Behaviour()
        self.tenant_id = self.ids.uuid()
        self.subscriptions: dict[str, Subscription] = {}
        self.resources: Observed[Resource] = Observed()  # resource groups included
        self.deleted_groups: set[str] = set()  # lower-case ids
        self.moving_groups: set[str] = set()  # locked by a move; lower-case ids
        self.unregistered: set[tuple[str, str]] = set()  # subscription and namespace, lower case
        self.principals: dict[str, Principal] = {}
        self.group_members: dict[str, set[str]] = {}  # a group's object id → its members'
        self.role_definitions: dict[str, RoleDefinition] = {}  # by lower-case GUID
        self.role_assignments: Observed[RoleAssignment] = Observed()  # by lower-case id
        self.revoked_assignments: list[RoleAssignment] = []  # still effective for a while
        self._listeners: list[Callable[[Activity], None]] = []

    def add_subscription(self, display_name: str) -> Subscription:
        """A new, empty subscription."""
        subscription = Subscription(self.ids.uuid(), display_name)
        self.subscriptions[subscription.id] = subscription
        return subscription

    def add_principal(
        self, display_name: str, kind: str = "ServicePrincipal", names: list[str] | None = None
    ) -> Principal:
        """A new object in the directory."""
        principal = Principal(
            self.ids.uuid(), self.ids.uuid(), display_name, kind, self.clock.now(), names or []
        )
        self.principals[principal.object_id] = principal
        return principal

    def add_group(self, display_name: str, members: Iterable[str] = ()) -> Principal:
        """A new group of these object ids, which may be groups themselves.

        Who joins and leaves later: `group_members`.
        """
        group = self.add_principal(display_name, "Group")
        self.group_members[group.object_id] = set(members)
        return group

    def delete_principal(self, object_id: str) -> None:
        """Into the directory's recycle bin. Its role assignments stay, as in Azure."""
        if principal := self.principals.get(object_id):
            principal.deleted_at = self.clock.now()

    def on_activity(self, listener: Callable[[Activity], None]) -> None:
        """Call `listener` for each management operation that ends."""
        self._listeners.append(listener)

    def publish(self, activity: Activity) -> None:
        """Tell all listeners, in order of their registration."""
        for listener in self._listeners:
            listener(activity)
