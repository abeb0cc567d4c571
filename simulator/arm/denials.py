"""Deny assignments, as much of them as refuses a change: nobody's role helps below such a scope.

The text is that of Azure's answers (Azure/migAz issue 266, azure-docs issue 51173).
"""

from uuid import NAMESPACE_URL, uuid5

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.behaviour import Behaviour
from simulator.errors import AzureError, gateway_error
from simulator.resource_ids import is_within, normalise
from simulator.state import Json

_TYPE = "Microsoft.Authorization/denyAssignments"
_NAME = "System deny assignment created by the service that manages these resources"


def check(behaviour: Behaviour, operation: Operation, request: ArmRequest) -> None:
    """Raises AzureError 403 `DenyAssignmentAuthorizationFailed` for whatever is no read."""
    action = operation.asks(request)
    if action is None or action.endswith("/read"):
        return
    for scope in behaviour.denied_scopes:
        if is_within(request.path, scope):
            raise _denied(request, action, scope)


def operations(behaviour: Behaviour) -> list[Operation]:
    """The list of them at a scope, with those above and below."""

    def list_at(request: ArmRequest) -> ArmResponse:
        asked = normalise(request.params["scope"])
        found = [
            _shown(scope)
            for scope in sorted(behaviour.denied_scopes)
            if is_within(scope, asked) or is_within(asked, scope)
        ]
        return ArmResponse(200, {"value": found})

    path, read = f"/{{scope:path}}/providers/{_TYPE}", f"{_TYPE}/read"
    return [Operation("GET", path, list_at, read, "/{scope:path}", ("2022-04-01",))]


def _shown(scope: str) -> Json:
    name = str(uuid5(NAMESPACE_URL, scope))
    return {
        "id": f"{scope}/providers/{_TYPE}/{name}",
        "type": _TYPE,
        "name": name,
        "properties": {"denyAssignmentName": _NAME, "scope": scope, "isSystemProtected": True},
    }


def _denied(request: ArmRequest, action: str, scope: str) -> AzureError:
    caller = request.caller
    return gateway_error(
        403,
        "DenyAssignmentAuthorizationFailed",
        f"The client '{caller.client_id}' with object id '{caller.object_id}' has permission to "
        f"perform action '{action}' on scope '{request.path}'; however, the access is denied "
        f"because of the deny assignment with name '{_NAME}' and Id "
        f"'{uuid5(NAMESPACE_URL, scope).hex}' at scope '{scope}'.",
    )
