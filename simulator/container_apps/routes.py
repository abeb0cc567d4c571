"""HTTP face of Microsoft.App: a PUT gives `azure-asyncoperation` and always 201, a PATCH `location`
and, for apps since October 2024, both (recorded).
"""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Budget, Operation
from simulator.container_apps.models import ContainerApps, Jobs
from simulator.operations import LongRunning
from simulator.state import Json
from simulator.times import utc_offset
from simulator.tracked.kind import WRITES
from simulator.tracked.routes import GROUP, Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2022-03-01", "2022-10-01", "2023-05-01", "2023-11-02-preview", "2024-02-02-preview"),
    *("2024-03-01", "2024-08-02-preview", "2024-10-02-preview", "2025-01-01", "2025-07-01"),
    "2026-01-01",
)
_PUT, _LATER = frozenset({"PUT"}), frozenset({"PATCH", "DELETE"})


def _status(request: ArmRequest, work: LongRunning) -> Json:
    """With the path of the operation as its id, and without an end (recorded)."""
    started = utc_offset(work.started_at)
    return {"id": request.path, "name": work.id, "status": work.status, "startTime": started}


_APPS = Style(
    "Microsoft.App",
    async_operation=_PUT,
    location=_LATER,
    statuses="containerappOperationStatuses",
    results="containerappOperationResults",
    status=_status,
    updated=201,
    timeout="PT15M",
    budgets=dict.fromkeys(WRITES, Budget.RESOURCE),
)
_JOBS = replace(
    _APPS,
    statuses="containerappsjobOperationStatuses",
    results="containerappsjobOperationResults",
)


@dataclass(frozen=True)
class _Handlers(Handlers):
    def gives_async_operation(self, request: ArmRequest) -> bool:
        switched = self.resources.state.behaviour.container_app_patch_both_links
        both = self.resources.kind.type.lower() in switched
        return (request.method == "PATCH" and both) or super().gives_async_operation(request)


def operations(apps: ContainerApps, jobs: Jobs) -> list[Operation]:
    """All operations on container apps and jobs."""
    handle_apps, handle_jobs = _Handlers(apps, _APPS), _Handlers(jobs, _JOBS)
    return [
        *tracked_operations(handle_apps, VERSIONS),
        *tracked_operations(handle_jobs, VERSIONS),
        *polls(handle_apps),
        *polls(handle_jobs),
        _list_secrets(apps),
        _list_secrets(jobs),
    ]


def _list_secrets(apps: Jobs) -> Operation:
    def list_secrets(request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, {"value": apps.list_secrets(request.path.rpartition("/")[0])})

    path = f"{GROUP}/providers/{apps.kind.type}/{{name}}"
    action = f"{apps.kind.type}/listSecrets/action"
    return Operation("POST", f"{path}/listSecrets", list_secrets, action, path, versions=VERSIONS)
