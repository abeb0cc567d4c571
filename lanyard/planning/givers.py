"""Which rules gave what a resource has of Lanyard's. Pure.

It is on record beside what was given: a rule that is edited since, or that is gone, no longer says
what it gave.
"""

from collections.abc import Iterator, Mapping

from lanyard.planning.actions import (
    Action,
    DeleteIdentity,
    DetachIdentity,
    ReattachIdentity,
    ReleaseGrant,
    ReplaceIdentity,
    RevokeUnclaimed,
)
from lanyard.planning.desired import Desired
from lanyard.planning.plan import Owned
from lanyard.policy import Mode, Policy
from lanyard.values.compute import PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.grants import Grant

#: What the `identity_key` of an identity begins with.
IDENTITY = "identity "
#: The names of the rules that gave each thing, by the key of the thing.
type Givers = Mapping[str, tuple[str, ...]]
#: Where it is not on record.
NOBODY: Givers = {}


def identity_key(identity: PrincipalRef) -> str:
    """What distinguishes an identity from all else that is given to a resource."""
    return f"{IDENTITY}{identity.key}"


def grant_key(grant: Grant) -> str:
    """What distinguishes a grant, whatever its condition."""
    return f"grant {grant.name}"


def taken_key(action: Action) -> str:
    """The key of what an action takes away that rules may have given; "" for none."""
    match action:
        case DetachIdentity(id=id) | ReattachIdentity(id=id) | DeleteIdentity(id=id):
            return identity_key(UserAssigned(id))
        case ReplaceIdentity(old=old):
            return identity_key(old)
        case ReleaseGrant(grant=grant) | RevokeUnclaimed(grant=grant):
            return grant_key(grant)
        case _:
            return ""


def rules_of(action: Action, given_by: Givers) -> tuple[str, ...]:
    """The rules that ask for an addition, or that gave what a removal takes."""
    return getattr(action, "rules", ()) or given_by.get(taken_key(action), ())


def givers(
    policy: Policy, wanted: Desired, principals: Mapping[PrincipalRef, str], owned: Owned
) -> dict[str, tuple[str, ...]]:
    """Of each thing that is on record as given to a resource, the rules that did so, as `owned` has
    them and as the rules are now. `principals`: object ids, lower case, of identities that exist.
    """
    asking = dict(_asking(wanted, principals))
    has = [identity_key(UserAssigned(one)) for one in owned.attachments | owned.dedicated]
    has += [grant_key(grant) for grant in owned.claimed]
    if SystemAssigned().key in owned.attached_as:
        has.append(identity_key(SystemAssigned()))
    found = {key: _givers(policy, owned.given_by.get(key, ()), asking.get(key, ())) for key in has}
    return {key: rules for key, rules in sorted(found.items()) if rules}


def _asking(
    wanted: Desired, principals: Mapping[PrincipalRef, str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for identity in wanted.identities.values():
        yield identity_key(UserAssigned(identity.id)), identity.rules
    yield identity_key(SystemAssigned()), wanted.system
    for grant in wanted.grants:
        if (principal := principals.get(grant.to)) is not None:
            yield grant_key(grant.granted(principal)), grant.rules


def _givers(policy: Policy, before: tuple[str, ...], asking: tuple[str, ...]) -> tuple[str, ...]:
    """A rule that gave it and asks for it no more is no giver once another one does, unless it is
    in a mode in which it takes nothing back. Where nobody knows who gave it, whoever asks for it
    counts.
    """
    giving = {rule for rule in asking if policy.mode_of(rule) is not Mode.OBSERVE}
    kept = {rule for rule in before if rule in asking or policy.mode_of(rule) in _TAKES_NOTHING}
    return tuple(sorted(giving | kept)) or before or asking


_TAKES_NOTHING = (Mode.OBSERVE, Mode.ADD_ONLY)
