"""What the activity log shows of a request, and Event Grid tells."""

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.behaviour import WriteEvent
from simulator.state import Activity, State


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


def tell(
    state: State, operation: Operation, request: ArmRequest, response: ArmResponse | None
) -> None:
    """Publish the activity, now or at the work's end. No response: the operation failed."""
    action = operation.asks(request) or "/read"
    if action.endswith("/read") or (operation.told and response is not None):
        return
    resource_id = (response.resource_id if response else None) or request.path
    work = response.work if response else None

    def publish() -> None:
        ended = work is not None and work.status != "InProgress"
        at = work.ends_at if work and ended else state.clock.now()
        succeeded = response is not None and not (work and work.status == "Failed")
        state.publish(activity(request, action, resource_id, at, succeeded=succeeded))

    wanted = state.behaviour.write_event
    if request.method == "DELETE":
        wanted = WriteEvent.COMPLETED
    if work is None or wanted is not WriteEvent.COMPLETED:
        publish()
    if work is not None and wanted is not WriteEvent.ACCEPTED:
        work.on_end(publish)
