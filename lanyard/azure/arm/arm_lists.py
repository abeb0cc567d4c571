"""What Resource Graph has no table for in some clouds, from the lists of ARM itself.

They take a call for each subscription, or for each Batch account, and a page of theirs. As in
Resource Graph, what the app may not read is not among them.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import chain

from lanyard.azure.arm.answers import Json, needed
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.listing import listed
from lanyard.values.compute_types import compute_type
from lanyard.values.errors import Permanent
from lanyard.values.resource_id import folded

POOLS = "microsoft.batch/batchaccounts/pools"
_AUTHORIZATION = "providers/Microsoft.Authorization"
_API_VERSION = {"api-version": "2022-04-01"}


class ArmLists:
    """The rows are as Resource Graph would have them."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def rights(self, subscriptions: Iterable[str]) -> list[Json]:
        """The role assignments at, above and below these subscriptions (ids), and the roles that
        are defined there, each once. Raises Temporary.
        """
        lists = [
            [row async for row in self._readable(f"/subscriptions/{one}/{_AUTHORIZATION}/{kind}")]
            for one in subscriptions
            for kind in ("roleAssignments", "roleDefinitions")
        ]
        return _once(chain.from_iterable(lists))

    async def assignments_of(self, principal_id: str, subscriptions: Iterable[str]) -> list[Json]:
        """The role assignments of a principal, otherwise as `rights`."""
        params = {"$filter": f"principalId eq '{principal_id}'"}
        urls = [f"/subscriptions/{one}/{_AUTHORIZATION}/roleAssignments" for one in subscriptions]
        return _once([row for url in urls async for row in self._readable(url, params)])

    async def pools(self, accounts: Iterable[Json]) -> list[Json]:
        """The pools of Batch accounts (rows). A pool shows no location of its own. Raises
        Temporary.
        """
        kind = compute_type(POOLS)
        version = {"api-version": kind.api_version if kind is not None else ""}
        return [
            {**pool, "location": account.get("location")}
            for account in accounts
            async for pool in self._readable(f"{needed(account, 'id')}/pools", version)
        ]

    async def _readable(
        self, url: str, params: Mapping[str, str] | None = None
    ) -> AsyncIterator[Json]:
        try:
            with translated(f"list {url}"):
                async for row in listed(self._clients, url, {**_API_VERSION, **(params or {})}):
                    yield row
        except Permanent:
            return


def _once(rows: Iterable[Json]) -> list[Json]:
    """What lies above several subscriptions is in the list of each."""
    return list({folded(needed(row, "id")): row for row in rows}.values())
