"""Every call has a deadline, also one whose answer drips in; and each call is made once."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.rest import HttpRequest
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from lanyard.azure.arm import transport as transports
from lanyard.azure.arm.transport import Transport
from lanyard.azure.storage.queue import WorkQueue
from lanyard.azure.storage.tables import AzureTable
from lanyard.values.change import Change
from lanyard.values.errors import Permanent, Temporary
from tests.support.examples import vm_id

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server of one handler; gives its address."""
    server = await asyncio.start_server(handler, "127.0.0.1")
    try:
        yield "http://{}:{}".format(*server.sockets[0].getsockname())
    finally:
        server.close()


async def test_an_answer_that_drips_in_is_given_up() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while not writer.is_closing():  # each piece comes soon enough for a limit between pieces
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(drip) as url, Transport(0.2) as transport:
        with pytest.raises(ServiceResponseTimeoutError):
            await transport.send(HttpRequest("GET", url))


async def test_case_C24_what_a_name_may_have_is_encoded_on_its_way() -> None:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")[0])
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with serving(answer) as url, Transport() as transport:
        await transport.send(HttpRequest("GET", f"{url}/$web/two words/[x]/é/it's|~@*,+;&="))
    assert asked == ["GET /$web/two%20words/%5Bx%5D/%C3%A9/it's%7C~@*,+;&= HTTP/1.1"]


class Storage:
    """Answers every request alike, and counts them."""

    def __init__(self, status: int, code: str) -> None:
        self.asked = 0
        self._answer = (
            f"HTTP/1.1 {status} X\r\nx-ms-error-code: {code}\r\nretry-after: 7\r\n"
            "content-length: 0\r\nconnection: close\r\n\r\n"
        ).encode()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        writer.write(self._answer)
        await writer.drain()
        writer.close()


# The key is none: whoever answers does not look at it.
KEY = "bm9uZQ=="


async def add_row(url: str, transport: Transport) -> object:
    credential = AzureNamedKeyCredential("account", KEY)
    options: dict[str, Any] = {"transport": transport, "retry_total": 0}
    table = AzureTable(TableClient(url, "table", credential=credential, **options))
    return await table.insert("p", "k", {})


async def enqueue(url: str, transport: Transport) -> None:
    credential = {"account_name": "account", "account_key": KEY}
    client = QueueClient(url, "queue", credential=credential, transport=transport, retry_total=0)
    await WorkQueue(client).put(Change(vm_id("vm"), "event"))


@pytest.mark.parametrize("call", [add_row, enqueue])
@pytest.mark.parametrize(
    ("status", "code", "delay"),
    [
        (503, "ServerBusy", 7),
        (500, "OperationTimedOut", 7),
        (429, "TooManyRequests", 7),
        (403, "AuthorizationPermissionMismatch", 30),
        (403, "AuthenticationFailed", 30),
        (409, "TableBeingDeleted", 30),
    ],
)
async def test_what_is_wrong_with_the_storage_delays_and_is_asked_once(
    call: Callable[[str, Transport], Awaitable[object]], status: int, code: str, delay: float
) -> None:
    storage = Storage(status, code)
    async with serving(storage) as url, Transport() as transport:
        with pytest.raises(Temporary) as raised:
            await call(f"{url}/account", transport)
    assert raised.value.delay == delay
    assert storage.asked == 1


async def test_a_queue_that_is_not_there_yet_delays() -> None:
    async with serving(Storage(404, "QueueNotFound")) as url, Transport() as transport:
        with pytest.raises(Temporary):
            await enqueue(f"{url}/account", transport)


async def test_a_request_that_can_never_be_right_is_not_repeated() -> None:
    storage = Storage(400, "PropertyValueTooLarge")
    async with serving(storage) as url, Transport() as transport:
        with pytest.raises(Permanent):
            await add_row(f"{url}/account", transport)
    assert storage.asked == 1


@pytest.mark.parametrize(
    ("variable", "asked"), [("HTTPS_PROXY", True), ("https_proxy", True), ("PROXY", False)]
)
def test_the_environment_is_asked_for_a_proxy_where_it_names_one(
    monkeypatch: pytest.MonkeyPatch, variable: str, *, asked: bool
) -> None:
    made: list[object] = []

    def connections(**options: object) -> None:
        made.append(options["use_env_settings"])

    for name in [each for each in os.environ if each.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(variable, "http://proxy:3128")
    monkeypatch.setattr(transports, "AioHttpTransport", connections)
    Transport()
    assert made == [asked]
