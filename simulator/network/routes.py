"""HTTP face of virtual networks and network interfaces, which ARM keeps as they are sent."""

from simulator.arm.messages import Operation
from simulator.authorization.access import Access
from simulator.operations import Operations
from simulator.state import State
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

_VERSIONS = ("2023-09-01", "2024-01-01", "2024-05-01", "2025-01-01")
_KINDS = (
    Kind("Microsoft.Network/virtualNetworks", shows_state=True),
    Kind("Microsoft.Network/networkInterfaces", shows_state=True),
)


def operations(state: State, running: Operations, access: Access) -> list[Operation]:
    """All operations on both; they end with the answer, where Azure's take some seconds."""
    made: list[Operation] = []
    for kind in _KINDS:
        handlers = Handlers(
            TrackedResources(state, running, access, kind), Style("Microsoft.Network")
        )
        made += tracked_operations(handlers, _VERSIONS)
    return made
