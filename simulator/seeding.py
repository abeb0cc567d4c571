"""A large estate, straight in the state: for what cannot wait for ten thousand requests.

Everything is as the services would have left it, so that each thing can then be read, patched and
deleted through ARM. The same sizes in an Azure of the same seed make the same estate, ids included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulator.azure import Azure
from simulator.managed_identity.models import TYPE as IDENTITY
from simulator.resource_ids import group_id
from simulator.resources import GROUP_TYPE
from simulator.state import Json, Principal, Resource, RoleAssignment
from simulator.times import utc_offset

MACHINE = "Microsoft.Compute/virtualMachines"
WEB_APP = "Microsoft.Web/sites"
_LOCATIONS = ("westeurope", "northeurope")
_ENVIRONMENTS = ("prod", "test", "dev")
_ROLES = (
    "Reader",
    "Storage Blob Data Reader",
    "Key Vault Secrets User",
    "Monitoring Metrics Publisher",
)
_DAY = 86400.0


@dataclass(frozen=True)
class Sizes:
    """How much of everything; `groups` is a subscription's, all else are totals.

    `system_assigned`, `user_assigned`: the share (0 to 1) of machines and apps that have an
    identity of that kind; a user-assigned one is shared by several. Role assignments are spread
    over the groups, four roles in turn: `assignments` are to live managed identities, `orphans` to
    identities of machines that are gone, whose principals lie in the recycle bin for `deleted_for`
    seconds, two to a principal; `unknown` to principals that the directory never knew;
    `user_assignments` and `group_assignments` to people and to groups of theirs. `age`: seconds
    since all of it was made.
    """

    subscriptions: int = 3
    groups: int = 10
    machines: int = 100
    web_apps: int = 100
    identities: int = 20
    system_assigned: float = 0.5
    user_assigned: float = 0.5
    assignments: int = 100
    orphans: int = 0
    unknown: int = 0
    user_assignments: int = 0
    group_assignments: int = 0
    age: float = 60 * _DAY
    deleted_for: float = 7 * _DAY


@dataclass(frozen=True)
class Contents:
    """What was made, in its order. All but the assignments are ids: GUIDs of the subscriptions,
    resource ids of the rest."""

    subscriptions: tuple[str, ...]
    groups: tuple[str, ...]
    machines: tuple[str, ...]
    web_apps: tuple[str, ...]
    identities: tuple[str, ...]
    assignments: tuple[RoleAssignment, ...]
    orphans: tuple[RoleAssignment, ...]
    unknown: tuple[RoleAssignment, ...]
    user_assignments: tuple[RoleAssignment, ...]
    group_assignments: tuple[RoleAssignment, ...]


def fill(azure: Azure, sizes: Sizes) -> Contents:
    """Add an estate to `azure`, beside what is there.

    Raises ValueError for assignments without anyone to give them to, or for more than differ. The
    limit of a subscription (4,000) is not looked at.
    """
    return _Seeder(azure, sizes).fill()


class _Seeder:
    def __init__(self, azure: Azure, sizes: Sizes) -> None:
        self._azure = azure
        self._state = azure.state
        self._sizes = sizes
        self._made_at = azure.clock.now() - sizes.age
        self._groups: list[str] = []
        self._identities: list[Resource] = []
        self._live: list[str] = []  # principals of all managed identities

    def fill(self) -> Contents:
        sizes, state = self._sizes, self._state
        subscriptions = [
            state.add_subscription(f"Subscription {number}").id
            for number in range(sizes.subscriptions)
        ]
        self._groups = [each for one in subscriptions for each in self._add_groups(one)]
        self._identities = [self._add_identity(number) for number in range(sizes.identities)]
        machines = [self._add_machine(number) for number in range(sizes.machines)]
        apps = [self._add_web_app(number) for number in range(sizes.web_apps)]
        return Contents(
            tuple(subscriptions),
            tuple(self._groups),
            tuple(machines),
            tuple(apps),
            tuple(each.id for each in self._identities),
            assignments=self._assign(self._live, sizes.assignments),
            orphans=self._assign(self._gone((sizes.orphans + 1) // 2), sizes.orphans),
            unknown=self._assign([state.ids.uuid() for _ in range(sizes.unknown)], sizes.unknown),
            user_assignments=self._assign(self._users(), sizes.user_assignments),
            group_assignments=self._assign(self._user_groups(), sizes.group_assignments),
        )

    def _add_groups(self, subscription: str) -> Iterator[str]:
        for number in range(self._sizes.groups):
            name = f"rg-{number:03d}"
            self._add(group_id(subscription, name), GROUP_TYPE, number, {})
            yield group_id(subscription, name)

    def _add_identity(self, number: int) -> Resource:
        resource_id = self._id(IDENTITY, f"id-{number:05d}", number)
        resource_id = resource_id.replace("/resourceGroups/", "/resourcegroups/")
        principal = self._principal(f"id-{number:05d}", ["isExplicit=True", resource_id])
        properties = {
            "tenantId": self._state.tenant_id,
            "principalId": principal.object_id,
            "clientId": principal.client_id,
            "isolationScope": "None",
        }
        self._live.append(principal.object_id)
        return self._add(resource_id, IDENTITY, number, properties)

    def _add_machine(self, number: int) -> str:
        resource_id = self._id(MACHINE, f"vm-{number:05d}", number)
        properties = {
            "hardwareProfile": {"vmSize": "Standard_B1s"},
            "vmId": self._state.ids.uuid(),
            "timeCreated": utc_offset(self._made_at),
        }
        identity = self._identity_of(resource_id, number)
        self._add(resource_id, MACHINE, number, properties, identity, shows_state=True)
        return resource_id

    def _add_web_app(self, number: int) -> str:
        resource_id = self._id(WEB_APP, f"app-{number:05d}", number)
        sites = self._azure.compute_types.sites
        identity = self._identity_of(resource_id, number)
        app = self._add(resource_id, WEB_APP, number, sites.born(resource_id, {}), identity)
        self._state.resources[resource_id.lower()] = sites.written(app, app, {})
        return resource_id

    def _id(self, kind: str, name: str, number: int) -> str:
        return f"{self._groups[number % len(self._groups)]}/providers/{kind}/{name}"

    def _add(
        self,
        resource_id: str,
        kind: str,
        number: int,
        properties: Json,
        identity: Json | None = None,
        *,
        shows_state: bool = False,
    ) -> Resource:
        made = Resource(
            id=resource_id,
            type=kind,
            name=resource_id.rpartition("/")[2],
            location=_LOCATIONS[number % len(_LOCATIONS)],
            tags={"env": _ENVIRONMENTS[number % len(_ENVIRONMENTS)]},
            properties=properties,
            identity=identity,
            created_at=self._made_at,
            shows_state=shows_state,
        )
        self._state.resources[resource_id.lower()] = made
        return made

    def _identity_of(self, resource_id: str, number: int) -> Json | None:
        block: Json = {}
        if _in_share(number, self._sizes.system_assigned):
            name = resource_id.rpartition("/")[2]
            principal = self._principal(name, ["isExplicit=False", resource_id])
            self._live.append(principal.object_id)
            block |= {"principalId": principal.object_id, "tenantId": self._state.tenant_id}
        if self._identities and _in_share(number, self._sizes.user_assigned):
            identity = self._identities[number % len(self._identities)]
            shown = {key: identity.properties[key] for key in ("principalId", "clientId")}
            block["userAssignedIdentities"] = {identity.id: shown}
        kinds = [("principalId", "SystemAssigned"), ("userAssignedIdentities", "UserAssigned")]
        words = [word for member, word in kinds if member in block]
        return {"type": ", ".join(words), **block} if words else None

    def _gone(self, count: int) -> list[str]:
        """Principals of machines that were deleted."""
        found = []
        for number in range(count):
            name = f"vm-gone-{number:05d}"
            names = ["isExplicit=False", self._id(MACHINE, name, number)]
            principal = self._principal(name, names)
            principal.deleted_at = self._azure.clock.now() - self._sizes.deleted_for
            found.append(principal.object_id)
        return found

    def _users(self) -> list[str]:
        return [self._principal(f"user-{n}", [], "User").object_id for n in range(10)]

    def _user_groups(self) -> list[str]:
        """Each of one member."""
        members = [self._principal(f"member-{n}", [], "User").object_id for n in range(10)]
        groups = [self._state.add_group(f"group-{n}", [one]) for n, one in enumerate(members)]
        for group in groups:
            group.created_at = self._made_at
        return [group.object_id for group in groups]

    def _principal(self, name: str, names: list[str], kind: str = "ServicePrincipal") -> Principal:
        principal = self._state.add_principal(name, kind, names)
        principal.created_at = self._made_at
        return principal

    def _assign(self, principals: Sequence[str], count: int) -> tuple[RoleAssignment, ...]:
        """`count` assignments that differ in principal, role or group."""
        if count > len(principals) * len(_ROLES) * len(self._groups):
            raise ValueError(f"{len(principals)} principals cannot have {count} assignments here")
        made = []
        for number in range(count):
            turn, position = divmod(number, len(principals))
            scope = self._groups[(position + turn // len(_ROLES)) % len(self._groups)]
            role = _ROLES[turn % len(_ROLES)]
            made.append(
                self._azure.assign(principals[position], role, scope, made_at=self._made_at)
            )
        return tuple(made)


def _in_share(number: int, share: float) -> bool:
    """Whether the item of this number is among the share, spread evenly."""
    return int((number + 1) * share) > int(number * share)
