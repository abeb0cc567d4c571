"""What a change of the policy gives and takes, resource by resource and identity by identity: the
policy in force and the new one, each carried out on the same estate, and what differs then. Pure.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lanyard.desk.difference.access import Access, Attached, EveryAccess, Role, Who, every_access
from lanyard.desk.difference.carried_out import CarriedOut, carried_out
from lanyard.desk.difference.world import World
from lanyard.planning.desired import NOTHING
from lanyard.planning.orders import Refusal
from lanyard.planning.verdict import Situation
from lanyard.policy import Policy
from lanyard.policy.privileged import privilege
from lanyard.values.permissions import RoleDefinition
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Change:
    """Access that is gained, or lost. `rules`: of the new policy where it gives it, of the old one
    where it gave it. `privileged`: the operation by which a role is, or "".
    """

    access: Access
    lost: bool
    rules: tuple[str, ...]
    privileged: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """What a resource gains and loses, the privileged first, and what the new policy has held of it
    that the old one has not.
    """

    id: ResourceId
    changes: tuple[Change, ...]
    held: tuple[Refusal, ...]
    #: Whether its app restarts on the way, and its one identity is replaced.
    restarts: bool
    replaces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChange:
    """What an identity gains and loses, and whether it is made or deleted."""

    who: Who
    changes: tuple[Change, ...]
    made: bool
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDifference:
    """All that differs; resources and identities without a difference are only counted."""

    resources: tuple[ResourceChange, ...]
    identities: tuple[IdentityChange, ...]
    #: How many resources were looked at.
    looked_at: int
    before: CarriedOut
    after: CarriedOut

    @property
    def loses(self) -> bool:
        """Whether anything is lost."""
        every: list[ResourceChange | IdentityChange] = [*self.resources, *self.identities]
        lost = any(change.lost for each in every for change in each.changes)
        return lost or any(identity.deleted for identity in self.identities)


def difference(
    old: Policy, new: Policy, world: World, within: Callable[[ResourceId], bool] = lambda _: True
) -> PolicyDifference:
    """What the new policy gives and takes where the old one was in force until now. `within`: which
    resources it is asked of; what else is there counts, and is not shown.
    """
    before = carried_out(old, world)
    after = carried_out(new, before.world)
    return _Comparison(before, after, world).made(within)


class _Comparison:
    def __init__(self, before: CarriedOut, after: CarriedOut, world: World) -> None:
        self._before, self._after = before, after
        self._had, self._has = every_access(before.world), every_access(after.world)
        self._situation = Situation(Policy(version=1), NOTHING, None, roles=world.roles)

    def made(self, within: Callable[[ResourceId], bool]) -> PolicyDifference:
        asked = [one for one in sorted(self._after.world.resources) if within(one)]
        resources = [self._resource(one) for one in asked]
        theirs = {
            access.who
            for one in asked
            for every in (self._had, self._has)
            for access in every.of_resources[one]
        }
        identities = [self._identity(who) for who in sorted(self._every_identity() & theirs)]
        return PolicyDifference(
            resources=tuple(r for r in resources if r.changes or r.held or r.restarts),
            identities=tuple(i for i in identities if i.changes or i.made or i.deleted),
            looked_at=len(asked),
            before=self._before,
            after=self._after,
        )

    def _every_identity(self) -> set[Who]:
        return {*self._had.of_identities, *self._has.of_identities}

    def _resource(self, id_: ResourceId) -> ResourceChange:
        had, has = self._had.of_resources[id_], self._has.of_resources[id_]
        return ResourceChange(
            id=id_,
            changes=self._changes(had, has, id_),
            held=tuple(self._newly_held(id_)),
            restarts=id_ in self._after.restarted,
            replaces=id_ in self._after.replaced,
        )

    def _newly_held(self, id_: ResourceId) -> Iterator[Refusal]:
        known = {(entry.key, entry.because) for entry in self._before.held.get(id_, ())}
        for entry in self._after.held.get(id_, ()):
            if (entry.key, entry.because) not in known:
                yield entry

    def _identity(self, who: Who) -> IdentityChange:
        had = self._had.of_identities.get(who, frozenset[Role]())
        has = self._has.of_identities.get(who, frozenset[Role]())
        before, after = who in self._had.principals, who in self._has.principals
        return IdentityChange(
            who=who,
            changes=self._changes(had, has),
            made=after and not before and not who.system,
            deleted=before and not after and not who.system,
        )

    def _changes(
        self,
        had: Iterable[Access],
        has: Iterable[Access],
        id_: ResourceId | None = None,
    ) -> tuple[Change, ...]:
        old, new = frozenset(had), frozenset(has)
        lost = [self._change(one, self._before, self._had, id_, lost=True) for one in old - new]
        gained = [self._change(one, self._after, self._has, id_, lost=False) for one in new - old]
        return tuple(sorted([*lost, *gained], key=_order))

    def _change(
        self,
        access: Access,
        under: CarriedOut,
        every: EveryAccess,
        id_: ResourceId | None,
        *,
        lost: bool,
    ) -> Change:
        if isinstance(access, Attached):
            rules = () if id_ is None else under.attached_by.get((id_, access.who.key), ())
            return Change(access, lost, rules)
        rules = under.granted_by.get(every.content(access), ())
        return Change(access, lost, rules, self._privilege(access))

    def _privilege(self, role: Role) -> str:
        definition = self._situation.role(role.role_id, role.scope)
        return privilege(definition, role.scope) if isinstance(definition, RoleDefinition) else ""


def _order(change: Change) -> tuple[bool, bool, str]:
    return (not change.privileged, not change.lost, repr(change.access))
