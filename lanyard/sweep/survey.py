"""Everything there is, as the listings and the ledger show it at one moment. Nothing is changed.

Resource Graph gives the resources and the role assignments, a thousand a page, the directory says
which principals it knows. Where one of them fails or answers a part only, there is no survey: what
a broken listing does not hold is not taken for missing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from lanyard.planning.orphans import Facts, suspects
from lanyard.planning.verdict import RoleKey
from lanyard.ports.azure import Directory, Index
from lanyard.reconcile.services import Services
from lanyard.record.claims import Claims
from lanyard.record.held import Answer, Entry, not_done
from lanyard.record.identities import IdentityLedger, IdentityRecord
from lanyard.record.ledger import ResourceRecord
from lanyard.record.rows import DamagedRow
from lanyard.sweep.damaged import Damaged
from lanyard.sweep.doubts import grants_in_doubt, reopened
from lanyard.sweep.listings import (
    Authorization,
    Progress,
    Resources,
    known_to_directory,
    list_authorization,
    of_other_tenants,
    silent,
)
from lanyard.values.change import Change
from lanyard.values.errors import Because, Permanent, Temporary
from lanyard.values.grants import Grant, Standing
from lanyard.values.listed import ListedAssignment
from lanyard.values.permissions import Definition
from lanyard.values.resource_id import ResourceId, folded, subscription_of
from lanyard.values.roles import listed_role

_UNTRUSTED_DELAY = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The whole."""

    resources: Resources
    #: The ledger's, with what is in doubt as intended and not confirmed.
    records: dict[ResourceId, ResourceRecord]
    #: Grants that a record has without a claim, or a claim without a record, by the resource.
    doubts: dict[ResourceId, frozenset[Grant]]
    #: The ledger's.
    identities: tuple[IdentityRecord, ...]
    #: The role definitions that are listed, as the guard asks for them.
    roles: Mapping[RoleKey, Definition]
    #: What a person released and what is not done yet.
    released: tuple[Change, ...]
    #: The keys of what is on the list of what is held, by the resource.
    listed: dict[ResourceId, set[str]]
    #: Those of what Azure reports as done and does not do, by the resource.
    not_done: dict[ResourceId, frozenset[str]]
    #: The subscriptions of what a lock or a deny assignment refuses.
    obstructed: frozenset[str]
    #: Unknown principals that are on the list of what is held.
    held_principals: frozenset[str]
    #: Subscriptions (lower case) in which anything is listed.
    seen: frozenset[str]
    #: Subscriptions (lower case) on record in which nothing at all is listed: the app may not read
    #: them any more, and what is on record of them is left as it is.
    unseen: frozenset[str]
    facts: Facts
    #: Rows that cannot be read: what they are about is left alone.
    damaged: Damaged
    #: Why the directory's answer is not used, or "": then no principal counts as unknown.
    no_directory: str = ""

    async def left(self, identity: ResourceId, place: ResourceId) -> bool:
        """As `Ledger.left` of the records that were read."""
        own = (record.dedicated.get(identity) for record in self.records.values())
        return any(one is not None and one.owner == place.key for one in own)

    @property
    def unused_identities(self) -> list[str]:
        """User-assigned identities that no resource has. Workload federation is not seen here."""
        return sorted(self.resources.identities.keys() - self.resources.sole_user.keys())

    @property
    def unlisted_identities(self) -> list[str]:
        """User-assigned identities that resources show and no listing has, in a subscription in
        which anything is listed: resources go on showing what was deleted.
        """
        shown = self.resources.sole_user.keys() - self.resources.identities.keys()
        places = ((one, subscription_of(one)) for one in shown)
        return sorted(one for one, where in places if where and where.subscription in self.seen)

    @property
    def roles_not_listed(self) -> dict[str, str]:
        """Roles (GUID) that are assigned and not listed as defined, each with a scope."""
        return {
            each.role_id: each.scope
            for each in self.facts.assignments
            if (each.role_id, "") not in self.roles and listed_role(each.role_id) is None
        }

    def assignments_by_subscription(self) -> dict[str, int]:
        """How many role assignments count against the limit of each subscription."""
        found = (subscription_of(each.scope) for each in self.facts.assignments)
        return Counter(each.subscription for each in found if each is not None)


