"""Tags at any scope: `{scope}/providers/Microsoft.Resources/tags/default`."""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.errors import AzureError
from simulator.resource_ids import normalise
from simulator.resources import read_properties, read_tags, require
from simulator.state import Resource, State, Subscription

_TYPE = "Microsoft.Resources/tags"
_PATH = "/{scope:path}/providers/Microsoft.Resources/tags/default"


@dataclass(frozen=True)
class _Handlers:
    state: State

    def get(self, request: ArmRequest) -> ArmResponse:
        return _shown(self._tagged(request))

    def put(self, request: ArmRequest) -> ArmResponse:
        resource = self._tagged(request)
        return self._retag(resource, read_tags(read_properties(request.json())))

    def patch(self, request: ArmRequest) -> ArmResponse:
        resource = self._tagged(request)
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
        self._retag(self._tagged(request), {})
        return ArmResponse(200)

    def _tagged(self, request: ArmRequest) -> Resource | Subscription:
        """What has the tags. Raises AzureError 404."""
        scope = request.params["scope"]
        if scope.strip("/").count("/") == 1:
            return self.state.subscriptions[scope.rpartition("/")[2].lower()]
        return require(self.state, normalise(scope))

    def _retag(self, tagged: Resource | Subscription, tags: dict[str, str]) -> ArmResponse:
        if isinstance(tagged, Subscription):
            tagged.tags = tags
        else:
            tagged = replace(tagged, tags=tags)
            self.state.resources[tagged.id.lower()] = tagged
        return _shown(tagged)


def _shown(tagged: Resource | Subscription) -> ArmResponse:
    scope = f"/subscriptions/{tagged.id}" if isinstance(tagged, Subscription) else tagged.id
    body = {
        "id": f"{scope}/providers/{_TYPE}/default",
        "name": "default",
        "type": _TYPE,
        "properties": {"tags": tagged.tags},
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
