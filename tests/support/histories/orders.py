"""The policy, the sweep, time, and what people order of Lanyard."""

from dataclasses import dataclass

from lanyard.planning.orders import Paused
from lanyard.values.errors import Permanent
from simulator.faults import Fault
from tests.support.histories.policies import Policy
from tests.support.histories.step import Step
from tests.support.histories.world import World, at_once


@dataclass(frozen=True, repr=False)
class NewPolicy(Step):
    """Another policy comes into force."""

    policy: Policy

    async def act(self, world: World) -> None:
        """It is delivered, and the app put together anew."""
        await world.adopt(self.policy)


@dataclass(frozen=True, repr=False)
class Another(Step):
    """A second installation begins to watch the same subscription, under the policy in force. It
    keeps that one.
    """

    async def act(self, world: World) -> None:
        """From now on it hears of everything, and each sweep is followed by one of it."""
        world.begin_another(world.model.policy)


@dataclass(frozen=True, repr=False)
class Sweep(Step):
    """The timer starts a sweep."""

    async def act(self, world: World) -> None:
        """What it finds is worked on after it."""
        await world.sweep()


@dataclass(frozen=True, repr=False)
class Pass(Step):
    """Time passes; messages are worked on when they are due."""

    minutes: float

    async def act(self, world: World) -> None:
        """Both in their order."""
        await world.pass_time(self.minutes * 60)


@dataclass(frozen=True, repr=False)
class Late(Step):
    """The events that were late come now."""

    newest_first: bool = False

    async def act(self, world: World) -> None:
        """They are put on the queue."""
        await world.mail.send_late(newest_first=self.newest_first)


@dataclass(frozen=True, repr=False)
class Pause(Step):
    """A person pauses: "removals" or "everything"."""

    what: str = "removals"

    async def act(self, world: World) -> None:
        """As `lanyard pause` does."""
        await world.operator.pause(Paused(self.what), "to look")
        world.model.orders.pause = self.what


@dataclass(frozen=True, repr=False)
class PauseWhileReading(Step):
    """A person pauses removals in the moment in which Lanyard next reads a resource."""

    async def act(self, world: World) -> None:
        """Struck by that very request."""
        world.estate.azure.faults.add(_Interruption(world))


class _Interruption(Fault):
    """Does nothing to the request."""

    def __init__(self, world: World) -> None:
        super().__init__(method="GET", caller=world.estate.app.object_id, times=1)
        self.path = "/virtualMachines/|/sites/"
        self._world = world

    def matches(self, service: str, method: str, path: str, caller: str | None) -> bool:
        """Pauses at the first that fits."""
        if not self.hits and super().matches(service, method, path, caller):
            self.hits = 1
            at_once(Pause().act(self._world))
        return False


@dataclass(frozen=True, repr=False)
class Resume(Step):
    """A person ends the pause."""

    async def act(self, world: World) -> None:
        """As `lanyard resume` does."""
        world.model.resumed()
        await world.operator.resume()


@dataclass(frozen=True, repr=False)
class Release(Step):
    """A person releases something that is held, if anything can be: the one of this number."""

    number: int = 0

    async def act(self, world: World) -> None:
        """As `lanyard release` does."""
        held = [entry for entry in await world.held() if entry.refusal.releasable]
        if held:
            entry = held[self.number % len(held)]
            world.model.orders.released.add(entry.resource.key)
            world.model.orders.dismissed.pop(entry.resource.key, None)
            world.model.released[entry.full_id] = entry
            await world.operator.release(entry.full_id)


@dataclass(frozen=True, repr=False)
class Dismiss(Step):
    """A person dismisses something that is held, if anything is: the one of this number."""

    number: int = 0

    async def act(self, world: World) -> None:
        """As `lanyard dismiss` does."""
        if held := await world.held():
            entry = held[self.number % len(held)]
            world.model.orders.dismissed[entry.resource.key].add(entry.refusal.key)
            world.model.released.pop(entry.full_id, None)
            try:
                await world.operator.dismiss(entry.full_id)
            except Permanent:
                return
