"""How often something had to be put back: who else takes it away owns it, too. Pure.

The moments (seconds since the epoch) at which an identity was found taken away are kept on the
record of its resource, by `repair_key`. A grant is shared: its own row has them (grant_rows.py).
Past `MOST_REPAIRS` within a week the guard leaves it to people, and it stays with them until one of
them releases it, or it is there again, whoever gave it.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from lanyard.planning.actions import Action
from lanyard.planning.contested import MOST_REPAIRS, repair_key
from lanyard.planning.desired import Desired
from lanyard.planning.givers import IDENTITY, identity_key
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned

#: For so long (seconds) what somebody took away counts.
COUNTS_FOR = 7 * 86400.0

type Moments = Mapping[str, tuple[float, ...]]


def counted(record: ResourceRecord) -> dict[str, int]:
    """How often each identity was taken away, as the guard asks for it."""
    return {what: len(moments) for what, moments in record.repairs.items()}


def missing(
    record: ResourceRecord, resource: ComputeResource, wanted: Desired
) -> frozenset[PrincipalRef]:
    """The identities that Lanyard gave the resource, that are still wanted for it, and that it does
    not have. One that Lanyard itself took off, to attach it again, is not missing.
    """
    refs: list[PrincipalRef] = [
        UserAssigned(identity) for identity in wanted.identities if identity not in record.in_repair
    ]
    refs += [SystemAssigned()] if wanted.system else []
    lost = record.confirmed.keys() - resource.identity.keys
    return frozenset(ref for ref in refs if ref.key in lost)


def identities_looked_at(
    record: ResourceRecord,
    resource: ComputeResource,
    taken: Set[PrincipalRef],
    made_again: Set[PrincipalRef],
    now: float,
) -> ResourceRecord:
    """The record after a look at a resource that lost identities: the `taken` ones by somebody's
    doing. What was `made_again` is another one, of which nothing was counted; of any other that it
    lost what was counted stays.

    Each is counted once: from then on it is not known to be there.
    """
    there = resource.identity.keys
    again = {identity_key(ref) for ref in made_again}
    repairs = {
        what: recent(moments, now) if what.removeprefix(IDENTITY) in there else moments
        for what, moments in record.repairs.items()
        if what not in again
    }
    repairs |= {
        identity_key(ref): once_more(repairs.get(identity_key(ref), ()), now) for ref in taken
    }
    repairs = {what: moments for what, moments in repairs.items() if moments}
    return replace(record, confirmed=_confirmed(record, resource), repairs=repairs)


def _confirmed(record: ResourceRecord, resource: ComputeResource) -> dict[str, str]:
    """What Lanyard gave and is there, also where the answer to the write was lost."""
    kept = resource.identity.keys | {identity.key for identity in record.in_repair}
    shown = resource.identity.user_assigned
    attached = {UserAssigned(one).key: shown.get(one) for one in record.attachments}
    learned = {key: principal for key, principal in attached.items() if principal}
    known = {**learned, **record.confirmed}
    return {key: principal for key, principal in known.items() if key in kept}


def after_repairs(
    record: ResourceRecord, done: Iterable[Action], given_up: Iterable[str]
) -> Moments:
    """The moments after these actions were done: what a person released starts anew. `given_up` are
    the keys of what is no longer wanted.
    """
    released = {
        key for key in map(repair_key, done) if len(record.repairs.get(key, ())) > MOST_REPAIRS
    }
    over = released.union(given_up)
    return {what: at for what, at in record.repairs.items() if what not in over}


def once_more(moments: tuple[float, ...], now: float) -> tuple[float, ...]:
    """With one more moment; those of more than a week ago do not count any longer."""
    return (*recent(moments, now), now)


def recent(moments: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Those of less than a week ago."""
    return tuple(at for at in moments if now - at < COUNTS_FOR)
