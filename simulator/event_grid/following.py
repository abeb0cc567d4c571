"""How Event Grid's writes are followed: `operationsStatus`, with 201 or 202 at first (recorded)."""

from simulator.arm.long_running import provider_link
from simulator.arm.messages import ArmRequest, ArmResponse
from simulator.operations import LongRunning
from simulator.state import Json

NAMESPACE = "Microsoft.EventGrid"
STATUSES, RESULTS = "operationsStatus", "operationResults"


def status(request: ArmRequest, work: LongRunning) -> Json:
    """With the whole address as its id, and without times (recorded)."""
    address = f"{request.base_url}{request.path}?api-version={request.api_version}"
    return {"id": address, "name": work.id, "status": work.status}


def accepted(request: ArmRequest, shown: Json, location: str, work: LongRunning) -> ArmResponse:
    """The answer to a write that goes on."""
    link = _link(request, location, STATUSES, work)
    return ArmResponse(201, shown, {"azure-asyncoperation": link}, work, work.subject)


def deleting(request: ArmRequest, location: str, work: LongRunning) -> ArmResponse:
    """The answer to a deletion: both links."""
    links = {
        "azure-asyncoperation": _link(request, location, STATUSES, work),
        "location": _link(request, location, RESULTS, work),
    }
    return ArmResponse(202, None, links, work, work.subject)


def without_place(template: str) -> str:
    """The path by which work on a topic of the whole world is followed (recorded)."""
    return template.replace("/locations/{location}/", "/", 1)


def _link(request: ArmRequest, location: str, kind: str, work: LongRunning) -> str:
    link = provider_link(request, NAMESPACE, location, kind, work)
    return link.replace("/locations/global/", "/", 1)
