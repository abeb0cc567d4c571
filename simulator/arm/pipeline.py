"""What every management request passes through, in ARM's order.

record → fault injection → token → api-version → token buckets → subscription → the time it takes
→ RBAC → deny assignments → resource group → locks → policies → the operation → headers → activity
(what Event Grid and the activity log tell).
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.arm import denials, policies
from simulator.arm.activities import tell
from simulator.arm.calls import Call
from simulator.arm.guard import Guard
from simulator.arm.latency import call_seconds
from simulator.arm.messages import ArmRequest, ArmResponse, Caller, Operation
from simulator.arm.replicas import Replicas
from simulator.arm.routing import Match, Routes
from simulator.arm.throttling import Throttle
from simulator.arm.unfaithful import ignoring
from simulator.errors import AzureError, gateway_error
from simulator.faults import ConnectionDropped, Drop, Fault, Faults
from simulator.operations import Operations
from simulator.resource_ids import normalise, subscription_of
from simulator.resources import require_group, require_no_move, require_registered
from simulator.state import Ids, State

_NOBODY = Caller("", "", {})

#: The object id of whose request is being answered, for those who observe the state; "" where
#: Azure itself is at work (a long operation that ends).
acting: ContextVar[str] = ContextVar("acting", default="")
#: When that request came: some take their time (seconds since the epoch).
acting_since: ContextVar[float] = ContextVar("acting_since", default=0.0)


@dataclass
class _Exchange:
    """One request on its way through the pipeline."""

    request: Request
    path: str
    query: Mapping[str, str]
    call: Call
    request_id: str
    quota: dict[str, str]


class Pipeline:
    """Serves all of ARM. `calls` grows by one with each request."""

    def __init__(
        self,
        state: State,
        routes: Routes,
        guard: Guard,
        faults: Faults,
        operations: Operations,
        replicas: Replicas,
    ) -> None:
        self.calls: list[Call] = []
        self._state = state
        self._routes = routes
        self._guard = guard
        self._faults = faults
        self._operations = operations
        self._replicas = replicas
        self._throttle = Throttle(state)
        # A stream of its own: how many requests were made must not shift the ids of resources.
        self._request_ids = Ids(0)

    async def serve(self, request: Request) -> Response:
        """Answer one request. Raises ConnectionDropped where a fault says so."""
        self._operations.settle()
        exchange = self._record(request)
        fault, response = None, None
        try:
            caller = self._guard.caller(request)
            exchange.call.caller = caller.object_id
        except AzureError as error:
            caller, response = _NOBODY, _failure(error)
        fault = await self._fault(exchange)
        injected = fault.error() if fault is not None else None
        if injected is not None and not (fault and fault.acts):
            response = _failure(injected)
        if response is None:
            response = await self._answer(exchange, caller)
        if injected is not None:
            response = _failure(injected)
        self._operations.settle()
        if fault is not None and fault.drop is Drop.AFTER:
            raise ConnectionDropped(acted=True)
        exchange.call.status = response.status
        return self._render(exchange, response)

    def _record(self, request: Request) -> _Exchange:
        path, query = normalise(request.url.path), dict(request.query_params)
        correlation = request.headers.get("x-ms-correlation-request-id")
        call = Call(
            request.method,
            path,
            query,
            None,
            correlation or self._request_ids.uuid(),
            self._state.clock.now(),
        )
        self.calls.append(call)
        return _Exchange(request, path, query, call, self._request_ids.uuid(), {})

    async def _fault(self, exchange: _Exchange) -> Fault | None:
        call = exchange.call
        fault = self._faults.strike("arm", call.method, call.path, call.caller)
        if fault is not None and fault.delay:
            await self._state.clock.sleep_until(self._state.clock.now() + fault.delay)
        if fault is not None and fault.drop is Drop.BEFORE:
            raise ConnectionDropped(acted=False)
        return fault

    async def _answer(self, exchange: _Exchange, caller: Caller) -> ArmResponse:
        try:
            match, request = await self._admit(exchange, caller)
        except AzureError as error:
            return _failure(error)
        await self._take_time(request)
        actor, since = acting.set(caller.object_id), acting_since.set(exchange.call.at)
        try:
            self._guard.authorize(match.operation, request)
            denials.check(self._state.behaviour, match.operation, request)
            self._check_group(match.operation, request)
            self._guard.locks.check(request.method, request.path)
            policies.check(self._state.behaviour, request)
            late = self._replicas.serving(request.method, request.path)
            with late, ignoring(self._state, request):
                response = match.operation.handler(request)
                if isawaitable(response):
                    response = await response
        except AzureError as error:
            tell(self._state, match.operation, request, None)
            return _failure(error)
        finally:
            acting.reset(actor)
            acting_since.reset(since)
        tell(self._state, match.operation, request, response)
        return response

    async def _admit(self, exchange: _Exchange, caller: Caller) -> tuple[Match, ArmRequest]:
        method, path = exchange.request.method, exchange.path
        version = exchange.query.get("api-version", "")
        if not version:
            raise gateway_error(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        match = self._routes.match(method, path, version)
        self._take_tokens(exchange, match.operation, caller)
        subscription = subscription_of(path)
        if subscription is not None and subscription not in self._state.subscriptions:
            raise gateway_error(
                404,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found.",
            )
        body = _parse(await exchange.request.body())
        return match, _arm_request(exchange, match, caller, body)

    def _take_tokens(self, exchange: _Exchange, operation: Operation, caller: Caller) -> None:
        subscription = subscription_of(exchange.path)
        if not operation.counted or subscription is None:
            return
        method = exchange.request.method
        exchange.quota |= self._throttle.arm(
            method, subscription, caller.object_id, operation.budget
        )
        exchange.quota |= self._throttle.compute(operation.quota, subscription, exchange.path)

    async def _take_time(self, request: ArmRequest) -> None:
        times = self._state.behaviour.call_seconds
        if seconds := call_seconds(times, request.method, request.path):
            await self._state.clock.elapse(seconds)
            self._operations.settle()

    def _check_group(self, operation: Operation, request: ArmRequest) -> None:
        if "{group}/" in operation.template:
            writes = request.method in ("PUT", "PATCH")
            require_registered(self._state, request.path, writes=writes)
            require_group(self._state, request.path, request.params, writes=writes)
            if writes or request.method == "DELETE":
                require_no_move(self._state, request.params)

    def _render(self, exchange: _Exchange, response: ArmResponse) -> Response:
        headers = {
            # What ARM refuses by itself shows no quota (recorded).
            **({} if response.headers.get("x-ms-failure-cause") else exchange.quota),
            "x-ms-request-id": exchange.request_id,
            "x-ms-correlation-request-id": exchange.call.correlation_id,
            "cache-control": "no-cache",
            **response.headers,
        }
        if response.body is None:
            return Response(status_code=response.status, headers=headers)
        content = json.dumps(response.body, ensure_ascii=False).encode()
        headers["content-type"] = "application/json; charset=utf-8"
        return Response(content, response.status, headers)


def _failure(error: AzureError) -> ArmResponse:
    return ArmResponse(error.status, error.body(), error.headers)


def _parse(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise gateway_error(
            400,
            "InvalidRequestContent",
            f"The request content was invalid and could not be deserialized: '{error}'.",
        ) from None


def _arm_request(exchange: _Exchange, match: Match, caller: Caller, body: Any) -> ArmRequest:
    request = exchange.request
    return ArmRequest(
        method=request.method,
        path=exchange.path,
        base_url=f"{request.url.scheme}://{request.url.netloc}",
        url=str(request.url),
        query=exchange.query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        params=match.params,
        caller=caller,
        api_version=exchange.query["api-version"],
        correlation_id=exchange.call.correlation_id,
        client_request_id=request.headers.get("x-ms-client-request-id", ""),
    )
