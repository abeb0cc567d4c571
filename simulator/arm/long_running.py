"""The URLs by which clients follow long-running work, and what they answer.

The links are absolute, as Azure's, and carry its query parameters' names; they are not signed, and
like Azure's signed ones they need a token but no role.
"""

import base64
import json

from simulator.arm.messages import ArmRequest, ArmResponse
from simulator.operations import LongRunning
from simulator.state import Json
from simulator.times import utc_offset

#: Seconds ARM asks a client to wait for a resource group's deletion (recorded).
GROUP_RETRY_AFTER = "15"


def async_operation(request: ArmRequest, namespace: str, location: str, work: LongRunning) -> str:
    """The `azure-asyncoperation` link of a resource provider."""
    return provider_link(request, namespace, location, "operations", work)


def operation_location(
    request: ArmRequest, namespace: str, location: str, work: LongRunning
) -> str:
    """The `location` link of a resource provider."""
    link = provider_link(request, namespace, location, "operations", work)
    return f"{link}&monitor=true"


def provider_link(
    request: ArmRequest, namespace: str, location: str, kind: str, work: LongRunning
) -> str:
    """A link of a resource provider that calls its links `kind`."""
    subscription = request.params["subscription"]
    path = f"/subscriptions/{subscription}/providers/{namespace}/locations/{location}/{kind}"
    return _link(request, path, work)


def link_below(request: ArmRequest, resource_id: str, kind: str, work: LongRunning) -> str:
    """A link of a resource provider that has them below the resource."""
    return _link(request, f"{resource_id}/{kind}", work)


def status_body(work: LongRunning) -> Json:
    """What `azure-asyncoperation` answers, always with 200 (recorded)."""
    body: Json = {
        "startTime": utc_offset(work.started_at),
        "status": work.status,
        "name": work.id,
    }
    if work.status != "InProgress":
        body["endTime"] = utc_offset(work.ends_at)
    if work.status == "Failed":
        text = "An internal execution error occurred. Please retry later."
        body["error"] = {"code": "InternalExecutionError", "message": text}
    return body


def group_result_location(request: ArmRequest, work: LongRunning, now: float) -> str:
    """ARM's own `location`; `t` differs each time, as recorded."""
    subscription = request.params["subscription"]
    job = base64.urlsafe_b64encode(json.dumps({"jobId": work.id}).encode()).decode().rstrip("=")
    path = f"/subscriptions/{subscription}/operationresults/{job}"
    return f"{request.base_url}{path}?api-version={request.api_version}&t={_ticks(now)}"


def job_id(job: str) -> str:
    """The operation's id in ARM's own link; "" when it is none of ours."""
    try:
        decoded = json.loads(base64.urlsafe_b64decode(job + "=" * (-len(job) % 4)))
        return str(decoded["jobId"])
    except (ValueError, KeyError, TypeError):
        return ""


def group_result(
    request: ArmRequest, work: LongRunning, now: float, *, done: int = 200
) -> ArmResponse:
    """202 with a new link while it runs, `done` without a body at the end (recorded)."""
    if work.status != "InProgress":
        return ArmResponse(done)
    location = group_result_location(request, work, now)
    return ArmResponse(202, None, {"location": location, "retry-after": GROUP_RETRY_AFTER})


def _link(request: ArmRequest, path: str, work: LongRunning) -> str:
    query = f"api-version={request.api_version}&t={_ticks(work.started_at)}"
    return f"{request.base_url}{path}/{work.id}?{query}"


def _ticks(moment: float) -> int:
    """.NET ticks: tenths of a microsecond since the year 1."""
    return 621_355_968_000_000_000 + int(moment * 10_000_000)