async def survey(types: frozenset[str], services: Services, progress: Progress = silent) -> Survey:
    """Read everything; of resources those of these types (lower case), and of those on record.
    Raises Temporary or Permanent where any listing, or table, cannot be read whole.
    """
    damaged = Damaged()
    records = {one.id: one async for one in services.ledger.records(damaged.resources)}
    identities = await _identities(services.identity_ledger, damaged)
    resources = await _resources(services.index, types, records, damaged, progress)
    listed = await list_authorization(services.index, progress)
    standing = await _standing(services.claims, listed.assignments, damaged)
    doubts = _reopen(records, standing.values(), damaged)
    owners = await _owners(services.identity_ledger, identities, damaged.holders)
    asked = suspects(listed.assignments, frozenset(resources.alive)) - damaged.principals
    unknown, no_directory = await _unknown(services.directory, asked, resources, listed, progress)
    held, seen = await _held(services, damaged), _seen(resources, listed.assignments)
    unseen = _on_record(records, standing, damaged) - seen
    facts = Facts(
        assignments=listed.assignments,
        alive=frozenset(resources.alive),
        unknown=unknown,
        owners=owners,
        standing=standing,
        stamped=_stamped(listed.assignments, services),
        missing=_missing(records, resources, unseen),
        recorded=frozenset(g.name for one in records.values() for g in one.owned().claimed),
        pause=await services.kill_switch.read(),
        dismissed={e.refusal.key: e.by for e in held if e.answer is Answer.DISMISSED},
    )
    return Survey(
        resources=resources,
        records=records,
        doubts={one: each for one, each in doubts.items() if one.subscription not in unseen},
        identities=identities,
        roles={(role.role_id, ""): role.definition for role in listed.roles.values()},
        released=tuple(e.change("sweep") for e in held if e.answer is Answer.RELEASED),
        listed=_listed(held),
        not_done=_not_done(held),
        obstructed=_obstructed(held),
        held_principals=_held_principals(held),
        seen=frozenset(seen),
        unseen=frozenset(unseen),
        facts=facts,
        damaged=damaged,
        no_directory=no_directory,
    )


async def _held(services: Services, damaged: Damaged) -> list[Entry]:
    return [entry async for entry in services.held.all(damaged.held)]


async def _identities(ledger: IdentityLedger, damaged: Damaged) -> tuple[IdentityRecord, ...]:
    return tuple([record async for record in ledger.identities(damaged.identities)])


async def _standing(
    claims: Claims, assignments: Sequence[ListedAssignment], damaged: Damaged
) -> dict[str, Standing]:
    """Raises Temporary where none at all is listed of what stands by the record."""
    found = [each async for each in claims.standing(damaged.grants)]
    standing = {folded(each.grant.assignment_id): each for each in found}
    _check(assignments, standing)
    return standing


def _reopen(
    records: dict[ResourceId, ResourceRecord], standing: Iterable[Standing], damaged: Damaged
) -> dict[ResourceId, frozenset[Grant]]:
    """What is in doubt, after which the records have it so. By a row that cannot be read nothing
    is.
    """
    left_alone, unreadable = damaged.left_alone, damaged.grant_names
    found = {
        resource: frozenset(grant for grant in grants if grant.name not in unreadable)
        for resource, grants in grants_in_doubt(records, standing).items()
        if resource.key not in left_alone
    }
    doubts = {resource: grants for resource, grants in found.items() if grants}
    for resource, grants in doubts.items():
        known = records.get(resource, ResourceRecord(id=resource))
        records[resource] = reopened(known, grants)
    return doubts


