"""HTTP face of Microsoft.ContainerService/managedClusters."""

from simulator.arm.messages import Operation
from simulator.container_service.models import ManagedClusters
from simulator.tracked.kind import WRITES
from simulator.tracked.routes import Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2023-10-01", "2024-01-01", "2024-05-01", "2024-09-01", "2025-01-01", "2025-05-01"),
    *("2025-10-01", "2026-01-01", "2026-06-01", "2026-08-01"),
)
_STYLE = Style(
    "Microsoft.ContainerService",
    async_operation=WRITES | {"DELETE"},
    location=frozenset({"DELETE"}),
    results="operationresults",
    etag_since="2025",
)


def operations(clusters: ManagedClusters) -> list[Operation]:
    """All operations on clusters."""
    handle = Handlers(clusters, _STYLE)
    return [*tracked_operations(handle, VERSIONS), *polls(handle)]
