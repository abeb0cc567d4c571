"""Microsoft Graph as the app asks it."""

import json
from typing import Any

from simulator.azure import Azure
from simulator.state import Principal
from simulator.transport import ask

MANAGED = ["isExplicit=True", "/subscriptions/s/…/userAssignedIdentities/id"]


class Graph:
    """The app asks Graph in-process, with the permission to read unless a test takes it."""

    def __init__(self) -> None:
        self.azure = Azure()
        self.app = self.azure.state.add_principal("app")
        self.directory = self.azure.services.directory
        self.directory.grant_permission(self.app.object_id)

    def identity(self, name: str = "id") -> Principal:
        return self.azure.state.add_principal(name, names=MANAGED)

    async def ask(
        self, method: str, path: str, body: str = "", audience: str = "https://graph.microsoft.com"
    ) -> Any:
        token = self.azure.tokens.issue(self.app, audience)
        headers = {"authorization": f"Bearer {token.access_token}"}
        url = f"https://graph.local/graph/v1.0{path}"
        return await ask(self.azure.app, method, url, headers, body.encode())

    async def ids_found(self, ids: list[str], types: list[str] | None = None) -> list[str]:
        answer = await self.get_by_ids(ids, types)
        assert answer.status == 200
        return [each["id"] for each in json.loads(answer.content)["value"]]

    async def get_by_ids(self, ids: list[str], types: list[str] | None = None) -> Any:
        body = {"ids": ids} | ({"types": types} if types is not None else {})
        return await self.ask("POST", "/directoryObjects/getByIds", json.dumps(body))


def code(answer: Any) -> tuple[int, str]:
    return answer.status, json.loads(answer.content)["error"]["code"]
