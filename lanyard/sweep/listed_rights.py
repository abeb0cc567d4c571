"""What Resource Graph lists of role assignments and role definitions, as a sweep keeps it."""

from collections import Counter
from collections.abc import Callable, Container, MutableMapping
from dataclasses import dataclass, field

from lanyard.planning.orphans import suspects
from lanyard.ports.azure import Index
from lanyard.sweep.in_turns import read_in_turns
from lanyard.sweep.listings import Progress
from lanyard.sweep.spill import Spill, SpilledMapping
from lanyard.values.grants import Grant
from lanyard.values.listed import ListedAssignment, ListedRole
from lanyard.values.resource_id import folded, subscription_of


@dataclass(slots=True, kw_only=True)
class Rights:
    """What grows with the assignments may be kept elsewhere than in memory."""

    #: Whether an assignment is this installation's, by its name and its stamp.
    is_ours: Callable[[ListedAssignment], bool]
    #: The principals that any resource shows.
    alive: Container[str]
    #: By their folded ids, in the order of the listing.
    assignments: MutableMapping[str, ListedAssignment] = field(default_factory=dict)
    #: The folded ids of ours, each with the name of the grant that it gives.
    stamped: MutableMapping[str, str] = field(default_factory=dict)
    #: The principals to ask the directory for.
    suspects: set[str] = field(default_factory=set)
    #: Role definitions by their GUID (lower case).
    roles: dict[str, ListedRole] = field(default_factory=dict)
    #: The roles (GUID) that are assigned, each with a scope.
    assigned: dict[str, str] = field(default_factory=dict)
    #: How many assignments each subscription (lower case) has.
    by_subscription: Counter[str] = field(default_factory=Counter)
    #: How many assignments are listed.
    count: int = 0

    def add(self, listed: ListedAssignment | ListedRole) -> None:
        """One row."""
        if isinstance(listed, ListedRole):
            self.roles[listed.role_id] = listed
            return
        key = folded(listed.id)
        self.count += 1
        self.assignments[key] = listed
        if self.is_ours(listed):
            self.stamped[key] = Grant(*listed.content).name
        self.suspects |= suspects([listed], self.alive)
        self.assigned[listed.role_id] = listed.scope
        if where := subscription_of(listed.scope):
            self.by_subscription[where.subscription] += 1


async def read_rights(
    index: Index,
    is_ours: Callable[[ListedAssignment], bool],
    alive: Container[str],
    spill: Spill,
    progress: Progress,
) -> Rights:
    """All that is listed. Raises Temporary, Permanent."""
    assignments: SpilledMapping[ListedAssignment] = spill.mapping()
    stamped: SpilledMapping[str] = spill.mapping()
    rights = Rights(is_ours=is_ours, alive=alive, assignments=assignments, stamped=stamped)
    async for listed in read_in_turns(index.assignments()):
        rights.add(listed)
        progress("role assignments", rights.count)
    return rights
