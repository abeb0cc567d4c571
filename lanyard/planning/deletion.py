"""Whether an identity that was made for one resource may be deleted, and its roles revoked. Pure.

Deleting cannot be undone, so it is last and slow:

    listed on no other resource      the first listing may be older than what was attached a moment
                                     ago
    counted on none that is hidden   Azure counts what has it in every subscription
    trusted for no other issuer      no federated credential
    still the one that was made      not one that a person made under its name

The listings are five minutes apart for its roles, an hour for itself, and all of it is asked twice
right before either goes, five minutes apart: one answer alone may be wrong, or of a moment ago. The
resource itself, gone or without it, may be listed late. A use that is seen, by whatever shows it,
starts all anew.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from lanyard.planning.actions import (
    Action,
    DeleteIdentity,
    DetachIdentity,
    ReleaseGrant,
    ReplaceIdentity,
)
from lanyard.planning.life import LISTING_LAG
from lanyard.planning.obstacle import Obstacle
from lanyard.values.compute import UserAssigned
from lanyard.values.errors import Because, Permanent, Temporary
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId

#: Seconds between two listings that show an identity without use, before it is deleted; and before
#: its roles are revoked: so long what was attached a moment ago may not be listed.
APART, ROLES_APART = 3600.0, LISTING_LAG
# So long a look at everything is the first of two: a use may have begun since.
_CLEAR_FOR = 2 * LISTING_LAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Where one look found the identity."""

    #: The ids of the other resources that have it.
    others: tuple[str, ...] = ()
    #: Whether it is listed on its own resource.
    listed: bool = False
    #: Whether its own resource lives and has it.
    attached: bool = False

    @property
    def only_late(self) -> bool:
        """Whether it is listed where it is no more."""
        return self.listed and not self.attached

    def hidden(self, count: int) -> int:
        """How many of the resources that Azure counts are none of those that are listed."""
        return max(count - len(self.others) - self.listed, 0)


def concerned(action: Action, identity: ResourceId, principal: str) -> bool:
    """Whether an action takes the identity itself, or a role of it."""
    match action:
        case DeleteIdentity(id=deleted):
            return deleted == identity
        case ReleaseGrant(grant=grant):
            return bool(principal) and grant.principal_id == principal
        case _:
            return False


def used(own: Dedicated) -> Dedicated:
    """What is on record of it after a look that shows a use."""
    return replace(own, alone_since=0.0, unused_since=0.0, clear_at=0.0, roles_clear_at=0.0)


def unused(own: Dedicated, use: Use, now: float) -> Dedicated:
    """… after one that shows none but its own resource's."""
    since = 0.0 if use.attached else own.unused_since or now
    return replace(own, alone_since=own.alone_since or now, unused_since=since)


def clear(own: Dedicated, soon: Iterable[Action], now: float) -> Dedicated:
    """… after everything was asked for what is due soon, and nothing shows a use."""
    for action in soon:
        if now - _clear_at(own, action) >= _CLEAR_FOR:
            own = _as_clear(own, action, now)
    return own


def second_look_in(own: Dedicated, action: Action, now: float) -> float:
    """Seconds after which everything has to be asked once more; 0 where a look now is the second of
    two.
    """
    age = now - _clear_at(own, action)
    return LISTING_LAG if age >= _CLEAR_FOR else max(LISTING_LAG - age, 0.0)


def first_look_in(own: Dedicated, action: Action, left: float, now: float) -> float:
    """Seconds after which everything has to be asked for the first time, for what is due in `left`
    seconds: so that the second time is when it is due. 0 where that is now.
    """
    if now - _clear_at(own, action) < _CLEAR_FOR:
        return left
    return max(left - LISTING_LAG, 0.0)


def _clear_at(own: Dedicated, action: Action) -> float:
    return own.clear_at if isinstance(action, DeleteIdentity) else own.roles_clear_at


def _as_clear(own: Dedicated, action: Action, now: float) -> Dedicated:
    if isinstance(action, DeleteIdentity):
        return replace(own, clear_at=now)
    return replace(own, roles_clear_at=now)


def seconds_left(action: Action, own: Dedicated, use: Use, now: float) -> float:
    """How long the listings ask an action to wait. While its resource has the identity, that and
    not a listing is what its deletion waits for.
    """
    if not isinstance(action, DeleteIdentity):
        return max(own.alone_since + ROLES_APART - now, 0.0)
    if use.attached:
        return 0.0
    left = unused_left(own, now)
    return max(left, LISTING_LAG) if use.only_late else left


def unused_left(own: Dedicated, now: float) -> float:
    """The seconds that are left until an identity was without use for long enough."""
    return max((own.unused_since or now) + APART - now, 0.0)


def in_use(use: Use) -> Obstacle | None:
    """By what is listed."""
    if not use.others:
        return None
    more = f" and {len(use.others) - 1} more have" if use.others[1:] else " has"
    reason = f"{use.others[0]}{more} it, too"
    return Obstacle(Because.IN_USE, reason, "detach it there, and it goes by itself")


def stays_attached(use: Use, identity: ResourceId, allowed: Iterable[Action]) -> Obstacle | None:
    """By its own resource, where nothing that is allowed takes it off there."""
    if not use.attached or any(_takes_off(action, identity) for action in allowed):
        return None
    reason = "its own resource has it, and nothing takes it off there"
    return Obstacle(Because.IN_USE, reason, "detach it there, and it goes by itself")


def _takes_off(action: Action, identity: ResourceId) -> bool:
    match action:
        case DetachIdentity(id=off):
            return off == identity
        case ReplaceIdentity(old=old):
            return old == UserAssigned(identity)
        case _:
            return False


def in_hidden_use(use: Use, count: int) -> Obstacle | None:
    """By Azure's count of what has it."""
    hidden = use.hidden(count)
    if not hidden:
        return None
    return Obstacle(
        Because.IN_USE,
        f"{hidden} more have it where Lanyard cannot read: listAssociatedResources counts {count}",
        "'az identity list-resources' shows them; detach it there, and it goes by itself",
    )


def trusted(credentials: Sequence[str]) -> Obstacle | None:
    """By the names of its federated credentials."""
    if not credentials:
        return None
    return Obstacle(
        Because.IN_USE,
        f"its federated credential {credentials[0]} gives it to another issuer's tokens",
        "delete that credential, if nothing uses it",
    )


def in_unread(subscriptions: Collection[str]) -> Obstacle | None:
    """By the subscriptions on record that cannot be read."""
    if not subscriptions:
        return None
    first = min(subscriptions)
    return Obstacle(
        Because.CANNOT_BE_ASKED,
        f"subscription {first} is on record and cannot be read: it may be in use there",
        f"give the rights back, or 'lanyard offboard {first}'",
    )


def not_answered(what: str, why: Temporary | Permanent) -> Obstacle:
    """By a question that Azure does not answer: nobody can say whether it is in use."""
    return Obstacle(
        Because.CANNOT_BE_ASKED,
        f"{what} cannot be asked: {why}",
        "give the app the rights that 'lanyard rights' shows, or delete the identity yourself",
    )
