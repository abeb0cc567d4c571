"""HTTP face of Microsoft.ManagedIdentity."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.managed_identity.models import TYPE, UserAssignedIdentities, show
from simulator.resources import require

VERSIONS = (
    "2015-08-31-preview",
    "2018-11-30",
    "2021-09-30-preview",
    "2022-01-31-preview",
    "2023-01-31",
    "2023-07-31-preview",
    "2024-11-30",
    "2025-01-31-preview",
    "2025-05-31-preview",
)
_LIST_ASSOCIATED_VERSIONS = ("2021-09-30-preview", "2022-01-31-preview")

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ONE = f"{_GROUP}/providers/{TYPE}/{{name}}"


@dataclass(frozen=True)
class _Handlers:
    identities: UserAssignedIdentities

    def put(self, request: ArmRequest) -> ArmResponse:
        params = request.params
        identity, created = self.identities.put(
            params["subscription"], params["group"], params["name"], request.json()
        )
        body = show(identity, request.api_version)
        if created:
            return ArmResponse(201, body, {"location": identity.id})
        return ArmResponse(200, body)

    def patch(self, request: ArmRequest) -> ArmResponse:
        identity = self.identities.patch(request.path, request.json())
        return ArmResponse(200, show(identity, request.api_version))

    def get(self, request: ArmRequest) -> ArmResponse:
        identity = require(self.identities.state, request.path)
        return ArmResponse(200, show(identity, request.api_version))

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.identities.list_in(request.params["subscription"], request.params.get("group"))
        return ArmResponse(200, {"value": [show(each, request.api_version) for each in found]})

    def delete(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200 if self.identities.delete(request.path) else 204)

    def associated(self, request: ArmRequest) -> ArmResponse:
        found = self.identities.associated(request.path.rpartition("/")[0])
        rows = [{"id": each.id, "name": each.name, "type": each.type.lower()} for each in found]
        return ArmResponse(200, {"totalCount": len(rows), "value": rows})


def operations(identities: UserAssignedIdentities) -> list[Operation]:
    """All operations on user-assigned identities."""
    handle = _Handlers(identities)
    read, write, delete = f"{TYPE}/read", f"{TYPE}/write", f"{TYPE}/delete"
    return [
        Operation("PUT", _ONE, handle.put, write, versions=VERSIONS),
        Operation("PATCH", _ONE, handle.patch, write, versions=VERSIONS),
        Operation("GET", _ONE, handle.get, read, versions=VERSIONS),
        Operation("DELETE", _ONE, handle.delete, delete, versions=VERSIONS),
        Operation(
            "GET", f"{_GROUP}/providers/{TYPE}", handle.list, read, _GROUP, versions=VERSIONS
        ),
        Operation(
            "GET",
            f"{_SUBSCRIPTION}/providers/{TYPE}",
            handle.list,
            read,
            _SUBSCRIPTION,
            versions=VERSIONS,
        ),
        Operation(
            "POST",
            f"{_ONE}/listAssociatedResources",
            handle.associated,
            f"{TYPE}/listAssociatedResources/action",
            _ONE,
            versions=_LIST_ASSOCIATED_VERSIONS,
        ),
    ]
