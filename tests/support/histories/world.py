"""One estate with a model beside it, and all that steps need to act on it."""

import random
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from lanyard.app import intake
from lanyard.desk.operator import Operator
from lanyard.record.held import Entry
from lanyard.values.errors import LanyardError
from tests.support.estate import Estate
from tests.support.histories.accounts import ANOTHER, INSTALLATIONS, LANYARD, attached
from tests.support.histories.mail import Mail
from tests.support.histories.model import Model
from tests.support.histories.people import Person
from tests.support.histories.places import GROUPS, IDENTITIES, PEOPLES
from tests.support.histories.policies import Features, Policy, text

if TYPE_CHECKING:
    from tests.support.histories.storage import Moment

ANNA, TERRAFORM = "Anna", "Terraform"
#: Seconds in which a message that fails has had all its attempts.
_ATTEMPTS = 2 * 3600.0
#: Seconds: handlers/policy_changes.py.
_LOOKS_EVERY = 300.0


@dataclass
class World:
    """What a history is played in."""

    estate: Estate
    mail: Mail
    model: Model
    #: Who acts, by name.
    people: dict[str, Person]
    features: Features
    operator: Operator
    #: Who takes the steps of people; Lanyard itself where something is amiss in it.
    actor: str = ANNA
    #: Policies that a sweep has put on record.
    reported: set[str] = field(default_factory=set)
    #: A second installation in the same subscription.
    another: Estate | None = None
    #: The tables before each step.
    moments: list["Moment"] = field(default_factory=list)
    #: When a sweep was through last, on the clock.
    swept: float = 0.0
    #: Nothing has happened since all came to rest.
    quiet: bool = False

    @property
    def person(self) -> Person:
        """Who acts now."""
        return self.people[self.actor]

    def acting(self, by: str) -> Person:
        """The person with this name, unless Lanyard itself is at work."""
        return self.people[self.actor if self.actor in INSTALLATIONS else by]

    async def adopt(self, policy: Policy) -> None:
        """Another policy comes into force."""
        self.model.policy = policy
        self.estate.change_policy(text(policy, self.features))
        self.begin_work()
        self.note_reported()

    def note_reported(self) -> None:
        """Whether the difference that the policy in force makes is on record."""
        known = not self.reported or self.estate.policy.digest in self.reported
        self.model.orders.reported = known

    def begin_another(self, policy: Policy) -> None:
        """A second installation, with a policy of its own, hears what is reported from now on."""
        if self.another is not None:
            return
        self.another = second = self.estate.another(text(policy, self.features))
        second.worker = replace(second.worker, dice=random.Random(2))
        self.people[ANOTHER] = Person(second.azure, second.app)
        self.model.admit_another(second.app.object_id, policy)
        self.mail.others.append(Mail(second, [], self.model.look))

    def begin_work(self) -> None:
        """The app was put together anew. Its jitter is by a seed, so that a failure comes again."""
        estate = self.estate
        estate.worker = replace(estate.worker, dice=random.Random(1))
        self.operator = Operator(estate.services, estate.queue.put, ANNA)

    async def sweep(self) -> LanyardError | None:
        """One sweep, as the timer starts it; the failure that it ends with, if one. The second
        installation has one, too, once there is nothing left to do after it.
        """
        failure = await self._sweep()
        if self.another is None:
            return failure
        await self.mail.work()
        try:
            await self.another.sweeps.run()
        except LanyardError as error:
            return failure or error
        return failure

    async def _sweep(self) -> LanyardError | None:
        model, state = self.model, self.estate.azure.state
        try:
            await self.estate.sweeps.run()
        except LanyardError as error:
            return error
        finally:
            if await self.estate.services.kill_switch.reported():
                self.reported.add(self.estate.policy.digest)
                model.orders.reported = True
        attachments = sum(len(attached(resource)) for _, resource in model.living())
        model.known = len(state.role_assignments) + attachments
        model.swept()
        self.swept = self.estate.azure.clock.now()
        return None

    async def pass_time(self, seconds: float) -> None:
        """The clock goes on; messages are worked on when they are due."""
        clock = self.estate.azure.clock
        end = clock.now() + seconds
        while (due := self.mail.next_due()) is not None and due <= end:
            clock.advance(max(due - clock.now(), 0.0))
            await self.mail.work()
        clock.advance(max(end - clock.now(), 0.0))
        if seconds >= _LOOKS_EVERY:
            await self._look()

    async def _look(self) -> None:
        """The timer of every five minutes, where no sweep is due for another reason."""
        relearning = self.estate.services.relearning
        if not await relearning.under_way():
            await relearning.confirm()

    async def work_off(self) -> None:
        """Until no message waits, or only what waits for hours."""
        clock = self.estate.azure.clock
        end = clock.now() + _ATTEMPTS
        await self.mail.work()
        while (due := self.mail.next_due()) is not None and due <= end:
            clock.advance(max(due - clock.now(), 0.0))
            await self.mail.work()

    async def held(self, of: str = LANYARD) -> list[Entry]:
        """All that an installation holds, always in the same order."""
        estate = self.another if of == ANOTHER and self.another else self.estate
        entries = [entry async for entry in estate.services.held.all()]
        return sorted(
            entries, key=lambda each: (each.resource.key, each.principal, each.refusal.key)
        )


async def new_world(policy: Policy, features: Features) -> World:
    """An estate with its groups and the identities of people, under a policy."""
    estate = Estate(text(policy, features))
    state = estate.azure.state
    terraform = state.add_principal("terraform")
    estate.azure.assign(terraform.object_id, "Owner", estate.scope)
    names = {estate.app.object_id: LANYARD, estate.operator.object_id: ANNA}
    names[terraform.object_id] = TERRAFORM
    model = Model(estate.azure, names, estate.app.object_id, policy)
    people = {
        ANNA: Person(estate.azure, estate.operator),
        TERRAFORM: Person(estate.azure, terraform),
        LANYARD: Person(estate.azure, estate.app),
    }
    operator = Operator(estate.services, estate.queue.put, ANNA)
    world = World(
        estate,
        Mail(estate, model.looks[LANYARD].events, model.look),
        model,
        people,
        features,
        operator,
    )
    world.begin_work()
    for group in (*GROUPS, IDENTITIES):
        await world.person.make_group(group)
    for name in PEOPLES:
        await world.person.make_identity(name)
    estate.new_events()
    return world


@contextmanager
def handlers_of(estate: Estate) -> Iterator[None]:
    """The handlers take this estate's settings."""
    with patch.object(intake, "settings", lambda: estate.settings):
        yield


def at_once(work: Coroutine[Any, Any, Any]) -> None:
    """Run what only waits for tables in memory, without letting others go first."""
    try:
        while True:
            work.send(None)
    except StopIteration:
        pass
