"""Tags at any scope: `{scope}/providers/Microsoft.Resources/tags/default`."""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.errors import AzureError
from simulator.resources import read_properties, read_tags, require
from simulator.state import Resource, State

_TYPE = "Microsoft.Resources/tags"
_PATH = "/{scope:path}/providers/Microsoft.Resources/tags/default"


@dataclass(frozen=True)
class _Handlers:
    state: State

    def get(self, request: ArmRequest) -> ArmResponse:
        return self._shown(require(self.state, request.params["scope"]))

    def put(self, request: ArmRequest) -> ArmResponse:
        resource = require(self.state, request.params["scope"])
        return self._retag(resource, read_tags(read_properties(request.json())))

    def patch(self, request: ArmRequest) -> ArmResponse:
        resource = require(self.state, request.params["scope"])
        body = request.json()
        given = read_tags(read_properties(body))
        kind = str(body.get("operation", "")).lower()
        if kind == "merge":
            return self._retag(resource, {**resource.tags, **given})
        if kind == "replace":
            return self._retag(resource, given)
        if kind == "delete":
            left = {k: v for k, v in resource.tags.items() if given.get(k) != v}
            return self._retag(resource, left)
        raise AzureError(
            400, "InvalidTagsPatchOperation", f"The tags patch operation '{kind}' is not valid."
        )

    def delete(self, request: ArmRequest) -> ArmResponse:
        self._retag(require(self.state, request.params["scope"]), {})
        return ArmResponse(200)

    def _retag(self, resource: Resource, tags: dict[str, str]) -> ArmResponse:
        tagged = replace(resource, tags=tags)
        self.state.resources[resource.id.lower()] = tagged
        return self._shown(tagged)

    def _shown(self, resource: Resource) -> ArmResponse:
        body = {
            "id": f"{resource.id}/providers/{_TYPE}/default",
            "name": "default",
            "type": _TYPE,
            "properties": {"tags": resource.tags},
        }
        return ArmResponse(200, body)


def operations(state: State) -> list[Operation]:
    """All operations on tags."""
    handle = _Handlers(state)
    return [
        Operation("GET", _PATH, handle.get, f"{_TYPE}/read"),
        Operation("PUT", _PATH, handle.put, f"{_TYPE}/write"),
        Operation("PATCH", _PATH, handle.patch, f"{_TYPE}/write"),
        Operation("DELETE", _PATH, handle.delete, f"{_TYPE}/delete"),
    ]
