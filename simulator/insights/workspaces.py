"""Log Analytics workspaces as ARM keeps them. Nothing is logged to them here."""

from simulator.arm.messages import Operation
from simulator.authorization.access import Access
from simulator.operations import Operations
from simulator.state import Json, State
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

_VERSIONS = ("2022-10-01", "2023-09-01", "2025-02-01")
WORKSPACES = Kind(
    "Microsoft.OperationalInsights/workspaces", read_only=("customerId",), shows_state=True
)


class Workspaces(TrackedResources):
    """The workspaces of all subscriptions."""

    def __init__(self, state: State, operations: Operations, access: Access) -> None:
        super().__init__(state, operations, access, WORKSPACES)

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """What queries name it by."""
        return {"customerId": self.state.ids.uuid()}


def operations(workspaces: Workspaces) -> list[Operation]:
    """All operations on workspaces, queries left out."""
    handlers = Handlers(workspaces, Style("Microsoft.OperationalInsights"))
    return tracked_operations(handlers, _VERSIONS)
