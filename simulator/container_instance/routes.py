"""HTTP face of Microsoft.ContainerInstance/containerGroups."""

from simulator.arm.messages import ArmRequest, Budget, Operation
from simulator.container_instance.models import AT_WORK, ContainerGroups
from simulator.operations import LongRunning
from simulator.state import Json
from simulator.times import utc_z
from simulator.tracked.routes import Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2018-10-01", "2019-12-01", "2021-07-01", "2021-09-01", "2021-10-01", "2022-09-01"),
    *("2023-05-01", "2024-05-01-preview"),
)


def _status(_request: ArmRequest, work: LongRunning) -> Json:
    """With the group's id, and without an end (recorded)."""
    status = AT_WORK if work.status == "InProgress" else work.status
    started = utc_z(work.started_at)
    shown: Json = {"id": work.subject, "status": status, "startTime": started}
    return {**shown, "properties": {"events": []}}


_STYLE = Style(
    "Microsoft.ContainerInstance",
    async_operation=frozenset({"PUT"}),
    status=_status,
    shows_deleted=True,
    budgets=dict.fromkeys(("PUT", "DELETE"), Budget.WINDOWS),
)


def operations(groups: ContainerGroups) -> list[Operation]:
    """All operations on container groups."""
    handle = Handlers(groups, _STYLE)
    return [*tracked_operations(handle, VERSIONS), *polls(handle)]
