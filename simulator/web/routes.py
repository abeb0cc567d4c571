"""HTTP face of Microsoft.Web/sites."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.resources import require
from simulator.web.models import TYPE, Sites, show

VERSIONS = (
    *("2018-11-01", "2019-08-01", "2020-06-01", "2020-12-01", "2021-02-01", "2021-03-01"),
    *("2022-03-01", "2022-09-01", "2023-01-01", "2023-12-01", "2024-04-01", "2024-11-01"),
    "2025-03-01",
    "2025-05-01",
)
_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ONE = f"{_GROUP}/providers/{TYPE}/{{name}}"


@dataclass(frozen=True)
class _Handlers:
    sites: Sites

    def put(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, show(self.sites.put(request.path, request.json(), request.caller)))

    def patch(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(
            200, show(self.sites.patch(request.path, request.json(), request.caller))
        )

    def get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, show(require(self.sites.state, request.path)))

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.sites.list_in(request.params["subscription"], request.params.get("group"))
        return ArmResponse(200, {"value": [show(each) for each in found]})

    def delete(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200 if self.sites.delete(request.path) else 204)


def operations(sites: Sites) -> list[Operation]:
    """All operations on apps."""
    handle = _Handlers(sites)
    read, write, delete = f"{TYPE}/read", f"{TYPE}/write", f"{TYPE}/delete"
    in_group, in_subscription = f"{_GROUP}/providers/{TYPE}", f"{_SUBSCRIPTION}/providers/{TYPE}"
    return [
        Operation("PUT", _ONE, handle.put, write, versions=VERSIONS),
        Operation("PATCH", _ONE, handle.patch, write, versions=VERSIONS),
        Operation("GET", _ONE, handle.get, read, versions=VERSIONS),
        Operation("DELETE", _ONE, handle.delete, delete, versions=VERSIONS),
        Operation("GET", in_group, handle.list, read, _GROUP, versions=VERSIONS),
        Operation("GET", in_subscription, handle.list, read, _SUBSCRIPTION, versions=VERSIONS),
    ]
