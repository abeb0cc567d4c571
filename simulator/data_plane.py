"""What the services beside ARM share: faults, bearer tokens, and the record of their requests."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from simulator.arm.calls import Call
from simulator.errors import AzureError
from simulator.faults import ConnectionDropped, Drop, Fault, Faults
from simulator.state import State
from simulator.tokens.jwt import TokenIssuer

type Claims = Mapping[str, str]

_NOBODY: Claims = {"oid": ""}


@dataclass(frozen=True)
class DataPlane:
    """`service` is the name that faults match; `render` gives errors the service's own shape.

    `calls` grows by one with each request, refused ones included.
    """

    service: str
    state: State
    tokens: TokenIssuer
    faults: Faults
    audiences: Collection[str]
    render: Callable[[AzureError], Response]
    calls: list[Call] = field(default_factory=list)

    async def serve(
        self,
        request: Request,
        act: Callable[[Claims], Awaitable[Response]],
        *,
        anonymous: bool = False,
    ) -> Response:
        """Answer by `act`, given the caller's claims; it may raise AzureError. `anonymous`: a
        request without a token is served too, as caller "".

        Raises ConnectionDropped where a fault says so.
        """
        call = self._record(request)
        fault = None
        try:
            claims = _NOBODY if anonymous and _unsigned(request) else self._claims(request)
            call.caller = claims["oid"]
            fault = await self._fault(call)
            response = await act(claims)
        except AzureError as error:
            response = self.render(error)
        if fault is not None and fault.drop is Drop.AFTER:
            raise ConnectionDropped(acted=True)
        call.status = response.status_code
        return response

    def _record(self, request: Request) -> Call:
        correlation = request.headers.get("x-ms-client-request-id", "")
        now, query = self.state.clock.now(), dict(request.query_params)
        call = Call(request.method, request.url.path, query, None, correlation, now)
        self.calls.append(call)
        return call

    def _claims(self, request: Request) -> Claims:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise AzureError(401, "InvalidAuthenticationToken", "Access token is empty.")
        # In every cloud but the public one a service's own address is the audience of its tokens.
        itself = f"{request.url.scheme}://{request.url.netloc}{request.scope['root_path']}"
        return self.tokens.verify(token, {*self.audiences, itself})

    async def _fault(self, call: Call) -> Fault | None:
        fault = self.faults.strike(self.service, call.method, call.path, call.caller)
        if fault is None:
            return None
        if fault.delay:
            await self.state.clock.sleep_until(self.state.clock.now() + fault.delay)
        if fault.drop is Drop.BEFORE:
            raise ConnectionDropped(acted=False)
        if error := fault.error():
            raise error
        return fault


def _unsigned(request: Request) -> bool:
    return "authorization" not in request.headers
