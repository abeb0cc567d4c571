"""Following a long-running POST to its end. For PUT and PATCH the SDK's own pollers do it, but the
generic client has none for a POST.
"""

from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse, HttpRequest

from lanyard.azure.clients import POLL_SECONDS, Clients
from lanyard.azure.failures import retry_after

_ENDED = {"succeeded", "failed", "canceled"}


async def post(clients: Clients, url: str, body: Any, api_version: str) -> None:
    """Send a POST and return when what it started has succeeded.

    `url` is below ARM's root. Raises the SDK's errors, also where the operation itself fails: the
    code is then the operation's.
    """
    request = HttpRequest("POST", url, params={"api-version": api_version}, json=body)
    response = await clients.resources.send_request(request)
    response.raise_for_status()
    status_url = response.headers.get("Azure-AsyncOperation")
    monitor_url = status_url or response.headers.get("Location")
    if response.status_code != 202 or monitor_url is None:
        return
    while not _ended(polled := await _get(clients, monitor_url), bool(status_url)):
        await clients.sleep(_interval(polled))


async def _get(clients: Clients, url: str) -> AsyncHttpResponse:
    response = await clients.resources.send_request(HttpRequest("GET", url))
    response.raise_for_status()
    return response


def _ended(response: AsyncHttpResponse, has_status: bool) -> bool:
    """By the `status` of Azure-AsyncOperation; by the HTTP status of Location."""
    if not has_status:
        return response.status_code != 202
    status = str(response.json().get("status", "")).lower()
    if status in _ENDED and status != "succeeded":
        raise HttpResponseError(f"the operation ended as {status}", response)
    return status in _ENDED


def _interval(response: AsyncHttpResponse) -> float:
    # "Retry-After: 0" would mean polling without a pause.
    return retry_after(response, 0) or POLL_SECONDS
