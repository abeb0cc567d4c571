"""A custom topic made by ARM, its owner, and somebody who may send to it."""

import json
from typing import Any

from azure.eventgrid.aio import EventGridPublisherClient

from simulator.azure import IN_PROCESS_URL, Azure
from simulator.state import Principal
from simulator.tokens.credential import AsyncPrincipalCredential
from simulator.transport import Answer, ask

VERSION = "2025-02-15"
EVENTS = "?api-version=2018-01-01"
BATCH = "application/cloudevents-batch+json; charset=utf-8"


class Town:
    """One topic, made by ARM as a pipeline does, its owner and somebody who may send to it."""

    def __init__(self) -> None:
        self.azure = Azure(seed=3)
        state = self.azure.state
        self.group = f"/subscriptions/{state.add_subscription('one').id}/resourceGroups/rg"
        self.path = f"{self.group}/providers/Microsoft.EventGrid/topics/town-news"
        self.owner = state.add_principal("owner", "User")
        self.sender = state.add_principal("sender")
        self.azure.assign(self.owner.object_id, "Owner", self.group.partition("/resourceG")[0])

    async def arm(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        version: str = VERSION,
    ) -> Answer:
        token = self.azure.tokens.issue(self.owner, "https://management.azure.com").access_token
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{IN_PROCESS_URL}{path}?api-version={version}"
        return await ask(self.azure.app, method, url, headers, content)

    async def make(self, **properties: str) -> Answer:
        await self.arm("PUT", self.group, {"location": "westeurope"}, "2024-11-01")
        body = {"location": "westeurope", "properties": properties}
        return await self.arm("PUT", self.path, body)

    @property
    def endpoint(self) -> str:
        return f"{IN_PROCESS_URL}/eventgrid/town-news.westeurope-1/api/events"

    def client(self, who: Principal) -> EventGridPublisherClient:
        credential = AsyncPrincipalCredential(self.azure.tokens, who)
        return EventGridPublisherClient(
            self.endpoint, credential, transport=self.azure.transport(), retry_total=0
        )

    async def post(
        self, content: bytes, kind: str = BATCH, audience: str = "https://eventgrid.azure.net"
    ) -> Answer:
        token = self.azure.tokens.issue(self.sender, audience).access_token
        headers = {"authorization": f"Bearer {token}", "content-type": kind}
        return await ask(self.azure.app, "POST", self.endpoint + EVENTS, headers, content)

    def let_send(self) -> None:
        self.azure.assign(self.sender.object_id, "EventGrid Data Sender", self.path)

    @property
    def received(self) -> list[dict[str, Any]]:
        return [each.event for each in self.azure.services.custom_topics.received]
