"""What a scan looks at and what it shows: values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lanyard.desk.access.giver import Giver
from lanyard.desk.scan.holders import DirectoryAnswer, Holder, HolderKind
from lanyard.sweep.listings import Authorization
from lanyard.values.listed import Listed, ListedAssignment
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded, subscription_of
from lanyard.values.subscriptions import Subscriptions

#: Days since an assignment was made, each up to (not including) its number, and their names.
AGES = (
    (7, "under a week"),
    (30, "1 to 4 weeks"),
    (90, "1 to 3 months"),
    (365, "3 to 12 months"),
)
OLDEST, AGE_UNKNOWN = "a year or more", "not known"
#: An identity that so many resources have is one that many share.
SHARED_FROM = 10


class Level(StrEnum):
    """How wide a scope is, the widest first."""

    ROOT = "tenant root"
    MANAGEMENT_GROUP = "management group"
    SUBSCRIPTION = "subscription"
    RESOURCE_GROUP = "resource group"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class Estate:
    """What was listed."""

    at: datetime
    subscriptions: Subscriptions
    resources: tuple[Listed, ...]
    authorization: Authorization
    directory: DirectoryAnswer

    @property
    def resource_groups(self) -> list[ResourceId]:
        """Those in which something is listed, or a role assigned. An empty one is not known."""
        ids = [one.id for one in self.resources]
        ids += [one.scope for one in self.authorization.assignments]
        groups = {"/".join(id_.split("/")[:5]) for id_ in ids}
        return sorted({one for one in map(_parsed, groups) if one and one.is_resource_group})


@dataclass(frozen=True, slots=True)
class ComputeRow:
    """Compute resources of one type, by the identities they have; `both` kinds at once."""

    type: str
    none: int = 0
    system: int = 0
    user: int = 0
    both: int = 0

    @property
    def total(self) -> int:
        """All of the type."""
        return self.none + self.system + self.user + self.both


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription. `holders`: its role assignments, at and below it, by who holds them."""

    id: str
    name: str
    compute: tuple[ComputeRow, ...]
    holders: Mapping[HolderKind, int]

    @property
    def assignments(self) -> int:
        """How many count against its limit."""
        return sum(self.holders.values())


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role that managed identities hold, and how many assignments of it they have."""

    role_id: str
    name: str
    holders: Mapping[HolderKind, int]


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """A user-assigned identity: how many resources have it, and its role assignments."""

    id: str
    resources: int
    assignments: int


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """A role assignment that a person should know of. `privileged`: why it counts as that, or "".
    `age_days`: since it was made; None where the listing does not have it.
    """

    assignment: ListedAssignment
    role: str
    holder: Holder
    privileged: str
    age_days: int | None
    evidence: tuple[str, ...] = ()

    @property
    def age(self) -> str:
        """One of the names of AGES, or OLDEST, or AGE_UNKNOWN."""
        if self.age_days is None:
            return AGE_UNKNOWN
        return next((name for days, name in AGES if self.age_days < days), OLDEST)

    @property
    def level(self) -> Level:
        """How wide its scope is."""
        return scope_level(self.assignment.scope)


@dataclass(frozen=True, slots=True)
class AccessRow:
    """A role assignment with who has it, who gave it, and the rules of the policy that ask for just
    this now. `users`: ids of the resources that have the identity which holds it; `given_by`: the
    rules that gave it, where an app has that on record.
    """

    row: AssignmentRow
    users: tuple[str, ...]
    giver: Giver
    rules: tuple[str, ...]
    given_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The estate at a glance."""

    at: datetime  # when it was listed, with a zone
    compute: tuple[ComputeRow, ...]  # the most frequent type first
    without_identity: tuple[ResourceId, ...]  # compute that has none, in the order of its ids
    subscriptions: tuple[SubscriptionRow, ...]  # by name
    above: Mapping[HolderKind, int]  # assignments at management groups and the tenant's root
    access: tuple[AccessRow, ...]  # every role assignment, by scope, role and holder
    damaged: tuple[str, ...] | None  # rows of the app's record; None where none was read
    roles: tuple[RoleRow, ...]  # that managed identities hold, the most frequent first
    identities: int  # user-assigned ones, all that are listed
    unused: tuple[IdentityRow, ...]  # attached to nothing
    shared: tuple[IdentityRow, ...]  # by SHARED_FROM resources or more
    privileged: tuple[AssignmentRow, ...]  # of managed identities
    orphans: tuple[AssignmentRow, ...]  # whose principal the directory does not know
    not_determined: str  # why it is not known which assignments are orphaned; "" where it is
    undetermined: int  # assignments that might be

    @property
    def assignments(self) -> int:
        """All that were listed."""
        return sum(row.assignments for row in self.subscriptions) + sum(self.above.values())


def _parsed(id_: str) -> ResourceId | None:
    """None above subscriptions."""
    try:
        return ResourceId.parse(id_)
    except InvalidResourceId:
        return None


def subscription_id_of(scope: str) -> str:
    """The id (lower case) of the subscription that a scope is in; "" above subscriptions."""
    found = subscription_of(scope)
    return "" if found is None else found.subscription


def scope_level(scope: str) -> Level:
    """How wide it is, by its id."""
    parts = folded(scope).strip("/").split("/")
    if parts == [""]:
        return Level.ROOT
    if parts[0] != "subscriptions":
        return Level.MANAGEMENT_GROUP
    return {2: Level.SUBSCRIPTION, 4: Level.RESOURCE_GROUP}.get(len(parts), Level.RESOURCE)
