"""What Resource Graph and the directory list of everything there is. Nothing is changed.

Resource Graph gives the resources and the role assignments, a thousand a page, the directory says
which principals it knows. Where one of them fails or answers a part only, Temporary or Permanent is
raised: what a broken listing does not hold is not taken for missing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSet, Set
from dataclasses import dataclass, field, replace

from lanyard.ports.azure import Directory, Index
from lanyard.values.compute import ComputeResource, ManagedIdentity
from lanyard.values.errors import Temporary
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.resource_id import ResourceId, folded, subscription_of

#: Role assignments that a subscription holds at most, fixed; and from how many on it is reported.
LIMIT = 4000
NEAR_LIMIT = 3200
_UNTRUSTED_DELAY = 300.0
#: So many live principals are asked for beside the suspects.
SAMPLE = 200
# More than these may not be missing.
_MOST_MISSED = 5
_MOST_MISSED_SHARE = 0.2

#: Called with how far a long listing is: what is listed, and how many of it so far.
type Progress = Callable[[str, int], None]


def silent(_what: str, _count: int) -> None:
    """For who does not watch."""


@dataclass(slots=True, kw_only=True)
class Resources:
    """What the listing of resources holds. Ids are lower case.

    What grows with the resources may be kept elsewhere than in memory; of identities it may not.
    """

    #: Those of a type that Lanyard knows, by their ids, without their bodies.
    compute: MutableMapping[str, ComputeResource] = field(default_factory=dict)
    #: Of all that is listed.
    ids: MutableSet[str] = field(default_factory=set)
    #: Principals that any of them shows.
    alive: MutableSet[str] = field(default_factory=set)
    #: Principals of listed identities, and of listed resources' own ones, with their tenants (""
    #: unknown). What resources show besides may be of identities that were deleted since.
    listed_principals: MutableMapping[str, str] = field(default_factory=dict)
    #: The subscriptions (lower case) in which anything is listed.
    subscriptions: set[str] = field(default_factory=set)
    #: Those of each tenant, as far as identities show them.
    tenants: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Of each attached identity the one resource that has it, "" where several do.
    sole_user: dict[str, str] = field(default_factory=dict)
    #: How many user-assigned identities are attached, over all resources.
    attachments: int = 0
    #: User-assigned identities, with their principals.
    identities: dict[str, str] = field(default_factory=dict)
    #: Of those that have any.
    identity_tags: dict[str, Mapping[str, str]] = field(default_factory=dict)

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """What is listed of a user-assigned identity; None where it is not listed."""
        principal = self.identities.get(identity.key)
        if principal is None:
            return None
        tags = self.identity_tags.get(identity.key, {})
        return ManagedIdentity(location="", tags=tags, principal_id=principal, client_id="")

    def leave_alone(self, ids: Set[str]) -> None:
        """Nothing is asked of these (lower-case ids), which exist all the same."""
        for one in ids:
            self.compute.pop(one, None)

    def add(self, listed: Listed) -> None:
        """One row."""
        key, where = folded(listed.id), subscription_of(listed.id)
        self.ids.add(key)
        if where is not None:
            self.subscriptions.add(where.subscription)
        for principal in listed.principals:
            self.alive.add(principal)
        for principal in filter(None, {listed.own_principal, listed.system_principal}):
            self.listed_principals[principal] = listed.tenant
            if where is not None:
                self.tenants[listed.tenant].add(where.subscription)
        for identity in listed.attached:
            self.sole_user[identity] = "" if identity in self.sole_user else key
        self.attachments += len(listed.attached)
        if listed.own_principal is not None:
            self.identities[key] = listed.own_principal
            if listed.tags:
                self.identity_tags[key] = listed.tags
        if listed.compute is not None:
            self.compute[listed.compute.id.key] = replace(listed.compute, raw={})


@dataclass(frozen=True, slots=True)
class Authorization:
    """All role assignments, and the role definitions by their GUID (lower case)."""

    assignments: tuple[ListedAssignment, ...]
    roles: dict[str, ListedRole]


async def list_authorization(index: Index, progress: Progress = silent) -> Authorization:
    """Read all of it. Raises Temporary, Permanent."""
    assignments: list[ListedAssignment] = []
    roles: dict[str, ListedRole] = {}
    async for listed in index.assignments():
        if isinstance(listed, ListedRole):
            roles[listed.role_id] = listed
        else:
            assignments.append(listed)
            progress("role assignments", len(assignments))
    return Authorization(tuple(assignments), roles)


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory answered."""

    #: Those that it knows, of the principals asked for.
    principals: frozenset[str] = frozenset()
    #: Tenants (lower case) that it is not the directory of.
    foreign: frozenset[str] = frozenset()


async def known_to_directory(
    directory: Directory,
    asked: frozenset[str],
    listed: Mapping[str, str],
    most_missed: int = _MOST_MISSED,
) -> Known:
    """Which of the principals asked for the directory knows.

    Some principals that are `listed` (see `Resources`) are asked for beside them: a directory that
    misses many of those answers a part only. Up to `most_missed` may be missing, because the
    listing lags behind. A tenant of which it knows none, while it knows another one's, is not its
    own. Raises Temporary, Permanent.
    """
    if not asked:
        return Known()
    sample = frozenset(sorted(listed)[:SAMPLE])
    known = await directory.existing(asked | sample)
    own = {listed[each] for each in known & sample}
    foreign = {listed[each] for each in sample} - own - {""} if own else set[str]()
    shown = {each for each in sample if listed[each] not in foreign}
    missed = len(shown - known)
    if missed > most_missed and missed > len(shown) * _MOST_MISSED_SHARE:
        message = f"the directory misses {missed} of {len(shown)} principals that ARM shows"
        raise Temporary(f"{message}: its answer is not used", _UNTRUSTED_DELAY)
    return Known(known & asked, frozenset(foreign))


def foreign_subscriptions(known: Known, resources: Resources) -> frozenset[str]:
    """Those (lower case) of another tenant, as far as identities show it."""
    return frozenset(one for tenant in known.foreign for one in resources.tenants[tenant])


def has_role_in(subscriptions: Set[str], assignments: Iterable[ListedAssignment]) -> frozenset[str]:
    """The principals with roles in these: where they are of another tenant, that one's directory
    knows them, if any does.
    """
    return frozenset(
        each.principal_id
        for each in assignments
        if (where := subscription_of(each.scope)) and where.subscription in subscriptions
    )
