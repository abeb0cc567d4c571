"""Collections of ARM, every page of them."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from azure.core.rest import HttpRequest

from lanyard.azure.arm.answers import Json, Unreadable, as_object, body_of, entries, text
from lanyard.azure.arm.clients import Clients


async def get(clients: Clients, url: str, params: Mapping[str, str] | None = None) -> Json:
    """The object at a url below ARM's root. Raises the SDK's errors, Unreadable."""
    # The SDK takes them as they are: what separates parameters would end the value that it is in.
    quoted = {name: quote(value, safe="") for name, value in (params or {}).items()}
    response = await clients.resources.send_request(HttpRequest("GET", url, params=quoted))
    response.raise_for_status()
    return body_of(response)


async def listed(
    clients: Clients, url: str, params: Mapping[str, str] | None = None
) -> AsyncIterator[Json]:
    """The entries of the collection at a url, as `get`; the link to a next page has all that it
    needs in itself. Raises Unreadable for one that leads back: there would be no end.
    """
    read = set[str]()
    while url:
        if url in read:
            raise Unreadable("its next page is one that was read before")
        read.add(url)
        page = await get(clients, url, params)
        for entry in entries(page, "value"):
            yield as_object(entry, "an entry")
        url, params = text(page, "nextLink"), None
