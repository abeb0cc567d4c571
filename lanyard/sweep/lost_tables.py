"""What a sweep puts on record again after the tables were lost, or put back from an older moment.

Claims of what can be read come back by themselves: what the policy wants and no record has is
planned and claimed. Here is what no plan would find.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from lanyard.planning.desired import desired
from lanyard.planning.grace import still_dedicated
from lanyard.policy import Policy
from lanyard.policy.document import DELETE_AFTER_HOURS
from lanyard.reconcile.services import Services
from lanyard.record.grant_rows import BaselessClaim
from lanyard.record.ledger import ResourceRecord
from lanyard.sweep.at_once import at_once
from lanyard.sweep.doubts import lost_claims
from lanyard.sweep.in_turns import in_turns
from lanyard.sweep.survey import Survey
from lanyard.values.compute import ComputeResource
from lanyard.values.grants import Grant
from lanyard.values.listed import ListedAssignment
from lanyard.values.own_identity import Dedicated, made_for, mark_of
from lanyard.values.resource_id import ResourceId, folded, last_name

_HOUR = 3600.0


async def learn_grants(found: Survey, services: Services) -> None:
    """A row for each assignment of ours that has none, or one that has it revoked: one that nothing
    needs is revoked then, like any other. Without any row of one that we made the tables are surely
    not whole, because a row comes before its assignment: that is on record first.
    """
    unreadable, standing = found.damaged.grant_names, found.facts.standing
    unrecorded = [
        key
        async for key, name in in_turns(found.rights.stamped.items())
        if name not in standing and name not in unreadable
    ]
    listed = [found.rights.assignments[key] async for key in in_turns(unrecorded)]
    for each in listed:
        grant = Grant(*each.content)
        if last_name(folded(each.id)) == grant.name and not await services.claims.on_record(grant):
            offboarded = await services.unread.offboarded()
            await services.relearning.rows_lost(found.seen, offboarded)
            break  # one is enough
    await at_once(listed, partial(_learn_grant, services))


async def _learn_grant(services: Services, listed: ListedAssignment) -> None:
    await services.claims.learn(Grant(*listed.content, listed.condition), listed.id)


async def learn_claims(found: Survey, services: Services) -> None:
    """Whatever cannot be read now still needs what it has on record. Of the rest its own plan says
    so, and before a revocation the estate.
    """
    unread = found.unseen - await services.unread.offboarded()
    async for record in in_turns(found.records.all.values() if unread else ()):
        if record.id.subscription in unread:
            lost = lost_claims(record.id, record.owned().claimed, found.facts.standing)
            for grant in sorted(lost, key=lambda grant: grant.name):
                await services.claims.share(grant, record.id)


async def forget_claims(found: Survey, services: Services) -> None:
    """Claims of what is not given, by resources that are gone: who made such a claim ended before
    it wrote the grant, and nobody has on record what for. Whoever makes one has it on record
    before, as intended: what is there by now stays.
    """

    async def forget(claim: BaselessClaim) -> None:
        record = await services.ledger.resource(claim.resource)
        if claim.name not in {grant.name for grant in record.owned().claimed}:
            await services.claims.drop_baseless(claim)

    listed, claims = found.resources.ids, found.read.claims.baseless
    gone = (each for each in claims if each.resource.key not in listed)
    await at_once((each for each in gone if each.resource.subscription in found.seen), forget)


async def learn_identities(
    found: Survey, services: Services, policy: Policy, *, relearning: bool
) -> None:
    """Identities that were made for one resource: their tags name it, exactly that one has them,
    and it is what the policy has made for it. Where the tables were lost, or its row alone, their
    tags alone do: the policy may have had another name for it before.
    """
    own_identities = _own_identities(found, services.assignments.installation)
    async for identity, principal, owner in in_turns(own_identities):
        if principal == services.own_principal:
            continue  # whatever its tags say
        known = found.records.of(owner.id)
        own = {identity: Dedicated(principal, _kept_for(policy))}
        wanted = desired(policy, owner)
        # One that a person attached, by an undo, say, is theirs.
        asked = wanted.identities.keys() | wanted.kept.identities.keys()
        named = identity in asked and identity in known.attachments
        lost = relearning or known.row is None
        if identity in known.dedicated or not (named or lost):
            continue
        if own := still_dedicated(own, policy, wanted):
            found.records.put(await _learnt(own, owner, services))


def _kept_for(policy: Policy) -> float:
    """How long (seconds) one is kept at the most, as the policy has it now: by which of its entries
    this one was made is not known, where no rule wants it any more.
    """
    hours = [spec.delete_after_hours for spec in policy.identities.values() if spec.dedicated]
    return max(hours, default=DELETE_AFTER_HOURS) * _HOUR


async def _learnt(
    own: Mapping[ResourceId, Dedicated], owner: ComputeResource, services: Services
) -> ResourceRecord:
    # Nobody else has any business with it: that it is on its own resource is our doing.
    attachments = dict.fromkeys(own, services.now())

    def learn(record: ResourceRecord) -> ResourceRecord:
        return replace(
            record,
            dedicated={**own, **record.dedicated},
            attachments={**attachments, **record.attachments},
            incarnation=owner.incarnation if record.row is None else record.incarnation,
        )

    return await services.ledger.update(owner.id, learn)


def _own_identities(
    found: Survey, installation: str
) -> Iterator[tuple[ResourceId, str, ComputeResource]]:
    for key, tags in found.resources.identity_tags.items():
        if not (owner := made_for(tags, installation)):
            continue
        user = found.read.listing.compute.get(found.resources.sole_user.get(key, ""))
        if user is not None and owner == mark_of(user.id.key):
            yield ResourceId.parse(key), found.resources.identities[key], user


async def doubt_records(found: Survey, services: Services, until: float) -> None:
    """Of tables that are of an older moment nobody knows who attached what since, and since when
    something was not wanted: no attachment of before `until` (seconds since the epoch) is ours any
    more, but of an identity that was made for that very resource, and every grace begins anew.
    """

    async def doubt(resource: ResourceId) -> None:
        doubted = await services.ledger.update(resource, lambda record: _doubted(record, until))
        found.records.put(doubted)

    doubtful = [
        record.id
        async for record in in_turns(found.records.all.values())
        if record.attachments or record.due_since or record.dedicated
    ]
    await at_once(doubtful, doubt)


def _doubted(record: ResourceRecord, until: float) -> ResourceRecord:
    own = {
        one: replace(each, alone_since=0.0, unused_since=0.0)
        for one, each in record.dedicated.items()
    }
    attachments = {one: at for one, at in record.attachments.items() if one in own or at > until}
    return replace(record, attachments=attachments, due_since={}, dedicated=own)
