"""Following a long-running call of ARM to its end, with as few reads as it takes.

The SDK's own pollers ask the operation and then read the resource once more, and have no way to
follow a POST. A resource that shows that it is at work is read instead: that read is then the one
that verifies, too.
"""

from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse, HttpRequest

from lanyard.azure.arm.answers import Json, body_of, part, text
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import retry_after

#: Of an operation that names no time itself.
POLL_SECONDS = 2.0
#: A VM takes 3 to 7 s, and its answer names no time: after how many seconds it is looked at first,
#: and then again, the last for each look that follows. Where many come at once the quota is
#: pressed, and reads are what is short.
LOOKS = (4.0, 1.0)
PRESSED_LOOKS = (7.0, 1.0, 2.0)
#: Seconds that such a read waits for a token: put off, the work would begin with one more.
_PATIENCE = 15.0
_ENDED = {"succeeded", "failed", "canceled"}


async def write(clients: Clients, request: HttpRequest) -> Json:
    """Send a PUT or PATCH of a resource; returns its body as read when the write has ended.

    The url of `request` is below ARM's root. Raises the SDK's errors, also where the operation
    itself fails: the code is then the operation's.
    """
    return await end(clients, request.url, await begin(clients, request))


async def begin(clients: Clients, request: HttpRequest) -> AsyncHttpResponse:
    """Send it; returns the answer of a service that accepted it. Raises as `write`."""
    return await _send(clients, request)


async def end(clients: Clients, url: str, accepted: AsyncHttpResponse) -> Json:
    """The body of the resource at `url` once what was accepted has ended. Raises as `write`, which
    says nothing of whether it was done: the resource itself does.
    """
    if at_work(body := _body(accepted)):
        return await _read_until_done(clients, url, accepted)
    if not await _follow(clients, accepted):
        return body
    return _body(await _read(clients, url))


async def post(clients: Clients, url: str, body: Any, api_version: str) -> None:
    """Send a POST and return when what it started has succeeded. Otherwise as `write`."""
    request = HttpRequest("POST", url, params={"api-version": api_version}, json=body)
    response = await _send(clients, request)
    if response.status_code == 202:
        await _follow(clients, response)


async def _read_until_done(clients: Clients, url: str, accepted: AsyncHttpResponse) -> Json:
    looks = PRESSED_LOOKS if clients.is_pressed(url) else LOOKS
    intervals = chain(looks, repeat(looks[-1]))
    response = accepted
    while at_work(body := _body(response)):
        await clients.sleep(retry_after(response, 0) or next(intervals))
        response = await _read(clients, url)
    if _state(body) != "succeeded":
        await _follow(clients, accepted)  # the operation knows why
    return body


async def _follow(clients: Clients, accepted: AsyncHttpResponse) -> bool:
    """Poll what the answer names until it has ended; False where it names nothing."""
    status_url = accepted.headers.get("Azure-AsyncOperation")
    monitor_url = status_url or accepted.headers.get("Location")
    if monitor_url is None or (status_url is None and accepted.status_code != 202):
        return False
    response, ended = accepted, False
    while not ended:
        await clients.sleep(_interval(response))
        response = await _read(clients, monitor_url)
        ended = _ended(response, bool(status_url))
    return True


async def _read(clients: Clients, url: str) -> AsyncHttpResponse:
    return await _send(clients, HttpRequest("GET", url), patience=_PATIENCE)


async def _send(clients: Clients, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
    response = await clients.resources.send_request(request, **options)
    response.raise_for_status()
    return response


def _body(response: AsyncHttpResponse) -> Json:
    """It may end without one."""
    body = response.json() if response.content else {}
    return body if isinstance(body, Mapping) else {}


def _state(body: Json) -> str:
    return (text(part(body, "properties"), "provisioningState") or "Succeeded").lower()


def at_work(body: Json) -> bool:
    """Whether the resource of this body shows that a write of it goes on."""
    return _state(body) not in _ENDED


def _ended(response: AsyncHttpResponse, has_status: bool) -> bool:
    """By the `status` of Azure-AsyncOperation; by the HTTP status of Location."""
    if not has_status:
        return response.status_code != 202
    status = text(body_of(response), "status").lower()
    if status in _ENDED and status != "succeeded":
        raise HttpResponseError(f"the operation ended as {status}", response)
    return status in _ENDED


def _interval(response: AsyncHttpResponse) -> float:
    # "Retry-After: 0" would mean polling without a pause.
    return retry_after(response, 0) or POLL_SECONDS
