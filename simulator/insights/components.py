"""Application Insights: the resource, and the telemetry that it took. Kept apart from HTTP."""

from dataclasses import dataclass

from simulator.authorization.access import Access
from simulator.operations import Operations
from simulator.state import Json, Resource, State
from simulator.tracked.kind import Casing, Kind
from simulator.tracked.models import TrackedResources

COMPONENTS = Kind(
    "Microsoft.Insights/components",
    top_level=("kind",),
    read_only=("InstrumentationKey", "ConnectionString"),
    shows_state=True,
    casing=Casing(type="microsoft.insights/components", path="microsoft.insights/components"),
)


@dataclass(frozen=True)
class Taken:
    """An envelope (Breeze schema) that a component took, as it was sent, and who sent it."""

    component_id: str
    caller: str
    envelope: Json

    @property
    def data(self) -> Json:
        """What it tells of: its name, duration, properties and so on."""
        found: Json = self.envelope["data"]["baseData"]
        return found


class Components(TrackedResources):
    """The components of all subscriptions. `taken`: every envelope they took, in order."""

    def __init__(self, state: State, operations: Operations, access: Access) -> None:
        super().__init__(state, operations, access, COMPONENTS)
        self.taken: list[Taken] = []

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """It has its instrumentation key for good."""
        return {"InstrumentationKey": self.state.ids.uuid()}

    def by_key(self, key: object) -> Resource | None:
        """The component of an instrumentation key: there are few, so they are looked through."""
        kind = COMPONENTS.type.lower()
        of_kind = (each for each in self.state.resources.values() if each.type.lower() == kind)
        return next((c for c in of_kind if c.properties["InstrumentationKey"] == key), None)
