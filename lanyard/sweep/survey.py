"""Everything there is, as the listings and the ledger show it at one moment. Nothing is changed.

Resource Graph gives the resources and the role assignments, a thousand a page, the directory says
which principals it knows. Where one of them fails or answers a part only, there is no survey: what
a broken listing does not hold is not taken for missing.

What grows with the estate is on the local disk (spill.py), found by its folded id; in memory are a
few facts of each subscription, identity and role.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, MutableMapping, Set
from dataclasses import dataclass

from lanyard.planning.orphans import Facts
from lanyard.planning.verdict import RoleKey
from lanyard.ports.azure import Directory
from lanyard.reconcile.services import Services
from lanyard.record.held import Answer, Entry, not_done
from lanyard.record.identities import IdentityLedger
from lanyard.sweep.damaged import Damaged
from lanyard.sweep.doubts import claims_in_doubt, lost_claims, reopened
from lanyard.sweep.everything import Reading, read_everything
from lanyard.sweep.in_turns import in_turns, read_in_turns
from lanyard.sweep.listed_rights import Rights
from lanyard.sweep.listings import (
    Progress,
    Resources,
    foreign_subscriptions,
    has_role_in,
    known_to_directory,
    silent,
)
from lanyard.sweep.records import Records
from lanyard.sweep.spill import Spill
from lanyard.values.change import Change
from lanyard.values.errors import Because, Permanent, Temporary
from lanyard.values.grants import Grant, Standing
from lanyard.values.permissions import Definition
from lanyard.values.resource_id import ResourceId, subscription_of
from lanyard.values.roles import listed_role

_UNTRUSTED_DELAY = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The whole: what was read, and what follows from it."""

    read: Reading
    #: Grants that a record has without a claim, or a claim without a record, by the resource.
    doubts: dict[ResourceId, frozenset[Grant]]
    #: The ids of the role assignments of some principals: the app's own, unknown ones, and what is
    #: released.
    rights_of: Mapping[str, list[str]]
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
    #: Why the directory's answer is not used, or "": then no principal counts as unknown.
    no_directory: str = ""

    @property
    def resources(self) -> Resources:
        """What is listed of resources."""
        return self.read.listing.resources

    @property
    def records(self) -> Records:
        """The ledger's, with what is in doubt as intended and not confirmed."""
        return self.read.records

    @property
    def rights(self) -> Rights:
        """What is listed of role assignments."""
        return self.read.rights

    @property
    def damaged(self) -> Damaged:
        """Rows that cannot be read: what they are about is left alone."""
        return self.read.damaged

    async def left(self, identity: ResourceId, place: ResourceId) -> bool:
        """As `Ledger.left` of the records that were read."""
        return (identity.key, place.key) in self.records.left

    @property
    def unused_identities(self) -> list[str]:
        """User-assigned identities that no resource has. Workload federation is not seen here."""
        resources = self.resources
        return sorted(resources.identities.keys() - resources.sole_user.keys())

    @property
    def unlisted_identities(self) -> list[str]:
        """User-assigned identities that resources show and no listing has, in a subscription in
        which anything is listed: resources go on showing what was deleted.
        """
        resources = self.resources
        shown = resources.sole_user.keys() - resources.identities.keys()
        places = ((one, subscription_of(one)) for one in shown)
        return sorted(one for one, where in places if where and where.subscription in self.seen)

    @property
    def roles_not_listed(self) -> dict[str, str]:
        """Roles (GUID) that are assigned and not listed as defined, each with a scope."""
        return {
            role: scope
            for role, scope in self.rights.assigned.items()
            if (role, "") not in self.roles and listed_role(role) is None
        }


