"""Any resource of ARM by its id: read, written, deleted and listed, with what takes time followed
to its end.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from lanyard.azure.arm import listing, long_running
from lanyard.azure.arm.answers import Json, part, text
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import code_of, is_gone, translated
from lanyard.values.errors import Permanent

#: So long one write or deletion may take; a resource group's takes a minute or two.
_SECONDS = 600.0
# A role definition's own code; and nothing of a resource provider that is not registered is there.
_MISSING = {(404, "RoleDefinitionDoesNotExist"), (409, "MissingSubscriptionRegistration")}
# So many reads in a row may show what is deleted as if nothing had happened.
_UNDECIDED = 30
_REGISTERED = "registered"


class AnyResource:
    """Every call raises Temporary or Permanent."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def read(self, id_: str, api_version: str) -> Json | None:
        """The resource, or None where ARM says that it, or what it is in, does not exist."""
        with translated(f"read {id_}"):
            return await self._find(id_, {"api-version": api_version})

    async def put(self, id_: str, api_version: str, body: Mapping[str, Any]) -> Json:
        """Make it or change it; returns it when that has ended."""
        params = {"api-version": api_version}
        with translated(f"write {id_}"):
            async with asyncio.timeout(_SECONDS):
                request = HttpRequest("PUT", id_, params=params, json=dict(body))
                return await long_running.write(self._clients, request)

    async def delete(self, id_: str, api_version: str) -> None:
        """Remove it; returns when it is gone. One that is not there is fine."""
        params = {"api-version": api_version}
        with translated(f"delete {id_}"):
            async with asyncio.timeout(_SECONDS):
                request = HttpRequest("DELETE", id_, params=params)
                response = await self._clients.resources.send_request(request)
                if response.status_code == 202:
                    await self._wait_until_gone(id_, params)
                elif not _is_missing(HttpResponseError(response=response)):
                    response.raise_for_status()

    async def _wait_until_gone(self, id_: str, params: Mapping[str, str]) -> None:
        """What the answer links to ends without a body, and whether it is gone is what counts."""
        undecided = 0
        while (found := await self._find(id_, params)) is not None:
            deleting = text(part(found, "properties"), "provisioningState").lower() == "deleting"
            undecided = 0 if deleting else undecided + 1
            if undecided > _UNDECIDED:
                raise Permanent(f"{id_} is still there: its deletion failed")
            await self._clients.sleep(long_running.POLL_SECONDS)

    async def register(self, id_: str, api_version: str) -> None:
        """Register a resource provider; returns when it is registered."""
        params = {"api-version": api_version}
        with translated(f"register {id_}"):
            async with asyncio.timeout(_SECONDS):
                request = HttpRequest("POST", f"{id_}/register", params=params)
                response = await self._clients.resources.send_request(request)
                response.raise_for_status()
                while await self._registration(id_, params) != _REGISTERED:
                    await self._clients.sleep(long_running.POLL_SECONDS)

    async def _registration(self, id_: str, params: Mapping[str, str]) -> str:
        return text(await listing.get(self._clients, id_, params), "registrationState").lower()

    async def every(
        self, id_: str, api_version: str, query: Mapping[str, str] | None = None
    ) -> list[Json]:
        """All that a collection has, every page of it; nothing where what it is in is gone."""
        found: list[Json] = []
        params = {"api-version": api_version, **(query or {})}
        with translated(f"list {id_}"):
            try:
                async for entry in listing.listed(self._clients, id_, params):
                    found.append(entry)  # noqa: PERF401  what came before a failure counts
            except HttpResponseError as error:
                if found or not _is_missing(error):
                    raise
        return found

    async def _find(self, id_: str, params: Mapping[str, str]) -> Json | None:
        try:
            return await listing.get(self._clients, id_, params)
        except HttpResponseError as error:
            if not _is_missing(error):
                raise
            return None


def _is_missing(error: HttpResponseError) -> bool:
    return is_gone(error) or (error.status_code, code_of(error)) in _MISSING
