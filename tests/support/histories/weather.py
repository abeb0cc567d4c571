"""What Azure does: calls fail, replicas and listings lag and lie, locks stand in the way."""

from dataclasses import dataclass

from simulator.behaviour import ResourceGraphAnswer
from simulator.faults import Drop, Fault
from tests.support.histories.places import GROUPS, PLACES
from tests.support.histories.step import Step
from tests.support.histories.world import ANNA, World

EFFECTS: dict[str, dict[str, object]] = {
    "429": {"status": 429, "code": "TooManyRequests", "retry_after": 5},
    "409": {"status": 409, "code": "AnotherOperationInProgress"},
    "423": {"status": 423, "code": "ScopeLocked"},
    "503": {"status": 503, "code": "ServiceUnavailable"},
    "lost": {"drop": Drop.BEFORE},
    "acted": {"drop": Drop.AFTER},
}
CALLS = {
    "read": ("GET", "/virtualMachines/|/sites/"),
    "write": ("PATCH", "/virtualMachines/|/sites/"),
    "read identity": ("GET", "/userAssignedIdentities/"),
    "make identity": ("PUT", "/userAssignedIdentities/"),
    "delete identity": ("DELETE", "/userAssignedIdentities/"),
    "grant": ("PUT", "/roleAssignments/"),
    "read grant": ("GET", "/roleAssignments/"),
    "revoke": ("DELETE", "/roleAssignments/"),
    "graph": ("POST", "/Microsoft.ResourceGraph/"),
}


@dataclass(frozen=True, repr=False)
class Fails(Step):
    """Lanyard's next calls of a kind fail: keys of `CALLS` and `EFFECTS`."""

    call: str
    how: str = "503"
    times: int = 1

    async def act(self, world: World) -> None:
        """Until so many were struck."""
        method, path = CALLS[self.call]
        lanyard = world.estate.app.object_id
        fault = Fault(
            method=method,
            path=path,
            caller=lanyard,
            times=self.times,
            **EFFECTS[self.how],  # type: ignore[arg-type]
        )
        world.estate.azure.faults.add(fault)


@dataclass(frozen=True, repr=False)
class Directory(Step):
    """The directory fails the next calls, or lags behind by so many minutes."""

    times: int = 0
    lag_minutes: float = 0

    async def act(self, world: World) -> None:
        """For Lanyard and everybody."""
        azure = world.estate.azure
        azure.behaviour.directory_lag_seconds = self.lag_minutes * 60
        if self.times:
            azure.faults.add(Fault(service="graph", status=503, times=self.times))


@dataclass(frozen=True, repr=False)
class Graph(Step):
    """Resource Graph lags behind by so many minutes from now on, and answers so."""

    lag_minutes: float = 0
    answer: str = "full"

    async def act(self, world: World) -> None:
        """Until the history is over, or another such step."""
        behaviour = world.estate.azure.behaviour
        world.model.circumstances.hidden |= self.answer in ("half-untold", "empty")
        world.model.graph_lied |= bool(self.lag_minutes) or self.answer != "full"
        behaviour.resource_graph_lag_seconds = self.lag_minutes * 60
        behaviour.resource_graph_answer = ResourceGraphAnswer(self.answer)


@dataclass(frozen=True, repr=False)
class Missing(Step):
    """For so long ARM's reads of a resource answer 404, whether or not it is there."""

    name: str
    seconds: float = 30

    async def act(self, world: World) -> None:
        """A replica that has not heard of it."""
        world.estate.azure.replicas.miss(PLACES[self.name].id, self.seconds)


@dataclass(frozen=True, repr=False)
class Lingering(Step):
    """For so long ARM's reads of a resource show it as it is now, whatever becomes of it."""

    name: str
    seconds: float = 30

    async def act(self, world: World) -> None:
        """A replica that does not hear what follows."""
        place = PLACES[self.name]
        if place.id in world.estate.azure.state.resources:
            world.estate.azure.replicas.keep(place.id, self.seconds)


@dataclass(frozen=True, repr=False)
class Lock(Step):
    """Nothing in a group can be deleted from now on."""

    group: str

    async def act(self, world: World) -> None:
        """Put there by a person."""
        await world.people[ANNA].lock(self.group)


@dataclass(frozen=True, repr=False)
class Unlock(Step):
    """The lock of a group is taken off."""

    group: str

    async def act(self, world: World) -> None:
        """By a person."""
        await world.people[ANNA].unlock(self.group)


@dataclass(frozen=True, repr=False)
class Quiet(Step):
    """Nothing fails or lags from now on, all messages are worked on, graces end, sweeps run: then
    the estate must be the policy's. Every history ends so.
    """

    async def act(self, world: World) -> None:
        """The end of all that goes wrong; the rest is `quiet.settle`."""
        azure = world.estate.azure
        azure.faults.clear()
        azure.replicas.catch_up()
        behaviour = azure.behaviour
        behaviour.resource_graph_lag_seconds = behaviour.directory_lag_seconds = 0.0
        behaviour.resource_graph_answer = ResourceGraphAnswer.FULL
        for group in GROUPS:
            await world.people[ANNA].unlock(group)
        await world.mail.send_late(newest_first=False)
