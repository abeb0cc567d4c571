"""What everybody has in a world: each resource its identities and, through them, roles; and each
identity its roles, whoever gives them. Pure.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from lanyard.desk.difference.world import World
from lanyard.values.compute import SystemAssigned, UserAssigned
from lanyard.values.grants import Content, content_of
from lanyard.values.resource_id import ResourceId, folded


@dataclass(frozen=True, slots=True, order=True)
class Who:
    """An identity: a user-assigned one by its id; `system`: that of the resource with the id."""

    id: ResourceId
    system: bool = False

    @property
    def key(self) -> str:
        """As the identity of a resource is keyed: see `PrincipalRef`."""
        return SystemAssigned().key if self.system else UserAssigned(self.id).key


@dataclass(frozen=True, slots=True, order=True)
class Attached:
    """A resource has an identity."""

    who: Who


@dataclass(frozen=True, slots=True, order=True)
class Role:
    """An identity holds a role (GUID) at a scope (folded id), on a condition ("" for none)."""

    who: Who
    role_id: str
    scope: str
    condition: str = ""
    #: The scope as it is written, for people.
    written: str = field(compare=False, default="")


type Access = Attached | Role


@dataclass(frozen=True, slots=True)
class EveryAccess:
    """All access in a world. `principals`: of the identities in it."""

    of_resources: Mapping[ResourceId, frozenset[Access]]
    of_identities: Mapping[Who, frozenset[Role]]
    principals: Mapping[Who, str]

    def content(self, role: Role) -> Content[str]:
        """What carries a role that is in it. See `content_of`."""
        return content_of(role.scope, role.role_id, self.principals[role.who])


def every_access(world: World) -> EveryAccess:
    """All of it."""
    principals = _principals(world)
    by_principal = {principal: who for who, principal in principals.items()}
    roles: defaultdict[Who, set[Role]] = defaultdict(set)
    written = {folded(g.scope): g.scope for owned in world.owned.values() for g in owned.grants}
    for (scope, role_id, principal), condition in _given(world).items():
        if (who := by_principal.get(principal)) is not None:
            at = written.get(scope, scope)
            roles[who].add(Role(who, role_id, scope, condition or "", at))
    of_identities = {who: frozenset(roles[who]) for who in principals}
    of_resources = {
        id_: frozenset(
            access
            for who in _identities(id_, world)
            for access in (Attached(who), *of_identities.get(who, ()))
        )
        for id_ in world.resources
    }
    return EveryAccess(of_resources, of_identities, principals)


def _given(world: World) -> dict[Content[str], str | None]:
    claimed = {
        grant.content: grant.condition for owned in world.owned.values() for grant in owned.grants
    }
    claimed |= {each: on for each, on in world.conditions.items() if each in claimed}
    return dict(world.unclaimed) | claimed | dict(world.others)


def _identities(id_: ResourceId, world: World) -> list[Who]:
    identity = world.resources[id_].identity
    attached = [Who(one) for one in identity.user_assigned]
    return [*attached, *([Who(id_, True)] if identity.system_principal_id is not None else [])]


def _principals(world: World) -> dict[Who, str]:
    found: dict[Who, str] = {}
    for id_, resource in world.resources.items():
        for one in resource.identity.user_assigned:
            if one.key in world.identities:
                found[Who(one)] = world.identities[one.key]
        if (system := resource.identity.system_principal_id) is not None:
            found[Who(id_, True)] = system
    known = {who.id.key for who in found if not who.system}
    for key, principal in world.identities.items():
        if key not in known:
            found[Who(ResourceId.parse(key))] = principal
    return found
