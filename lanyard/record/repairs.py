"""How often something had to be put back on a resource: who else takes it away owns it, too. Pure.

The moments (seconds since the epoch) are kept by `repair_key`. Past `MOST_REPAIRS` within a week
the guard leaves it to people, and it stays with them until one of them releases it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from lanyard.planning.actions import Action, AttachIdentity, ReplaceIdentity
from lanyard.planning.contested import MOST_REPAIRS, repair_key
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import SystemAssigned, UserAssigned
from lanyard.values.grants import Grant

_WITHIN = 7 * 86400.0

type Moments = Mapping[str, tuple[float, ...]]


def counted(record: ResourceRecord) -> dict[str, int]:
    """How often each thing was put back, as the guard asks for it."""
    return {what: len(moments) for what, moments in record.repairs.items()}


def after_repairs(
    record: ResourceRecord,
    done: list[Action],
    attached: Mapping[str, str],
    given_up: Iterable[str],
    now: float,
) -> Moments:
    """The moments after these actions were done.

    `attached` maps identities (by their keys as principals) to the principals they were attached
    with: with the same one as before, it is a repair; the system-assigned one has another each time
    that it is enabled. What a person released starts anew. `given_up` are the keys
    of what is no longer wanted.
    """
    moments = {what: at for what, at in record.repairs.items() if what not in given_up}
    for action in done:
        if len(moments.get(repair_key(action), ())) >= MOST_REPAIRS:
            del moments[repair_key(action)]
        elif _repairs(action, record.confirmed, attached):
            moments |= _repaired(moments, repair_key(action), now)
    return moments


def grant_repaired(record: ResourceRecord, grant: Grant, now: float) -> ResourceRecord:
    """Someone deleted the assignment of a grant, and it is about to be made again."""
    repairs = {**record.repairs, **_repaired(record.repairs, f"grant {grant.name}", now)}
    return replace(record, repairs=repairs)


def _repairs(action: Action, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether it attached what was attached already, with the principal of before."""
    match action:
        case AttachIdentity(id=identity) if repair_key(action):
            key = UserAssigned(identity).key
        case ReplaceIdentity(new=SystemAssigned() as new):
            return new.key in before
        case ReplaceIdentity(new=new):
            key = new.key
        case _:
            return False
    return key in now and before.get(key) == now[key]


def _repaired(moments: Moments, what: str, now: float) -> dict[str, tuple[float, ...]]:
    """One more moment; those of more than a week ago do not count any longer."""
    recent = tuple(at for at in moments.get(what, ()) if now - at < _WITHIN)
    return {what: (*recent, now)}
