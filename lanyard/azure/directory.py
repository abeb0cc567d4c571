"""The directory (Microsoft Graph v1.0), the second source before anything is removed."""

from collections.abc import Iterable

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from lanyard.azure.arm.answers import Json, as_object, body_of, entries, member, needed
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import code_of, translated
from lanyard.values.errors import Temporary
from lanyard.values.resource_id import folded

#: Most ids of one `getByIds` call.
PAGE = 1000
_ABSENT = (404, "Request_ResourceNotFound")
_UNTRUSTED_DELAY = 300.0


class Directory:
    """Knows which service principals exist.

    An id that Graph does not return is absent, or not replicated, or hidden by a missing
    permission (Directory.Read.All). So every call asks for `control_principal`
    too, one known to exist; where it is not returned, the answer is worth nothing and Temporary is
    raised.
    """

    def __init__(self, clients: Clients, control_principal: str) -> None:
        self._clients = clients
        self._control_principal = folded(control_principal)

    async def existing(self, principals: Iterable[str]) -> frozenset[str]:
        """Those of `principals` (object ids) that the directory knows, lower case."""
        asked = {folded(principal) for principal in principals}
        wanted = sorted(asked - {self._control_principal}) or [self._control_principal]
        found: set[str] = set()
        for start in range(0, len(wanted), PAGE - 1):
            found |= await self._page({self._control_principal, *wanted[start : start + PAGE - 1]})
        return frozenset(found & asked)

    async def exists(self, principal_id: str) -> bool:
        """Whether the directory has this service principal, asked for it alone: a 404 says more
        than an absence from a list, which may be a part.
        """
        return await self._get(f"/v1.0/servicePrincipals/{principal_id}") is not None

    async def restorable(self, principal_id: str) -> bool:
        """Whether a service principal is in the recycle bin, where it stays 30 days, and somebody
        could bring it back. A managed identity's cannot be: it goes with its resource.

        Needs Application.Read.All or Directory.Read.All.
        """
        found = await self._get(f"/v1.0/directory/deletedItems/{principal_id}")
        if found is None:
            return False
        return str(member(found, "servicePrincipalType") or "").lower() != "managedidentity"

    async def _get(self, path: str) -> Json | None:
        """One object; None where Graph, and not something on the way, says that it has none."""
        graph = self._clients.graph
        with translated(f"read {path} in the directory"):
            response = await graph.send_request(HttpRequest("GET", graph.format_url(path)))
            try:
                response.raise_for_status()
            except HttpResponseError as error:
                if (error.status_code, code_of(error)) != _ABSENT:
                    raise
                return None
            return body_of(response)

    async def _page(self, ids: set[str]) -> set[str]:
        graph = self._clients.graph
        url = graph.format_url("/v1.0/directoryObjects/getByIds")
        body = {"ids": sorted(ids), "types": ["servicePrincipal"]}
        with translated("ask the directory"):
            response = await graph.send_request(HttpRequest("POST", url, json=body))
            response.raise_for_status()
            listed = entries(body_of(response), "value")
            known = {folded(needed(as_object(each, "an entry"), "id")) for each in listed}
        if self._control_principal not in known:
            raise Temporary(
                f"the directory does not return {self._control_principal}, which exists: its "
                "answers are not used (is Directory.Read.All granted to whoever asks?)",
                _UNTRUSTED_DELAY,
            )
        return known
