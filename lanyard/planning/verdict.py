"""What the guard looks at, and what it finds. Pure."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from lanyard.planning.actions import Action, is_removal
from lanyard.planning.desired import Desired
from lanyard.planning.orders import Kind, Orders, Refusal
from lanyard.policy import Policy
from lanyard.values.compute import ComputeResource, PrincipalRef
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.errors import Because
from lanyard.values.permissions import Definition, Unknown
from lanyard.values.roles import listed_role


@dataclass(frozen=True, slots=True)
class Held:
    """An action that is not done: the reason, and what changes that.

    `releasable`: a person may release it; otherwise only what `release` names does.
    """

    action: Action
    because: Because
    reason: str
    release: str
    releasable: bool = False

    def refusal(self) -> Refusal:
        """As it is recorded and listed."""
        return Refusal(
            key=self.action.key,
            because=self.because,
            action=str(self.action),
            reason=self.reason,
            release=self.release,
            releasable=self.releasable,
            kind=self._kind(),
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
    #: What a person should know of what is allowed.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What the guard looks at beside the plan."""

    policy: Policy
    desired: Desired
    resource: ComputeResource | None
    _: KW_ONLY
    #: What roles (GUIDs) let their holders do. Of one that is not there nothing is known.
    roles: Mapping[str, Definition] = field(default_factory=dict)
    #: What persons decided.
    orders: Orders = field(default_factory=Orders)
    #: How often something was put back on this resource, by `repair_key`.
    repairs: Mapping[str, int] = field(default_factory=dict)
    #: Of identities that exist, as far as they are known.
    principals: Mapping[PrincipalRef, str] = field(default_factory=dict)
    #: The object id of the app's own identity; "" where it is not known.
    own_principal: str = ""

    @property
    def kind(self) -> ComputeType | None:
        """The row of the resource's type."""
        return None if self.resource is None else compute_type(self.resource.id.type)

    def role(self, role_id: str) -> Definition:
        """What a role (GUID) lets its holder do."""
        return listed_role(role_id) or self.roles.get(role_id, Unknown.UNREADABLE)