async def survey(
    types: frozenset[str], services: Services, spill: Spill, progress: Progress = silent
) -> Survey:
    """Read everything; of resources those of these types (lower case), and of those on record.
    Raises Temporary or Permanent where any listing, or table, cannot be read whole. What it returns
    lasts as long as the spill is open.
    """
    read = await read_everything(types, services, spill, progress)
    listing, rights, claims, damaged = read.listing, read.rights, read.claims, read.damaged
    doubts = await _reopen(read.records, claims.standing, damaged)
    unknown, no_directory = await _unknown(services.directory, read, progress)
    held = await _held(services, damaged)
    seen = listing.resources.subscriptions | rights.by_subscription.keys()
    unseen = (read.records.subscriptions | claims.subscriptions | damaged.subscriptions) - seen
    released = tuple(e.change("sweep") for e in held if e.answer is Answer.RELEASED)
    whose = unknown | {change.principal for change in released} | {services.own_principal}
    facts = Facts(
        unknown=unknown,
        owners=await _owners(services.identity_ledger, read, spill),
        standing=claims.standing,
        stamped=rights.stamped,
        missing=await _missing(read.records, listing.resources, unseen),
        recorded=read.records.claimed,
        given_by=lambda resource: read.records.of(resource).given_by,
        pause=await services.kill_switch.read(),
        dismissed={e.refusal.key: e.by for e in held if e.answer is Answer.DISMISSED},
    )
    return Survey(
        read=read,
        doubts={one: each for one, each in doubts.items() if one.subscription not in unseen},
        rights_of=await _rights_of(whose, rights),
        roles={(role.role_id, ""): role.definition for role in rights.roles.values()},
        released=released,
        listed=_listed(held),
        not_done=_not_done(held),
        obstructed=_obstructed(held),
        held_principals=_held_principals(held),
        seen=frozenset(seen),
        unseen=frozenset(unseen),
        facts=facts,
        no_directory=no_directory,
    )


async def _held(services: Services, damaged: Damaged) -> list[Entry]:
    return [entry async for entry in services.held.all(damaged.held)]


async def _reopen(
    records: Records, standing: Mapping[str, Standing], damaged: Damaged
) -> dict[ResourceId, frozenset[Grant]]:
    """What is in doubt, after which the records have it so. By a row that cannot be read nothing
    is.
    """
    left_alone, unreadable = damaged.left_alone, damaged.grant_names
    found: dict[ResourceId, set[Grant]] = defaultdict(set)
    async for each in in_turns(standing.values()):
        for resource in claims_in_doubt(each, records.all):
            found[resource].add(each.grant)
    async for record in in_turns(records.all.values()):
        if lost := lost_claims(record.id, record.grants, standing):
            found[record.id].update(lost)
    doubts: dict[ResourceId, frozenset[Grant]] = {}
    for resource, grants in found.items():
        in_doubt = frozenset(grant for grant in grants if grant.name not in unreadable)
        if in_doubt and resource.key not in left_alone:
            doubts[resource] = in_doubt
            records.put(reopened(records.of(resource), in_doubt))
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


async def _missing(
    records: Records, resources: Resources, unseen: Set[str]
) -> frozenset[ResourceId]:
    """What is on record and no longer listed, where anything is listed at all."""
    gone = [key async for key in in_turns(records.all) if key not in resources.ids]
    found = (records.all[key].id for key in gone)
    return frozenset(one for one in found if one.subscription not in unseen)


async def _unknown(
    directory: Directory, read: Reading, progress: Progress
) -> tuple[frozenset[str], str]:
    """Which of the principals the directory does not know, or why its answer is not used: it may
    not be asked, fails, or answers a part. All else needs no directory, so that ends no sweep.

    What has roles in a subscription of another tenant is known to that one's directory, if to any.
    """
    listing, rights = read.listing, read.rights
    asked = frozenset(rights.suspects) - read.damaged.principals
    progress("principals", len(asked))
    try:
        known = await known_to_directory(directory, asked, listing.principals)
    except (Permanent, Temporary) as error:
        return frozenset(), str(error)
    elsewhere, theirs = foreign_subscriptions(known, listing.resources), set[str]()
    async for assignment in in_turns(rights.assignments.values() if elsewhere else ()):
        theirs |= has_role_in(elsewhere, [assignment])
    return asked - known.principals - theirs, ""


async def _rights_of(principals: Set[str], rights: Rights) -> dict[str, list[str]]:
    """The ids of their assignments."""
    found: dict[str, list[str]] = defaultdict(list)
    async for assignment in in_turns(rights.assignments.values()):
        if assignment.principal_id in principals:
            found[assignment.principal_id].append(assignment.id)
    return {principal: sorted(ids) for principal, ids in found.items()}


async def _owners(ledger: IdentityLedger, read: Reading, spill: Spill) -> Mapping[str, ResourceId]:
    """Where each principal on record was last seen alive."""
    owners: MutableMapping[str, ResourceId] = spill.mapping()
    async for principal, where in read_in_turns(ledger.holders(read.damaged.holders)):
        owners[principal] = where
    for record in read.identities:
        owners.update(dict.fromkeys(record.left(), record.id))
    return owners
