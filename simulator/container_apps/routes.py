"""HTTP face of Microsoft.App: a PUT gives `azure-asyncoperation`, a PATCH `location`, and the other
beside it where the switch says so.
"""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.container_apps.models import ContainerApps, Jobs
from simulator.tracked.models import Written
from simulator.tracked.routes import GROUP, Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2022-03-01", "2022-10-01", "2023-05-01", "2023-11-02-preview", "2024-02-02-preview"),
    *("2024-03-01", "2024-08-02-preview", "2024-10-02-preview", "2025-01-01", "2025-07-01"),
    "2026-01-01",
)
_PUT, _LATER = frozenset({"PUT"}), frozenset({"PATCH", "DELETE"})
_APPS = Style(
    "Microsoft.App",
    async_operation=_PUT,
    location=_LATER,
    statuses="containerappOperationStatuses",
    results="containerappOperationResults",
)
_JOBS = Style(
    "Microsoft.App",
    async_operation=_PUT,
    location=_LATER,
    statuses="containerappsjobOperationStatuses",
    results="containerappsjobOperationResults",
)


@dataclass(frozen=True)
class _Handlers(Handlers):
    def written(self, request: ArmRequest, written: Written) -> ArmResponse:
        kind = self.resources.kind.type.lower()
        if kind not in self.resources.state.behaviour.container_app_patch_status:
            return super().written(request, written)
        style = replace(self.style, async_operation=_PUT | {"PATCH"})
        return Handlers(self.resources, style).written(request, written)


def operations(apps: ContainerApps, jobs: Jobs) -> list[Operation]:
    """All operations on container apps and jobs."""
    return [
        *tracked_operations(_Handlers(apps, _APPS), VERSIONS),
        *tracked_operations(_Handlers(jobs, _JOBS), VERSIONS),
        *polls(_APPS, apps, VERSIONS),
        *polls(_JOBS, jobs, VERSIONS),
        _list_secrets(apps),
        _list_secrets(jobs),
    ]


def _list_secrets(apps: Jobs) -> Operation:
    def list_secrets(request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, {"value": apps.list_secrets(request.path.rpartition("/")[0])})

    path = f"{GROUP}/providers/{apps.kind.type}/{{name}}"
    action = f"{apps.kind.type}/listSecrets/action"
    return Operation("POST", f"{path}/listSecrets", list_secrets, action, path, versions=VERSIONS)
