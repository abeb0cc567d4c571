"""HTTP face of Microsoft.Compute/virtualMachineScaleSets and of their instances."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simulator.arm.activities import tell
from simulator.arm.long_running import async_operation, operation_location
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.arm.paging import page
from simulator.compute import instances as instance_models
from simulator.compute.models import TYPE as MACHINES
from simulator.compute.routes import MARK, NAMESPACE, VERSIONS
from simulator.compute.scale_sets import SCALE_SETS, FlexibleMachines, ScaleSets, is_flexible
from simulator.errors import AzureError
from simulator.operations import LongRunning
from simulator.resources import render, require
from simulator.state import Json, Resource
from simulator.tracked.kind import WRITES
from simulator.tracked.models import Deleted, Written
from simulator.tracked.routes import GROUP, Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

_READ = ("GetVMScaleSetSubscriptionMaximum", "GetVMScaleSetResource")
_SHARED = ("VMScaleSetBatchedVMRequestsSubscriptionMaximum", "VmssQueuedVMOperations")
_ACTION = ("VMScaleSetActionsSubscriptionMaximum", "VMScaleSetActionsResource", *_SHARED)
_UPGRADE = ("VMScaleSetActionsSubscriptionMaximum", *_SHARED)
#: What an answer to a write carries (recorded).
_WRITTEN = {"azure-asyncnotification": "Enabled", "x-ms-request-charge": "0"}

#: As for virtual machines: updates give no `location`, deletions both links.
_STYLE = Style(
    NAMESPACE,
    async_operation=WRITES | {"DELETE"},
    headers=MARK,
    quotas={"GET": _READ, "PUT": _ACTION, "PATCH": _ACTION, "DELETE": _ACTION},
)
_ONE = f"{GROUP}/providers/{SCALE_SETS.type}/{{name}}"
_INSTANCES = f"{_ONE}/virtualMachines"


@dataclass(frozen=True)
class _Handlers(Handlers):
    scale_sets: ScaleSets
    flexible: FlexibleMachines

    def written(self, request: ArmRequest, written: Written) -> ArmResponse:
        if is_flexible(written.resource):
            started = self.flexible.settle(written.resource, request.caller)
            self._tell(request, f"{MACHINES}/write", started)
        answer = super().written(request, written)
        return replace(answer, headers={**answer.headers, **_WRITTEN})

    def deleted(self, request: ArmRequest, deleted: Deleted) -> ArmResponse:
        self._tell(request, f"{MACHINES}/delete", self.flexible.delete(deleted.resource))
        return _accepted(request, deleted.resource, deleted.work)

    def upgrade(self, request: ArmRequest) -> ArmResponse:
        scale_set, work = self.scale_sets.manual_upgrade(
            request.path.rpartition("/")[0], _numbers(request.json())
        )
        return _accepted(request, scale_set, work)

    def instance(self, request: ArmRequest) -> ArmResponse:
        instance = self.scale_sets.instances.get(request.path)
        return ArmResponse(200, _show(instance), MARK)

    def instances(self, request: ArmRequest) -> ArmResponse:
        scale_set = require(self.scale_sets.state, request.path.rpartition("/")[0])
        rows = [_show(each) for each in self.scale_sets.instances.of(scale_set.id)]
        return page(request, rows, self.scale_sets.state.behaviour.page_size)

    def _tell(self, request: ArmRequest, action: str, started: Mapping[str, LongRunning]) -> None:
        """The machines of a flexible set are told of as any others (U)."""
        for machine_id, work in started.items():
            operation = Operation(request.method, "", self.put, action)
            response = ArmResponse(202, None, {}, work, machine_id)
            tell(self.scale_sets.state, operation, replace(request, path=machine_id), response)


def _accepted(request: ArmRequest, scale_set: Resource, work: LongRunning | None) -> ArmResponse:
    """202 with both links and no `retry-after`, as `manualupgrade` was seen to answer."""
    if work is None:
        return ArmResponse(200, None, MARK)
    links = {
        "azure-asyncoperation": async_operation(request, NAMESPACE, scale_set.location, work),
        "location": operation_location(request, NAMESPACE, scale_set.location, work),
    }
    return ArmResponse(202, None, {**MARK, **_WRITTEN, **links}, work, scale_set.id)


def _numbers(body: Json) -> list[str]:
    numbers = body.get("instanceIds")
    if not isinstance(numbers, list) or not numbers:
        raise AzureError(
            400, "InvalidParameter", "Required parameter 'instanceIds' is missing (null)."
        )
    return [str(each) for each in numbers]


def _show(instance: Resource) -> Json:
    return {**render(instance), "etag": f'"{instance.etag}"'}


def operations(scale_sets: ScaleSets, flexible: FlexibleMachines) -> list[Operation]:
    """All operations on scale sets and instances; polls are those of virtual machines."""
    handle = _Handlers(scale_sets, _STYLE, scale_sets, flexible)
    read = f"{instance_models.TYPE}/read"
    upgrade = f"{SCALE_SETS.type}/manualupgrade/action"
    return [
        *tracked_operations(handle, VERSIONS),
        Operation(
            "POST", f"{_ONE}/manualupgrade", handle.upgrade, upgrade, _ONE, VERSIONS, quota=_UPGRADE
        ),
        Operation("GET", f"{_INSTANCES}/{{instance}}", handle.instance, read, versions=VERSIONS),
        Operation("GET", _INSTANCES, handle.instances, read, _ONE, versions=VERSIONS),
    ]
