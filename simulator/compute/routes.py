"""HTTP face of Microsoft.Compute/virtualMachines and of its operations."""

from dataclasses import dataclass

from simulator.arm.long_running import async_operation, operation_location, status_body
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.compute.filters import machine_filter
from simulator.compute.models import TYPE, Accepted, VirtualMachines, etag, show
from simulator.operations import Operations
from simulator.resources import require
from simulator.tracked.conditions import Conditions
from simulator.tracked.errors import operation_not_found

NAMESPACE = "Microsoft.Compute"
VERSIONS = (
    *("2016-04-30-preview", "2017-03-30", "2017-12-01", "2018-04-01", "2018-06-01", "2018-10-01"),
    *("2019-03-01", "2019-07-01", "2019-12-01", "2020-06-01", "2020-12-01", "2021-03-01"),
    *("2021-04-01", "2021-07-01", "2021-11-01", "2022-03-01", "2022-08-01", "2022-11-01"),
    *("2023-03-01", "2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01"),
    *("2025-04-01", "2025-11-01", "2026-03-01", "2026-04-01"),
)

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ONE = f"{_GROUP}/providers/{TYPE}/{{name}}"
_OPERATION = f"{_SUBSCRIPTION}/providers/{NAMESPACE}/locations/{{location}}/operations/{{id}}"

#: What every answer of Compute carries (recorded).
MARK = {"x-ms-need-to-refresh-epl-cache": "False"}
_UPDATE = ("UpdateVMSubscriptionMaximum", "UpdateVMResource")
_DELETE = ("DeleteVMSubscriptionMaximum", "DeleteVMResource")
_GET = ("LowCostGetSubscriptionMaximum", "LowCostGetResource")
_LIST = ("HighCostGetSubscriptionMaximum",)
_POLL = ("GetOperationResource", "GetOperationSubscriptionMaximum")


@dataclass(frozen=True)
class _Handlers:
    machines: VirtualMachines
    operations: Operations

    def put(self, request: ArmRequest) -> ArmResponse:
        accepted = self.machines.put(
            request.path, request.json(), request.caller, Conditions.of(request.headers)
        )
        return _accepted(request, accepted)

    def patch(self, request: ArmRequest) -> ArmResponse:
        accepted = self.machines.patch(
            request.path, request.json(), request.caller, Conditions.of(request.headers)
        )
        return _accepted(request, accepted)

    def get(self, request: ArmRequest) -> ArmResponse:
        vm = require(self.machines.state, request.path)
        if request.query.get("$expand", "").lower() == "instanceview":
            return ArmResponse(200, show(vm), MARK)  # without ETag (recorded)
        return ArmResponse(200, show(vm), {**MARK, "etag": etag(vm)})

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.machines.list_in(request.params["subscription"], request.params.get("group"))
        wanted = machine_filter(request.query.get("$filter"))
        shown = [show(each) for each in found if wanted(each)]
        return ArmResponse(200, {"value": shown}, MARK)

    def delete(self, request: ArmRequest) -> ArmResponse:
        vm = self.machines.state.resources.get(request.path.lower())
        work = self.machines.delete(request.path, Conditions.of(request.headers))
        if work is None or vm is None:
            return ArmResponse(204, None, MARK)
        links = {
            "azure-asyncoperation": async_operation(request, NAMESPACE, vm.location, work),
            "azure-asyncnotification": "Enabled",
            "location": operation_location(request, NAMESPACE, vm.location, work),
            "retry-after": "10",
        }
        return ArmResponse(202, None, {**MARK, **links}, work, vm.id)

    def poll(self, request: ArmRequest) -> ArmResponse:
        work = self.operations.get(request.params["id"])
        if work is None:
            raise operation_not_found(request.params["id"])
        if "monitor" not in request.query:
            return ArmResponse(200, status_body(work), MARK)
        return ArmResponse(202 if work.status == "InProgress" else 200, None, MARK)


def _accepted(request: ArmRequest, accepted: Accepted) -> ArmResponse:
    """Updates carry neither `location` nor `retry-after` (recorded); a create asks for 10 s."""
    vm = accepted.vm
    headers = {
        **MARK,
        "azure-asyncoperation": async_operation(request, NAMESPACE, vm.location, accepted.work),
        "azure-asyncnotification": "Enabled",
        "etag": etag(vm),
    }
    if accepted.created:
        headers["retry-after"] = "10"
    return ArmResponse(201 if accepted.created else 200, show(vm), headers, accepted.work, vm.id)


def operations(machines: VirtualMachines, running: Operations) -> list[Operation]:
    """All operations on virtual machines."""
    handle = _Handlers(machines, running)
    read, write, delete = f"{TYPE}/read", f"{TYPE}/write", f"{TYPE}/delete"
    return [
        Operation("PUT", _ONE, handle.put, write, versions=VERSIONS, quota=_UPDATE),
        Operation("PATCH", _ONE, handle.patch, write, versions=VERSIONS, quota=_UPDATE),
        Operation("GET", _ONE, handle.get, read, versions=VERSIONS, quota=_GET),
        Operation("DELETE", _ONE, handle.delete, delete, versions=VERSIONS, quota=_DELETE),
        Operation(
            "GET",
            f"{_GROUP}/providers/{TYPE}",
            handle.list,
            read,
            _GROUP,
            versions=VERSIONS,
            quota=_LIST,
        ),
        Operation(
            "GET",
            f"{_SUBSCRIPTION}/providers/{TYPE}",
            handle.list,
            read,
            _SUBSCRIPTION,
            versions=VERSIONS,
            quota=_LIST,
        ),
        Operation(
            "GET",
            _OPERATION,
            handle.poll,
            f"{NAMESPACE}/locations/operations/read",
            versions=VERSIONS,
            quota=_POLL,
            poll=True,
        ),
    ]
