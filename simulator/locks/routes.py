"""HTTP face of management locks, at any scope."""

import re
from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.arm.paging import page
from simulator.errors import gateway_error
from simulator.locks.models import TYPE, Lock, Locks
from simulator.resource_ids import normalise
from simulator.resources import require_scope
from simulator.state import Json, State

VERSIONS = ("2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01")
_ALL = f"/{{scope:path}}/providers/{TYPE}"
_ONE = f"{_ALL}/{{name}}"
_AT_SCOPE = re.compile(r"\s*atScope\(\)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class _Handlers:
    state: State
    locks: Locks

    def put(self, request: ArmRequest) -> ArmResponse:
        scope = normalise(request.params["scope"])
        require_scope(self.state, scope)
        properties = request.json().get("properties")
        if not isinstance(properties, dict) or not isinstance(properties.get("level"), str):
            raise gateway_error(
                400, "InvalidRequestContent", "A lock needs 'properties' with a 'level'."
            )
        notes = properties.get("notes")
        lock, created = self.locks.put(
            scope, request.params["name"], properties["level"], str(notes) if notes else None
        )
        return ArmResponse(201 if created else 200, show(lock), resource_id=lock.id)

    def get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(
            200, show(self.locks.get(request.params["scope"], request.params["name"]))
        )

    def delete(self, request: ArmRequest) -> ArmResponse:
        gone = self.locks.delete(request.params["scope"], request.params["name"])
        return ArmResponse(200 if gone else 204)

    def list(self, request: ArmRequest) -> ArmResponse:
        wanted = request.query.get("$filter")
        if wanted and not _AT_SCOPE.fullmatch(wanted):
            raise gateway_error(400, "InvalidFilterInQueryString", f"Invalid $filter '{wanted}'.")
        found = self.locks.list_at(normalise(request.params["scope"]), at_scope=bool(wanted))
        return page(request, [show(each) for each in found], self.state.behaviour.page_size)


def show(lock: Lock) -> Json:
    """The lock as ARM answers it."""
    properties: Json = {"level": lock.level}
    if lock.notes is not None:
        properties["notes"] = lock.notes
    return {"properties": properties, "id": lock.id, "type": TYPE, "name": lock.name}


def operations(state: State, locks: Locks) -> list[Operation]:
    """All operations on locks."""
    handle = _Handlers(state, locks)
    return [
        Operation("PUT", _ONE, handle.put, f"{TYPE}/write", versions=VERSIONS),
        Operation("GET", _ONE, handle.get, f"{TYPE}/read", versions=VERSIONS),
        Operation("DELETE", _ONE, handle.delete, f"{TYPE}/delete", versions=VERSIONS),
        Operation("GET", _ALL, handle.list, f"{TYPE}/read", "/{scope:path}", VERSIONS),
    ]
