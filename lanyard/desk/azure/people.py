"""The directory (Microsoft Graph v1.0) as whoever runs the command may read it: names of
principals, and the members of groups.
"""

from collections.abc import Iterable, Mapping

from azure.core.rest import HttpRequest

from lanyard.azure.arm.answers import Json, Unreadable, as_object, body_of, entries, needed, text
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.directory import PAGE
from lanyard.desk.access.who import Known
from lanyard.values.resource_id import folded

_TYPE = "@odata.type"
_NEXT = "@odata.nextLink"
#: Graph v1.0, "List group transitive members": it needs GroupMember.Read.All, or to be a member of
#: the tenant; without the right to read users, only their ids come.
_MEMBERS = "/v1.0/groups/{}/transitiveMembers?$select=id,displayName,userPrincipalName&$top=999"


class People:
    """Every call raises Temporary or Permanent."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def named(self, principals: Iterable[str]) -> Mapping[str, Known]:
        """Those of the principals (object ids) that the directory shows, by their ids."""
        asked, found = sorted(set(principals)), dict[str, Known]()
        for start in range(0, len(asked), PAGE):
            body = {"ids": asked[start : start + PAGE]}
            request = HttpRequest("POST", self._url("/v1.0/directoryObjects/getByIds"), json=body)
            listed = entries(await self._answer(request), "value")
            found |= {known.id: known for known in map(_known, listed)}
        return found

    async def members(self, group: str) -> tuple[Known, ...]:
        """Who is in a group (object id), also through other groups; groups are no members here."""
        found: list[Known] = []
        url, read = self._url(_MEMBERS.format(group)), set[str]()
        while url:
            self._check(url, read)
            page = await self._answer(HttpRequest("GET", url))
            found += map(_known, entries(page, "value"))
            url = text(page, _NEXT)
        return tuple(each for each in found if each.kind != "group")

    def _check(self, url: str, read: set[str]) -> None:
        """The token goes to Graph alone, and a list has an end."""
        if url in read or not url.startswith(self._url("/")):
            raise Unreadable("its next page is none of this list's")
        read.add(url)

    def _url(self, path: str) -> str:
        return self._clients.graph.format_url(path)

    async def _answer(self, request: HttpRequest) -> Json:
        with translated("ask the directory"):
            response = await self._clients.graph.send_request(request)
            response.raise_for_status()
            return body_of(response)


def _known(entry: object) -> Known:
    shown = as_object(entry, "an entry")
    return Known(
        id=folded(needed(shown, "id")),
        kind=text(shown, _TYPE).rpartition(".")[2],
        name=text(shown, "displayName"),
        signs_in_as=text(shown, "userPrincipalName"),
    )
