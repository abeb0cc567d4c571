"""What people do in Azure, and Terraform; and Lanyard, where something is amiss in it."""

import uuid
from dataclasses import dataclass

from simulator.state import RoleAssignment
from tests.support.histories.accounts import LANYARD, principal_of
from tests.support.histories.mail import Fate
from tests.support.histories.places import PLACES, ROLES, group_id, identity_id
from tests.support.histories.step import Step
from tests.support.histories.world import ANNA, World

_EDITED = "owned by the storage team"


@dataclass(frozen=True, repr=False)
class Make(Step):
    """A resource is made, where there is none of this name, with identities in its template."""

    name: str
    tags: tuple[tuple[str, str], ...] = ()
    holds: tuple[str, ...] = ()
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it: a slot with its app, everything with its group."""
        place, resources = PLACES[self.name], world.estate.azure.state.resources
        if place.id in resources:
            return
        if group_id(place.group) not in resources:
            await world.person.make_group(place.group)
        if "/" in self.name and PLACES["web1"].id not in resources:
            await world.person.make(PLACES["web1"], {}, ())
        await world.person.make(place, dict(self.tags), self.holds)


@dataclass(frozen=True, repr=False)
class Kill(Step):
    """A resource is deleted."""

    name: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.kill(PLACES[self.name])


@dataclass(frozen=True, repr=False)
class KillGroup(Step):
    """A group is deleted with all that is in it."""

    group: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.kill_group(self.group)


@dataclass(frozen=True, repr=False)
class Tag(Step):
    """A resource gets these tags in place of all that it has."""

    name: str
    tags: tuple[tuple[str, str], ...] = ()
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.tag(PLACES[self.name], dict(self.tags))


@dataclass(frozen=True, repr=False)
class Attach(Step):
    """Somebody attaches an identity: a name of people's, "id-shared", or "own:NAME"."""

    name: str
    identity: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.attach(PLACES[self.name], self.identity)


@dataclass(frozen=True, repr=False)
class Detach(Step):
    """Somebody detaches an identity."""

    name: str
    identity: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.detach(PLACES[self.name], self.identity)


@dataclass(frozen=True, repr=False)
class Use(Step):
    """An app reads its secrets as an identity (`keyVaultReferenceIdentity`)."""

    name: str
    identity: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.use(PLACES[self.name], self.identity)


@dataclass(frozen=True, repr=False)
class MakeIdentity(Step):
    """Somebody makes an identity, where there is none of this name."""

    identity: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.make_identity(self.identity)


@dataclass(frozen=True, repr=False)
class KillIdentity(Step):
    """Somebody deletes an identity. What has it goes on naming it."""

    identity: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        await world.person.kill_identity(self.identity)


@dataclass(frozen=True, repr=False)
class Grant(Step):
    """Somebody gives an identity a role at a group, under a name of their own."""

    identity: str
    role: str = "blobs"
    group: str = "rg-app"
    by: str = ANNA
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person or Terraform does it."""
        principal = principal_of(world.estate.azure, identity_id(self.identity))
        if not principal:
            return
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{principal}{self.role}{self.group}"))
        scope = group_id(self.group)
        await world.acting(self.by).grant(principal, self.role, scope, name=name, note="by hand")


@dataclass(frozen=True, repr=False)
class Revoke(Step):
    """Somebody deletes an identity's role at a group, whoever gave it."""

    identity: str
    role: str = "blobs"
    group: str = "rg-app"
    by: str = ANNA
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person or Terraform does it."""
        for each in _assignments(world, self.identity, self.role, self.group):
            await world.acting(self.by).revoke(each.id)


@dataclass(frozen=True, repr=False)
class EditStamp(Step):
    """Somebody gives an assignment another description: it is theirs from then on."""

    identity: str
    role: str = "blobs"
    group: str = "rg-app"
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        for each in _assignments(world, self.identity, self.role, self.group):
            scope = each.scope
            principal, name = each.principal_id, each.name
            await world.person.grant(principal, self.role, scope, name=name, note=_EDITED)


def _assignments(world: World, identity: str, role: str, group: str) -> list[RoleAssignment]:
    principal = principal_of(world.estate.azure, identity_id(identity))
    return [
        each
        for each in world.estate.azure.state.role_assignments.values()
        if (each.principal_id, each.scope.lower()) == (principal, group_id(group))
        and each.role_definition_id.endswith(ROLES[role])
    ]


@dataclass(frozen=True, repr=False)
class Rogue(Step):
    """Lanyard itself does what a person's step says: what a fault in it would do."""

    step: Step

    async def act(self, world: World) -> None:
        """The step, as the app's own identity."""
        before, world.actor = world.actor, LANYARD
        try:
            await self.step.act(world)
        finally:
            world.actor = before
