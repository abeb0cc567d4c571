"""HTTP face of Microsoft.HybridCompute/machines."""

from simulator.arm.messages import Operation
from simulator.hybrid_compute.models import ArcMachines
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = ("2022-12-27", "2023-10-03-preview", "2024-07-10", "2025-01-13")


def operations(machines: ArcMachines) -> list[Operation]:
    """All operations on Arc machines."""
    style = Style("Microsoft.HybridCompute", created=200)
    return tracked_operations(Handlers(machines, style), VERSIONS)
