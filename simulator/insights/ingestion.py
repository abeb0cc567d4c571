"""Where Application Insights takes telemetry: `POST /insights/v2.1/track`, a list of envelopes.

Sources: the generated client of azure-monitor-opentelemetry-exporter 1.0.0b58 (200, or 206 where a
part was refused; `itemsReceived`, `itemsAccepted`, `errors`), and Microsoft's page "Microsoft Entra
authentication for Application Insights" (the audience, the role, 403 without it).
Microsoft's exporter of .NET (1.8.3, seen) writes an envelope a line instead, as application/json.
Without a token it is taken by the instrumentation key alone, unless local authentication is off
(`DisableLocalAuth`).
"""

import gzip
import json
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.authorization.access import Access
from simulator.data_plane import Claims, DataPlane
from simulator.errors import AzureError
from simulator.faults import Faults
from simulator.insights.components import Components, Taken
from simulator.state import Json, Resource, State
from simulator.tokens.jwt import MONITOR_AUDIENCES, TokenIssuer

WRITE = "Microsoft.Insights/Telemetry/Write"


def data_plane(state: State, tokens: TokenIssuer, faults: Faults) -> DataPlane:
    """The front of the ingestion: faults name it "insights"."""
    return DataPlane("insights", state, tokens, faults, MONITOR_AUDIENCES, _render_error)


def routes(components: Components, access: Access, front: DataPlane) -> list[Route]:
    """Relative to where it is mounted."""
    track = _Ingestion(components, access, front).track
    # The address in a connection string ends with a slash; the exporter adds "/v2.1/track" to it.
    return [Route(path, track, methods=["POST"]) for path in ("/v2.1/track", "//v2.1/track")]


@dataclass(frozen=True)
class _Ingestion:
    components: Components
    access: Access
    front: DataPlane

    async def track(self, request: Request) -> Response:
        content = await request.body()

        async def act(claims: Claims) -> Response:
            envelopes = _envelopes(request, content)
            refused = [
                error
                for index, envelope in enumerate(envelopes)
                if (error := self._take(index, envelope, claims["oid"])) is not None
            ]
            answer = {
                "itemsReceived": len(envelopes),
                "itemsAccepted": len(envelopes) - len(refused),
                "errors": refused,
            }
            return JSONResponse(answer, 206 if refused else 200)

        return await self.front.serve(request, act, anonymous=True)

    def _take(self, index: int, envelope: Json, caller: str) -> Json | None:
        """Keep it; what is wrong with it where it is refused."""
        component = self.components.by_key(envelope.get("iKey"))
        if component is None:
            message = "Invalid instrumentation key"
            return {"index": index, "statusCode": 400, "message": message}
        if not caller:
            _need_local_authentication(component)
        elif not self.access.allowed(caller, WRITE, component.id, data=True):
            raise AzureError(403, "Forbidden", "The given credentials may not write telemetry.")
        self.components.taken.append(Taken(component.id, caller, envelope))
        return None


def _need_local_authentication(component: Resource) -> None:
    if component.properties.get("DisableLocalAuth"):
        raise AzureError(401, "Unauthorized", "The component takes telemetry with a token alone.")


def _envelopes(request: Request, content: bytes) -> list[Json]:
    if request.headers.get("content-encoding", "").lower() == "gzip":
        content = gzip.decompress(content)
    try:
        if content.startswith(b'{"'):
            body = [json.loads(line) for line in content.splitlines() if line.strip()]
        else:
            body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
        raise AzureError(400, "BadRequest", "The body is no list of envelopes.")
    return body


def _render_error(error: AzureError) -> Response:
    refused = {"index": 0, "statusCode": error.status, "message": error.message}
    body = {"itemsReceived": 0, "itemsAccepted": 0, "errors": [refused]}
    return JSONResponse(body, error.status, error.headers)
