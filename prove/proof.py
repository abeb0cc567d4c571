"""What the steps of a proof work with: Azure as the person who runs it sees it, and the journal."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from azure.core.rest import HttpRequest

from lanyard.azure.arm import long_running
from lanyard.azure.arm.answers import Json
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import retry_after, translated
from lanyard.azure.arm.transport import Transport
from lanyard.desk.azure.any_resource import AnyResource
from lanyard.desk.onboarding.parts import AUTHORIZATION
from lanyard.desk.onboarding.template import assignment_id, definition_id, guid
from lanyard.values.errors import LanyardError
from prove.journal import Journal

#: Where the machine is, and what it was moved to, deleted with, and given.
GROUP, MOVED, GONE = "rg-lanyard-proof", "rg-lanyard-proof-moved", "rg-lanyard-proof-gone"
IDENTITIES = "rg-lanyard-proof-identities"
#: What infra/main.bicep calls the app's, by the environment.
ENVIRONMENT = "proof-app"
APP_GROUP = f"rg-lanyard-{ENVIRONMENT}"
QUEUE = "proof-events"
GROUPS = "2025-04-01"
STORAGE = "2025-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds. `look`: between two looks at what is waited for; `spreads`: so long a new right may
    not count (Azure: ten minutes); `deadline`: for what the app does; `quiet`: so long without a
    new event, and all have come. `hurry`: all waits are so many times shorter, where what is waited
    for is done in a moment.
    """

    look: float = 5.0
    spreads: float = 900.0
    deadline: float = 1800.0
    quiet: float = 120.0
    hurry: float = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """Of a queue, as it was put; `inserted`: seconds since the epoch."""

    text: str
    inserted: float


class Waiting(Transport):
    """The network, with waits so many times shorter."""

    def __init__(self, hurry: float) -> None:
        super().__init__()
        self._hurry = hurry

    async def sleep(self, duration: float) -> None:
        """What the clients wait by."""
        await super().sleep(duration / self._hurry)


class Storage(Protocol):
    """The data of the proof's storage account, as the person. Raises LanyardError."""

    async def upload(self, container_url: str, name: str, text: str, /) -> None:
        """Write a blob; its container is made."""

    async def make_queue(self, account: Json, name: str, /) -> None:
        """Make it, unless it is there."""

    def messages(self, account: Json, name: str, /) -> AsyncIterator[Message]:
        """Those that wait there. Each is deleted when the next one is asked for."""


@dataclass(kw_only=True)
class Proof:
    """One proof. `az`: runs the Azure CLI and returns what it prints, raises LanyardError;
    `person`: the object id of whoever runs it; `arm_url`: Resource Manager's, and its audience.
    """

    journal: Journal
    clients: Clients
    storage: Storage
    az: Callable[..., Awaitable[str]]
    person: str
    arm_url: str
    arm_audience: str
    size: str
    show: Callable[[str], None]
    pace: Pace = field(default_factory=Pace)
    now: Callable[[], float] = time.time

    @property
    def resources(self) -> AnyResource:
        """ARM."""
        return AnyResource(self.clients)

    @property
    def scope(self) -> str:
        """The subscription's id as ARM's."""
        return f"/subscriptions/{self.journal.subscription}"

    def group(self, name: str) -> str:
        """The id of a resource group."""
        return f"{self.scope}/resourceGroups/{name}"

    @property
    def account(self) -> str:
        """The id of the storage account with the blob and the queue."""
        return f"{self.group(GROUP)}/providers/Microsoft.Storage/storageAccounts/{self.named('st')}"

    def named(self, prefix: str) -> str:
        """A name that nobody in the world has."""
        return f"{prefix}proof{self.journal.suffix}"

    async def ensure(self, id_: str, api_version: str, body: Mapping[str, Any]) -> Json:
        """Make it unless it is there; returns it when it is made."""
        found = await self.resources.read(id_, api_version)
        if found is None:
            return await self.resources.put(id_, api_version, body)
        while long_running.at_work(found):
            await self.clients.sleep(self.pace.look)
            found = await self.resources.read(id_, api_version) or {}
        return found

    async def assign(self, role: str, principal: str, scope: str, *, person: bool = False) -> str:
        """Give a role (GUID) to a service principal, or to the person; returns the id."""
        id_ = assignment_id(scope, guid(scope, principal, role))
        properties = {
            "principalId": principal,
            "roleDefinitionId": definition_id(self.journal.subscription, role),
            **({} if person else {"principalType": "ServicePrincipal"}),
        }
        if await self.resources.read(id_, AUTHORIZATION) is None:
            await self.resources.put(id_, AUTHORIZATION, {"properties": properties})
        return id_

    async def post(self, url: str, api_version: str, body: Mapping[str, Any]) -> Json:
        """An action of ARM, followed to its end; returns the last answer's body."""
        request = HttpRequest("POST", url, params={"api-version": api_version}, json=dict(body))
        with translated(f"POST {url}"):
            response = await long_running.begin(self.clients, request)
            monitor = ""
            while response.status_code == 202:
                monitor = response.headers.get("Location") or monitor
                delay = retry_after(response, 0) or long_running.POLL_SECONDS
                await self.clients.sleep(delay)
                response = await long_running.begin(self.clients, HttpRequest("GET", monitor))
        answer: Json = response.json() if response.content else {}
        return answer

    async def until(self, what: str, look: Callable[[], Awaitable[bool]]) -> float:
        """Look until it is so; returns the seconds that it took. Raises LanyardError where it does
        not come.
        """
        began = self.now()
        while not await look():
            if self.now() - began > self.pace.deadline:
                raise LanyardError(f"{what}: not within {self.pace.deadline:.0f} s")
            await self.clients.sleep(self.pace.look)
        return self.now() - began

    async def in_time[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """Call it again while it is refused, as long as a new right may not count."""
        began = self.now()
        while True:
            try:
                return await call()
            except LanyardError as error:
                if self.now() - began > self.pace.spreads:
                    raise
                self.show(f"  not yet: {error}")
            await self.clients.sleep(self.pace.look)

    async def delete_group(self, name: str) -> None:
        """A resource group of the proof, with the role assignments in it: whether those go by
        themselves is not documented.
        """
        id_ = self.group(name)
        if await self.resources.read(id_, GROUPS) is None:
            return
        collection = f"{id_}/providers/Microsoft.Authorization/roleAssignments"
        for each in await self.resources.every(collection, AUTHORIZATION):
            if str(each["id"]).lower().startswith(f"{id_.lower()}/"):
                await self.resources.delete(str(each["id"]), AUTHORIZATION)
        await self.resources.delete(id_, GROUPS)

    def measure(self, what: str, seconds: float) -> None:
        """For the report."""
        self.journal.measured[what] = round(seconds, 1)
        self.journal.save()

    def answer(self, question: str, text: str) -> None:
        """What Azure did."""
        self.journal.answers[question] = text
        self.journal.save()
        self.show(f"  {question}: {text}")
