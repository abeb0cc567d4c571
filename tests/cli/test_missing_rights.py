"""What a person reads whose call to the app's storage fails: which right, name or network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from azure.core.exceptions import ServiceRequestError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lanyard.desk.azure.app_storage import Deployed, StorageAddress, deployed
from lanyard.queue.replay import replay
from lanyard.values.change import Change
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId
from simulator.azure import Azure
from simulator.clock import Clock
from simulator.tokens.credential import AsyncPrincipalCredential
from simulator.transport import InProcessTransport

ADDRESS = StorageAddress(
    "stlanyard",
    "https://stlanyard.table.core.windows.net",
    "https://stlanyard.queue.core.windows.net",
    "https://stlanyard.blob.core.windows.net",
)
VM = ResourceId.parse(
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/g/providers/"
    "Microsoft.Compute/virtualMachines/vm1"
)
MESSAGES = '<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>{}</QueueMessagesList>'
MESSAGE = (
    "<QueueMessage><MessageId>m-1</MessageId><PopReceipt>r</PopReceipt>"
    "<DequeueCount>1</DequeueCount><MessageText>no base64</MessageText></QueueMessage>"
)
MISMATCH = "AuthorizationPermissionMismatch"


@dataclass
class Storage:
    """Answers as Azure Storage does: refuses with a code, by the service and the method. Its queues
    hold one message, for who asks first.
    """

    refused: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    message: str = MESSAGE

    def refuse(self, service: str, method: str, status: int, code: str) -> None:
        self.refused[service, method] = (status, code)

    async def __call__(self, scope, receive, send):  # type: ignore[no-untyped-def]
        request = Request(scope)
        service = request.url.hostname.split(".")[1] if request.url.hostname else ""
        answer = self._answer(service, request.method)
        if answer.status_code == 200 and request.url.path.endswith("/messages"):
            message, self.message = self.message, ""
            answer = Response(MESSAGES.format(message), media_type="application/xml")
        await answer(scope, receive, send)

    def _answer(self, service: str, method: str) -> Response:
        status, code = self.refused.get((service, method), (200, ""))
        headers = {"x-ms-error-code": code}
        if status == 200:
            headers = {"x-ms-approximate-messages-count": "4"} if service == "queue" else {}
            return JSONResponse({"value": []}, headers=headers)
        if service == "table":
            error = {"code": code, "message": {"lang": "en-US", "value": f"{code}."}}
            return JSONResponse({"odata.error": error}, status, headers=headers)
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}.</Message></Error>"
        return Response(body, status, headers=headers, media_type="application/xml")


@asynccontextmanager
async def opened(storage: Storage) -> AsyncIterator[Deployed]:
    azure = Azure(seed=1)
    credential = AsyncPrincipalCredential(azure.tokens, azure.state.add_principal("me", "User"))
    transport = InProcessTransport(storage, Clock())
    async with deployed(credential, ADDRESS, transport) as found:
        yield found


async def reported(storage: Storage) -> str:
    """What a person reads who opens the app's storage."""
    with pytest.raises(LanyardError) as caught:
        async with opened(storage):
            pass
    return str(caught.value)


async def test_an_app_that_may_be_read_opens() -> None:
    async with opened(Storage()) as app:
        assert await app.queue.waiting() == 4


async def test_a_reader_of_nothing_is_shown_the_role_and_the_account() -> None:
    storage = Storage()
    storage.refuse("table", "GET", 403, MISMATCH)
    output = await reported(storage)
    assert output.startswith("you need the role Storage Table Data Reader on storage account stl")
    assert "az role assignment create --role 'Storage Table Data Reader'" in output


async def test_who_may_read_and_not_write_is_shown_the_role_to_write() -> None:
    storage = Storage()
    storage.refuse("table", "PUT", 403, MISMATCH)
    with pytest.raises(LanyardError, match="the role Storage Table Data Contributor on storage"):
        async with opened(storage) as app:
            await app.tables.control.put("pause", "pause", {})