def _obstructed(held: Iterable[Entry]) -> frozenset[str]:
    in_the_way = (Because.LOCKED, Because.DENIED)
    return frozenset(e.resource.subscription for e in held if e.refusal.because in in_the_way)


def _held_principals(held: Iterable[Entry]) -> frozenset[str]:
    waiting = (entry for entry in held if entry.answer is not Answer.RELEASED)
    return frozenset(entry.principal for entry in waiting if entry.principal)


def _listed(held: Iterable[Entry]) -> dict[ResourceId, set[str]]:
    keys: dict[ResourceId, set[str]] = defaultdict(set)
    for entry in held:
        keys[entry.resource].add(entry.refusal.key)
    return dict(keys)


def _not_done(held: Iterable[Entry]) -> dict[ResourceId, frozenset[str]]:
    by_resource: dict[ResourceId, list[Entry]] = defaultdict(list)
    for entry in held:
        by_resource[entry.resource].append(entry)
    return {resource: not_done(entries) for resource, entries in by_resource.items()}


def _stamped(assignments: Iterable[ListedAssignment], services: Services) -> frozenset[str]:
    """The ids (lower case) of those that are ours."""
    is_ours = services.assignments.is_ours
    return frozenset(folded(each.id) for each in assignments if is_ours(each))


def _missing(
    records: Iterable[ResourceId], resources: Resources, unseen: Set[str]
) -> frozenset[ResourceId]:
    """What is on record and no longer listed, where anything is listed at all."""
    return frozenset(
        one for one in records if one.key not in resources.ids and one.subscription not in unseen
    )


async def _unknown(
    directory: Directory,
    asked: frozenset[str],
    resources: Resources,
    listed: Authorization,
    progress: Progress,
) -> tuple[frozenset[str], str]:
    """Which of the principals the directory does not know, or why its answer is not used: it may
    not be asked, fails, or answers a part. All else needs no directory, so that ends no sweep.

    What has roles in a subscription of another tenant is known to that one's directory, if to any.
    """
    progress("principals", len(asked))
    try:
        known = await known_to_directory(directory, asked, resources.listed_principals)
    except (Permanent, Temporary) as error:
        return frozenset(), str(error)
    return asked - known.principals - of_other_tenants(known, resources, listed), ""


async def _resources(
    index: Index,
    named: frozenset[str],
    records: Iterable[ResourceId],
    damaged: Damaged,
    progress: Progress,
) -> Resources:
    types = named | {folded(record.type) for record in records}
    found = Resources()
    async for listed in index.resources(types):
        found.add(listed)
        progress("resources", len(found.ids))
    found.leave_alone(damaged.left_alone)
    return found


def _check(assignments: Sequence[ListedAssignment], standing: dict[str, Standing]) -> None:
    """The app's own rights are assignments, too: an empty list is a broken one."""
    if not assignments and standing:
        raise Temporary("Resource Graph lists no role assignment at all", _UNTRUSTED_DELAY)


def _on_record(
    records: Iterable[ResourceId], standing: dict[str, Standing], damaged: Damaged
) -> set[str]:
    """The subscriptions that the ledger knows something in."""
    scopes = (subscription_of(each.grant.scope) for each in standing.values())
    known = {one.subscription for one in [*records, *(scope for scope in scopes if scope)]}
    return known | damaged.subscriptions


def _seen(resources: Resources, assignments: Iterable[ListedAssignment]) -> set[str]:
    """The subscriptions in which anything is listed: the app's own rights, at the least."""
    ids = [*resources.ids, *(each.scope for each in assignments)]
    return {found.subscription for found in map(subscription_of, ids) if found is not None}


async def _owners(
    ledger: IdentityLedger, identities: tuple[IdentityRecord, ...], damaged: list[DamagedRow]
) -> dict[str, ResourceId]:
    """Where each principal on record was last seen alive."""
    owners = {principal: where async for principal, where in ledger.holders(damaged)}
    for record in identities:
        owners |= dict.fromkeys(record.left(), record.id)
    return owners
