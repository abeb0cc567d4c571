"""What the guard looks at, and what it finds. Pure."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from lanyard.planning.actions import Action, is_removal
from lanyard.planning.desired import Desired
from lanyard.planning.givers import NOBODY, Givers, rules_of
from lanyard.planning.orders import Kind, Orders, Refusal
from lanyard.policy import Policy
from lanyard.values.compute import ComputeResource, PrincipalRef
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.errors import Because, Temporary
from lanyard.values.grants import Grant
from lanyard.values.permissions import Definition, Unknown
from lanyard.values.resource_id import subscription_of
from lanyard.values.roles import listed_role


@dataclass(frozen=True, slots=True)
class Held:
    """An action that is not done: the reason, and what changes that.

    `releasable`: a person may release it; otherwise only what `release` names does. `failure`: it
    could not be decided now, and is looked at again after that; it is not listed.
    """

    action: Action
    because: Because
    reason: str
    release: str
    releasable: bool = False
    failure: Temporary | None = None

    def refusal(self, given_by: Givers = NOBODY) -> Refusal:
        """As it is recorded and listed. `given_by`: the rules that gave what the resource has."""
        return Refusal(
            key=self.action.key,
            because=self.because,
            action=str(self.action),
            reason=self.reason,
            release=self.release,
            releasable=self.releasable,
            kind=self._kind(),
            rules=rules_of(self.action, given_by),
            key_before=getattr(self.action, "key_before", ""),
        )

    def _kind(self) -> Kind:
        if self.because is Because.CONFLICT:
            return Kind.CONFLICT
        return Kind.REMOVAL if is_removal(self.action) else Kind.ADDITION


@dataclass(frozen=True, slots=True)
class Verdict:
    """The plan, split: every action is in exactly one of the two, in the plan's order. Held is also
    what stands and may not be given any more.
    """

    allowed: tuple[Action, ...]
    held: tuple[Held, ...]


#: A role (GUID), and the subscription (lower case) that it is defined in.
type RoleKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the guard looks at beside the plan."""

    policy: Policy
    desired: Desired
    resource: ComputeResource | None
    _: KW_ONLY
    #: What roles let their holders do, by `role_key`. Of one that is not there nothing is known.
    roles: Mapping[RoleKey, Definition] = field(default_factory=dict)
    #: The roles whose definitions could not be read just now, which passes.
    unanswered: Mapping[RoleKey, Temporary] = field(default_factory=dict)
    #: What is on record as given to this resource.
    granted: frozenset[Grant] = frozenset()
    #: The rules that gave each thing that the resource has, as givers.py names them.
    given_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: What persons decided.
    orders: Orders = field(default_factory=Orders)
    #: How often something was put back, by `repair_key`: a grant, or an identity of the resource.
    repairs: Mapping[str, int] = field(default_factory=dict)
    #: The keys of the actions that Azure reports as done and does not do.
    not_done: frozenset[str] = frozenset()
    #: Of identities that exist, as far as they are known.
    principals: Mapping[PrincipalRef, str] = field(default_factory=dict)
    #: The object id of the app's own identity; "" where it is not known.
    own_principal: str = ""

    @property
    def kind(self) -> ComputeType | None:
        """The row of the resource's type."""
        return None if self.resource is None else compute_type(self.resource.id.type)

    def role(self, role_id: str, scope: str) -> Definition:
        """What a role (GUID) lets its holder do at a scope."""
        known = (listed_role(role_id), self.roles.get(role_key(role_id, scope)))
        anywhere = self.roles.get((role_id, ""), Unknown.UNREADABLE)
        return next((each for each in known if each is not None), anywhere)


def role_key(role_id: str, scope: str) -> RoleKey:
    """A role (GUID) where a scope is: a subscription may have it, and another one not. What a
    listing of many shows has no subscription.
    """
    where = subscription_of(scope)
    return role_id, "" if where is None else where.subscription
