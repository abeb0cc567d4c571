"""Steering the local Azure from another process. Plain http, JSON in and out.

Every request carries `Authorization: Bearer {operator's identityHeader}`; without it 401. What is
wrong with a request is told by 400 `{"error": …}`.

| Request | Body | Answer |
|---|---|---|
| GET /control/clock | | `{"now": seconds since the epoch, "utc": text}` |
| POST /control/clock | `{"advance": seconds}` | the same, after the jump |
| GET /control/switches | | `{"behaviour": {…}, "eventGrid": {…}, "directory": {…}}` |
| PATCH /control/switches | the same, only what changes | all switches |
| GET /control/faults | | `{"value": [fault, …]}` added here, with their `hits` |
| POST /control/faults | the members of `simulator.faults.Fault` | the fault |
| DELETE /control/faults | | all cleared |
| POST /control/replicas | `{"resourceId", "seconds", "shows"?}` | the same, below |
| PUT /control/managers | `{"resourceId", "managedBy"}`, an id or "" | the same |
| GET /control/calls?service=arm | or graph, blob, eventgrid; `&caller={id}` | `{"value": […]}` |
| GET /control/events | | `{"value": [{"topicId", "event"}, …]}`: what was published |
| GET /control/received | | the same: what custom topics took |
| GET /control/deliveries | | `{"attempts", "deadLettered", "dropped", "lost"}` |
| POST /control/deliveries/settle | | the same, once no delivery is under way |
| POST /control/principals | `{"displayName", "kind"?, "names"?}` | ids and an `identityHeader` |
| POST /control/permissions | `{"objectId", "permission"?}` | of Microsoft Graph |
| DELETE /control/permissions/{object id} | | all of them taken back |
| POST /control/identity-headers | `{"resourceId"}` | the app's `identityHeader` |
| PUT /control/addresses | `{"resourceId", "url"}` | where an Azure Function is |

`shows` of a late replica: "nothing" (reads answer 404) or "it" (also once it is gone).
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.arm.calls import Call
from simulator.azure import Azure
from simulator.event_grid.dead_letters import Undelivered, record_of
from simulator.event_grid.delivery import Attempt, Delivery
from simulator.faults import Drop, Fault
from simulator.operator import Operator
from simulator.state import Json
from simulator.times import utc_z

type Action = Callable[[Json, Request], Awaitable[Json]]


class BadControl(Exception):
    """A request that cannot be done; its text is for the person who sent it."""


def routes(azure: Azure, delivery: Delivery, operator: Operator) -> list[Route]:
    """All requests of the table above."""
    control = _Control(azure, delivery)
    table: list[tuple[str, str, Action]] = [
        ("GET", "/clock", control.clock),
        ("POST", "/clock", control.advance),
        ("GET", "/switches", control.switches),
        ("PATCH", "/switches", control.switch),
        ("GET", "/faults", control.faults),
        ("POST", "/faults", control.add_fault),
        ("DELETE", "/faults", control.clear_faults),
        ("POST", "/replicas", control.replica),
        ("PUT", "/managers", control.manager),
        ("GET", "/calls", control.calls),
        ("GET", "/events", control.events),
        ("GET", "/received", control.received),
        ("GET", "/deliveries", control.deliveries),
        ("POST", "/deliveries/settle", control.settle),
        ("POST", "/principals", control.add_principal),
        ("POST", "/permissions", control.grant),
        ("DELETE", "/permissions/{object_id}", control.revoke),
        ("POST", "/identity-headers", control.identity_header),
        ("PUT", "/addresses", control.address),
    ]
    key = operator.identity_header
    return [
        Route(f"/control{path}", _endpoint(action, key), methods=[method])
        for method, path, action in table
    ]


def _endpoint(action: Action, key: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        sent = request.headers.get("authorization", "")
        if not secrets.compare_digest(sent.encode(), f"Bearer {key}".encode()):
            return JSONResponse({"error": "the operator's identity header is missing"}, 401)
        try:
            return JSONResponse(await action(await _body(request), request))
        except BadControl as error:
            return JSONResponse({"error": str(error)}, 400)

    return endpoint


async def _body(request: Request) -> Json:
    if not await request.body():
        return {}
    try:
        body = await request.json()
    except ValueError:
        raise BadControl("the body is no JSON") from None
    if not isinstance(body, dict):
        raise BadControl("the body is no JSON object")
    return body


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadControl(f"'{name}' is missing")
    return value


@dataclass(frozen=True)
class _Control:
    azure: Azure
    delivery: Delivery
    added: list[Fault] = field(default_factory=list)

    async def clock(self, _body: Json, _request: Request) -> Json:
        now = self.azure.state.clock.now()
        return {"now": now, "utc": utc_z(now)}

    async def advance(self, body: Json, request: Request) -> Json:
        seconds = body.get("advance")
        if not isinstance(seconds, int | float) or seconds < 0:
            raise BadControl("'advance' is seconds, 0 or more")
        self.azure.state.clock.advance(seconds)
        return await self.clock(body, request)

    async def switches(self, _body: Json, _request: Request) -> Json:
        return {name: _shown(switches) for name, switches in self._sections().items()}

    async def switch(self, body: Json, request: Request) -> Json:
        sections = self._sections()
        for name, changes in body.items():
            if name not in sections or not isinstance(changes, dict):
                raise BadControl(f"there are switches of {', '.join(sections)}; not of '{name}'")
            _set(sections[name], changes)
        return await self.switches(body, request)

    def _sections(self) -> dict[str, Any]:
        services = self.azure.services
        return {
            "behaviour": self.azure.state.behaviour,
            "eventGrid": services.event_grid.behaviour,
            "directory": services.directory.behaviour,
        }

    async def faults(self, _body: Json, _request: Request) -> Json:
        return {"value": [asdict(each) for each in self.added]}

    async def add_fault(self, body: Json, _request: Request) -> Json:
        try:
            drop = Drop(body["drop"]) if body.get("drop") else None
            fault = Fault(**{**body, "drop": drop})
        except (TypeError, ValueError) as error:
            raise BadControl(f"no such fault: {error}") from None
        self.added.append(self.azure.faults.add(fault))
        return asdict(fault)

    async def clear_faults(self, _body: Json, _request: Request) -> Json:
        self.azure.faults.clear()
        self.added.clear()
        return {"value": []}

    async def replica(self, body: Json, _request: Request) -> Json:
        resource_id, seconds = _text(body, "resourceId"), body.get("seconds")
        shows = body.get("shows", "nothing")
        late = {"nothing": self.azure.replicas.miss, "it": self.azure.replicas.keep}
        if not isinstance(seconds, int | float) or shows not in late:
            raise BadControl("'seconds' is a number, 'shows' is nothing or it")
        try:
            late[shows](resource_id, seconds)
        except KeyError:
            raise BadControl(f"there is no {resource_id}") from None
        return {"resourceId": resource_id, "seconds": seconds, "shows": shows}

    async def manager(self, body: Json, _request: Request) -> Json:
        """As a service or a managed application does to a group or a resource of its own."""
        resource_id, manager = _text(body, "resourceId"), body.get("managedBy")
        resources = self.azure.state.resources
        found = resources.get(resource_id.lower())
        if found is None or not isinstance(manager, str):
            raise BadControl("'resourceId' is there, 'managedBy' is a text")
        kept = {key: value for key, value in found.extra.items() if key != "managedBy"}
        extra = {**kept, **({"managedBy": manager} if manager else {})}
        resources[resource_id.lower()] = replace(found, extra=extra)
        return {"resourceId": resource_id, "managedBy": manager}

    async def calls(self, _body: Json, request: Request) -> Json:
        services = self.azure.services
        recorded: Mapping[str, list[Call]] = {
            "arm": self.azure.calls,
            "graph": services.graph.calls,
            "blob": services.blob.calls,
            "eventgrid": services.publishing.calls,
        }
        service = request.query_params.get("service", "arm")
        if service not in recorded:
            raise BadControl(f"'service' is one of {', '.join(recorded)}")
        caller = request.query_params.get("caller")
        found = [each for each in recorded[service] if caller in (None, each.caller)]
        return {"value": [asdict(each) for each in found]}

    async def events(self, _body: Json, _request: Request) -> Json:
        published = self.azure.services.event_grid.published
        return {"value": [{"topicId": each.topic_id, "event": each.event} for each in published]}

    async def received(self, _body: Json, _request: Request) -> Json:
        received = self.azure.services.custom_topics.received
        return {"value": [{"topicId": each.topic_id, "event": each.event} for each in received]}

    async def deliveries(self, _body: Json, _request: Request) -> Json:
        return {
            "attempts": [_attempt(each) for each in self.delivery.attempts],
            "deadLettered": [_undelivered(each) for each in self.delivery.dead_lettered],
            "dropped": [_undelivered(each) for each in self.delivery.dropped],
            "lost": self.delivery.lost,
        }

    async def settle(self, body: Json, request: Request) -> Json:
        await self.delivery.settled()
        return await self.deliveries(body, request)

    async def add_principal(self, body: Json, _request: Request) -> Json:
        kind = body.get("kind", "ServicePrincipal")
        if kind not in ("ServicePrincipal", "User", "Group"):
            raise BadControl("'kind' is ServicePrincipal, User or Group")
        name, names = _text(body, "displayName"), list(body.get("names") or [])
        principal = self.azure.state.add_principal(name, kind, names)
        header = self.azure.services.identity_endpoints.header_for_principal(principal)
        return {
            "objectId": principal.object_id,
            "clientId": principal.client_id,
            "identityHeader": header,
        }

    async def grant(self, body: Json, _request: Request) -> Json:
        object_id = _text(body, "objectId")
        permission = body.get("permission", "Directory.Read.All")
        self.azure.services.directory.grant_permission(object_id, permission)
        return {"objectId": object_id, "permission": permission}

    async def revoke(self, _body: Json, request: Request) -> Json:
        object_id = request.path_params["object_id"]
        self.azure.services.directory.revoke_permissions(object_id)
        return {"objectId": object_id}

    async def identity_header(self, body: Json, _request: Request) -> Json:
        resource_id = _text(body, "resourceId")
        header = self.azure.services.identity_endpoints.identity_header(resource_id)
        return {"resourceId": resource_id, "identityHeader": header}

    async def address(self, body: Json, _request: Request) -> Json:
        resource_id, url = _text(body, "resourceId"), _text(body, "url")
        self.azure.services.event_grid.addresses[resource_id.lower()] = url
        return {"resourceId": resource_id}


def _shown(switches: Any) -> Json:
    values = {each.name: getattr(switches, each.name) for each in fields(switches)}
    return {k: sorted(value) if isinstance(value, set) else value for k, value in values.items()}


def _set(switches: Any, changes: Json) -> None:
    known = {each.name for each in fields(switches)}
    for name, value in changes.items():
        if name not in known:
            raise BadControl(f"there is no switch '{name}'; there are {', '.join(sorted(known))}")
        setattr(switches, name, _coerced(name, getattr(switches, name), value))


def _coerced(name: str, current: object, value: Any) -> object:
    """`value` as the switch's own type. Raises BadControl."""
    match current:
        case bool() if isinstance(value, bool):
            return value
        case StrEnum() if value in list(type(current)):
            return type(current)(value)
        case set() if isinstance(value, list):
            return {str(each) for each in value}
        case dict() if isinstance(value, dict):
            return value
        case int() if isinstance(value, int) and not isinstance(current, bool):
            return value
        case float() if isinstance(value, int | float):
            return float(value)
    raise BadControl(f"'{name}' cannot be {value!r}")


def _attempt(attempt: Attempt) -> Json:
    return {
        "subscription": attempt.subscription,
        "eventId": attempt.event["id"],
        "subject": attempt.event["subject"],
        "number": attempt.number,
        "at": utc_z(attempt.at),
        "outcome": attempt.outcome.name,
        "status": attempt.outcome.status,
    }


def _undelivered(undelivered: Undelivered) -> Json:
    return {"subscription": undelivered.subscription.name, "record": record_of(undelivered)}
