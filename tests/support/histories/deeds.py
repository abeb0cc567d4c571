"""What people do in Azure, and Terraform; and Lanyard, where something is amiss in it."""

import uuid
from dataclasses import dataclass

from simulator.state import RoleAssignment
from tests.support.histories.accounts import LANYARD, principal_of
from tests.support.histories.mail import Fate
from tests.support.histories.places import PLACES, ROLES, group_id, identity_id
from tests.support.histories.policies import CONDITIONS
from tests.support.histories.step import Step
from tests.support.histories.world import ANNA, TERRAFORM, World

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
        if place.app and PLACES[place.app].id not in resources:
            await world.person.make(PLACES[place.app], {}, ())
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
class Move(Step):
    """A resource is moved to its other group, with what is below it: "vm1" to "vm1@shop"."""

    name: str
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        place = PLACES[self.name]
        if place.app or not place.elsewhere:
            return
        target = PLACES[place.elsewhere]
        if group_id(target.group) not in world.estate.azure.state.resources:
            await world.person.make_group(target.group)
        moves = {place.id: target.id}
        moves |= {
            below.id: PLACES[below.elsewhere].id
            for below in PLACES.values()
            if below.app == place.name
        }
        with world.model.moving(moves):
            await world.person.move(place, target.group)


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
class HandOver(Step):
    """Terraform takes over what an identity has at a group, under a name of its own; `back`: it
    deletes what it gave.
    """

    identity: str
    role: str = "blobs"
    group: str = "rg-app"
    back: bool = False
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """Azure takes no second assignment of the same content: the first one goes before."""
        for each in _assignments(world, self.identity, self.role, self.group):
            maker = world.model.accounts.given[each.id.lower()].maker
            if not self.back or maker == TERRAFORM:
                await world.acting(TERRAFORM).revoke(each.id)
        if not self.back:
            await Grant(self.identity, self.role, self.group, TERRAFORM).act(world)


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


@dataclass(frozen=True, repr=False)
class EditCondition(Step):
    """Somebody has an assignment hold on another condition, "" for none, and changes no more."""

    identity: str
    on: str = ""
    role: str = "blobs"
    group: str = "rg-app"
    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """As a person does it."""
        for each in _assignments(world, self.identity, self.role, self.group):
            await world.person.grant(
                each.principal_id,
                self.role,
                each.scope,
                name=each.name,
                note=each.description or "",
                on=CONDITIONS[self.on],
            )


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
    #: Which installation of it.
    by: str = LANYARD

    async def act(self, world: World) -> None:
        """The step, as the app's own identity."""
        before, world.actor = world.actor, self.by
        try:
            await self.step.act(world)
        finally:
            world.actor = before
