"""A person adopts what somebody else gave, and leaves it to others, as `lanyard adopt` does."""

from dataclasses import dataclass

from lanyard.azure.connection import azure_over
from lanyard.desk.adoption.adoption import Adopted, Adoption
from lanyard.desk.adoption.candidates import Assigned, Attached, Candidate, Candidates
from lanyard.reconcile.services import Services, assemble
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId, folded
from simulator.tokens.credential import AsyncPrincipalCredential
from tests.support.histories.accounts import ANOTHER
from tests.support.histories.model import Finding
from tests.support.histories.places import PLACES
from tests.support.histories.step import Step
from tests.support.histories.world import ANNA, World


@dataclass(frozen=True, repr=False)
class Adopt(Step):
    """A person has adopted all that a resource has of others and the policy gives it; `back`: and
    has released what was adopted.
    """

    name: str
    back: bool = False

    async def act(self, world: World) -> None:
        """With their own rights. A part that cannot be is not."""
        services = _services(world)
        adoption = Adoption(services, world.estate.queue.put, ANNA)
        for each in await self._found(world, services):
            before = _described(world, each)
            try:
                await (adoption.release(each) if self.back else adoption.adopt(each))
            except LanyardError:
                continue
            _note(world, each, before, back=self.back)

    async def _found(self, world: World, services: Services) -> list[Candidate]:
        scope = ResourceId.parse(PLACES[self.name].id)
        try:
            if self.back:
                return await Adopted(services, scope, {}, []).all()
            found = await Candidates(world.estate.policy, services).of(scope)
        except LanyardError:
            return []
        return [each for each in found or () if not each.refused and _is_over(world, each)]


def _services(world: World) -> Services:
    estate, now = world.estate, world.estate.azure.clock.now
    credential = AsyncPrincipalCredential(estate.azure.tokens, estate.operator)
    azure = azure_over(credential, estate.settings, estate.azure.transport(), now)
    return assemble(azure, estate.tables, estate.policy, ANNA, now)


def _is_over(world: World, found: Candidate) -> bool:
    """Nobody adopts from an installation that is still at work."""
    accounts = world.model.accounts
    match found.what:
        case Assigned() as assigned:
            maker = accounts.given[assigned.key].maker
        case Attached(resource, identity):
            maker = accounts.attached[resource.key, identity.key]
    return maker != ANOTHER


def _described(world: World, found: Candidate) -> str | None:
    if not isinstance(found.what, Assigned):
        return None
    return world.estate.azure.state.role_assignments[found.what.key].description


def _note(world: World, found: Candidate, before: str | None, *, back: bool) -> None:
    accounts = world.model.accounts
    match found.what, back:
        case Assigned() as assigned, False:
            accounts.adopt(assigned.key, before)
        case Assigned() as assigned, True:
            if not accounts.release(assigned.key, _described(world, found)):
                seen = f"{assigned.grant} is described otherwise than before it was adopted"
                world.model.findings.append(Finding("27.2 released", seen))
        case Attached(resource, identity), _:
            here = folded(str(resource)), folded(str(identity))
            accounts.take_over(here, back=back)
