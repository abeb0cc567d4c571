"""What the activity log shows of a request, and Event Grid tells."""

from simulator.arm.messages import ArmRequest
from simulator.state import Activity


def activity(
    request: ArmRequest, action: str, resource_id: str, at: float, *, succeeded: bool = True
) -> Activity:
    """The end of `action` on `resource_id`, done on behalf of the caller of `request`."""
    return Activity(
        resource_id=resource_id,
        action=action,
        method=request.method,
        url=request.url,
        status="Succeeded" if succeeded else "Failed",
        caller=request.caller.claims,
        correlation_id=request.correlation_id,
        client_request_id=request.client_request_id,
        at=at,
    )