async def test_the_queue_has_roles_of_its_own() -> None:
    storage = Storage()
    storage.refuse("queue", "GET", 403, MISMATCH)
    storage.refuse("queue", "POST", 403, MISMATCH)
    with pytest.raises(LanyardError, match="the role Storage Queue Data Reader on storage"):
        async with opened(storage) as app:
            await app.poison.count()
    with pytest.raises(LanyardError, match="the role Storage Queue Data Message Sender on storage"):
        async with opened(storage) as app:
            await app.queue.put(Change(VM, "command"))


async def put_down(app: Deployed) -> None:
    """What a dry run does: look at a message, and leave it."""
    await replay(app.poison, app.queue.put, dry_run=True)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_poison_messages_take_a_role_that_may_put_them_down_again(method: str) -> None:
    storage = Storage()
    storage.refuse("queue", method, 403, MISMATCH)
    with pytest.raises(LanyardError, match="the role Storage Queue Data Contributor on storage"):
        async with opened(storage) as app:
            await put_down(app)


async def test_dead_letters_take_a_role_to_read_and_one_to_remove_them() -> None:
    storage = Storage()
    storage.refuse("blob", "GET", 403, MISMATCH)
    with pytest.raises(LanyardError, match="the role Storage Blob Data Reader on storage"):
        async with opened(storage) as app:
            await app.dead_letters.count()


async def test_an_account_that_is_no_apps_is_not_written_to() -> None:
    storage = Storage()
    storage.refuse("table", "GET", 404, "TableNotFound")
    output = await reported(storage)
    assert "storage account stlanyard has no table lanyarddecisions" in output
    assert "either it is not the app's account" in output


async def test_a_queue_that_is_not_made_yet_is_empty() -> None:
    storage = Storage()
    storage.refuse("queue", "GET", 404, "QueueNotFound")
    async with opened(storage) as app:
        assert (await app.queue.waiting(), await app.poison.count()) == (0, 0)


async def test_a_firewall_is_shown_apart_from_a_missing_role() -> None:
    storage = Storage()
    storage.refuse("table", "GET", 403, "AuthorizationFailure")
    output = await reported(storage)
    assert "refuses this network or this kind of sign-in" in output
    assert "you need the role" not in output


async def test_a_token_of_another_tenant_is_shown() -> None:
    storage = Storage()
    storage.refuse("table", "GET", 401, "InvalidAuthenticationInfo")
    assert "refuses the token: is this its tenant?" in await reported(storage)


async def test_a_wrong_name_is_shown_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    host = ADDRESS.table_url.removeprefix("https://")
    key = ConnectionKey(host, 443, True, True, None, None, None, None)
    cause = ClientConnectorError(key, OSError("Name or service not known"))

    async def unreachable(*_arguments: object, **_options: object) -> None:
        raise ServiceRequestError(str(cause), error=cause)

    monkeypatch.setattr(InProcessTransport, "send", unreachable)
    output = await reported(Storage())
    assert "storage account stlanyard cannot be reached" in output
    assert "is its name right" in output


async def test_what_fails_elsewhere_is_shown_as_it_is() -> None:
    with pytest.raises(LanyardError, match=r"^not the storage's$"):
        async with opened(Storage()):
            raise LanyardError("not the storage's")


async def test_the_queue_of_events_may_be_in_another_account() -> None:
    assert ADDRESS.queues_of("stevents") == "https://stevents.queue.core.windows.net"
    named = StorageAddress("https://t.local", "https://t.local", "https://q.local", "https://b")
    assert named.queues_of("stevents") == "https://q.local"
    async with opened(Storage()) as app:
        assert (await app.events.waiting("stevents")) is not None


async def test_a_queue_of_events_that_is_not_there_is_none() -> None:
    storage = Storage()
    storage.refuse("queue", "GET", 404, "QueueNotFound")
    async with opened(storage) as app:
        assert await app.events.waiting(ADDRESS.account) is None
