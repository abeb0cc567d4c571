"""HTTP face of Microsoft.ContainerInstance/containerGroups."""

from simulator.arm.messages import Operation
from simulator.container_instance.models import ContainerGroups
from simulator.tracked.routes import Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2019-12-01", "2021-07-01", "2021-09-01", "2021-10-01", "2022-09-01", "2023-05-01"),
    "2024-05-01-preview",
)
_STYLE = Style("Microsoft.ContainerInstance", async_operation=frozenset({"PUT"}))


def operations(groups: ContainerGroups) -> list[Operation]:
    """All operations on container groups."""
    return [
        *tracked_operations(Handlers(groups, _STYLE), VERSIONS),
        *polls(_STYLE, groups, VERSIONS),
    ]
