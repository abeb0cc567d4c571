"""Transports for the real Azure SDK clients: from the last step before the wire into the app.

All the SDK's own policies run. A client that sleeps (polling, Retry-After) moves the simulator's
clock instead of waiting, unless the clock runs by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl import HttpResponseImpl
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.core.utils import CaseInsensitiveDict
from starlette.types import ASGIApp, Message, Scope

from simulator.clock import Clock
from simulator.faults import ConnectionDropped

# What stands in a path or query as it is, what is quoted already included.
_PLAIN = "%/?:@!$&'()*+,;=-._~"


@dataclass(frozen=True)
class Answer:
    """A response of the app, all of it."""

    status: int
    headers: CaseInsensitiveDict
    content: bytes


async def ask(app: ASGIApp, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request to an ASGI app in this process. What the app raises comes through."""
    received: list[Message] = []
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        received.append(message)

    await app(_scope(method, url, headers), receive, send)
    start = next(each for each in received if each["type"] == "http.response.start")
    content = b"".join(each.get("body", b"") for each in received)
    pairs = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], CaseInsensitiveDict(pairs), content)


def _scope(method: str, url: str, headers: dict[str, str]) -> Scope:
    parts = urlsplit(url)
    named = {"host": parts.netloc} | {name.lower(): value for name, value in headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote(parts.path) or "/",
        "raw_path": _quoted(parts.path),
        "query_string": _quoted(parts.query),
        "root_path": "",
        "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in named.items()],
        "client": ("127.0.0.1", 1),
        "server": (parts.hostname or "", parts.port or 443),
    }


def _quoted(text: str) -> bytes:
    """As clients over the wire send it: resource groups may be named in letters of any alphabet."""
    return quote(text, safe=_PLAIN).encode("ascii")


async def _send(app: ASGIApp, request: Any) -> Answer:
    """As `ask`, for a request of either of the SDK's two kinds, with its errors."""
    content = request.content if isinstance(request, HttpRequest) else request.data
    body = content.encode() if isinstance(content, str) else content or b""
    try:
        return await ask(app, request.method, request.url, dict(request.headers), body)
    except ConnectionDropped as dropped:
        kind = ServiceResponseError if dropped.acted else ServiceRequestError
        raise kind(str(dropped), error=dropped) from dropped


class _AsyncResponse(AsyncHttpResponseImpl):
    """A response read in full before the SDK sees it."""


class _Response(HttpResponseImpl):
    """A response read in full before the SDK sees it."""


class _Closed:
    def close(self) -> None:
        """Nothing is open."""


class _AsyncClosed:
    async def close(self) -> None:
        """Nothing is open."""


def _whole(response: Any, **_options: Any) -> Iterator[bytes]:
    yield response.content


async def _whole_async(response: Any, **_options: Any) -> AsyncIterator[bytes]:
    yield response.content


def _fields(request: Any, answer: Answer, generator: Any, closed: object) -> dict[str, Any]:
    return {
        "request": request,
        "internal_response": closed,
        "status_code": answer.status,
        "reason": "",
        "content_type": answer.headers.get("content-type"),
        "headers": answer.headers,
        "stream_download_generator": generator,
    }


class InProcessTransport(AsyncHttpTransport[Any, Any], AbstractAsyncContextManager[Any]):
    """For the aio clients: pass it as `transport=`."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def send(self, request: Any, **_options: Any) -> Any:
        """Answer `request` from the app."""
        answer = await _send(self._app, request)
        response = _AsyncResponse(**_fields(request, answer, _whole_async, _AsyncClosed()))
        response._content = answer.content
        await response.read()
        return response

    async def sleep(self, duration: float) -> None:
        """Let the clock's time pass: it moves where it does not run by itself."""
        await self._clock.elapse(duration)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()


class SyncInProcessTransport(HttpTransport[Any, Any], AbstractContextManager[Any]):
    """For the synchronous clients: each request runs to its end in a thread of its own."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    def send(self, request: Any, **_options: Any) -> Any:
        """Answer `request` from the app."""
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(asyncio.run, _send(self._app, request)).result()
        response = _Response(**_fields(request, answer, _whole, _Closed()))
        response._content = answer.content
        response.read()
        return response

    def sleep(self, duration: float) -> None:
        """Move the clock, as the asynchronous transport does."""
        self._clock.advance(max(duration, 0))

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
