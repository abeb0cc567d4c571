"""HTTP face of Microsoft.Web/sites and slots: every write answers 200, but for function apps on
Container Apps, which answer 202 and where the result will be (recorded).
"""

from dataclasses import dataclass

from simulator.arm.long_running import resource_link
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.tracked.errors import operation_not_found
from simulator.tracked.models import Written
from simulator.tracked.routes import GROUP, Handlers, Style, template_of
from simulator.tracked.routes import operations as tracked_operations
from simulator.web import site_config
from simulator.web.models import Sites

VERSIONS = (
    *("2018-11-01", "2019-08-01", "2020-06-01", "2020-12-01", "2021-02-01", "2021-03-01"),
    *("2022-03-01", "2022-09-01", "2023-01-01", "2023-12-01", "2024-04-01", "2024-11-01"),
    "2025-03-01",
    "2025-05-01",
)
_STYLE = Style("Microsoft.Web", created=200)


@dataclass(frozen=True)
class _Handlers(Handlers):
    def written(self, request: ArmRequest, written: Written) -> ArmResponse:
        resource, work = written.resource, written.work
        if work is None:
            return super().written(request, written)
        headers = {"location": resource_link(request, f"{resource.id}/operationresults", work)}
        return ArmResponse(202, None, headers, work, resource.id)

    def result(self, request: ArmRequest) -> ArmResponse:
        work = self.resources.operations.get(request.params["id"])
        if work is None:
            raise operation_not_found(request.params["id"])
        if work.status == "InProgress":
            return ArmResponse(202, None, {"location": request.url})
        resource = self.resources.find(work.subject)
        return ArmResponse(200, self.resources.show(resource)) if resource else ArmResponse(204)

    def results(self, names: tuple[str, ...]) -> Operation:
        kind = self.resources.kind.type
        path = f"{GROUP}/providers/{template_of(kind, names)}/operationresults/{{id}}"
        read = f"{kind}/operationresults/read"
        return Operation("GET", path, self.result, read, versions=VERSIONS, poll=True)


def operations(sites: Sites, slots: Sites) -> list[Operation]:
    """All operations on apps and slots, their configuration included."""
    apps, of_apps = _Handlers(sites, _STYLE), _Handlers(slots, _STYLE)
    return [
        *tracked_operations(apps, VERSIONS),
        *tracked_operations(of_apps, VERSIONS, names=("name", "slot")),
        apps.results(("name",)),
        of_apps.results(("name", "slot")),
        *site_config.operations(sites.state, VERSIONS),
    ]
