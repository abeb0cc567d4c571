"""HTTP face of Microsoft.Storage. A create is synchronous here; Azure may answer 202 first."""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.resources import render, require
from simulator.state import Json, Resource
from simulator.storage.models import TYPE, StorageAccounts

VERSIONS = (
    *("2019-06-01", "2021-04-01", "2021-09-01", "2022-09-01", "2023-01-01", "2023-04-01"),
    *("2023-05-01", "2024-01-01", "2025-01-01", "2025-06-01", "2025-08-01"),
)

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ONE = f"{_GROUP}/providers/{TYPE}/{{name}}"


@dataclass(frozen=True)
class _Handlers:
    accounts: StorageAccounts

    def put(self, request: ArmRequest) -> ArmResponse:
        account = self.accounts.put(request.path, request.params["name"], request.json())
        return ArmResponse(200, _show(account, request))

    def get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, _show(require(self.accounts.state, request.path), request))

    def delete(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200 if self.accounts.delete(request.path) else 204)

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.accounts.list(request.params["subscription"], request.params.get("group"))
        return ArmResponse(200, {"value": [_show(each, request) for each in found]})

    def check_name(self, request: ArmRequest) -> ArmResponse:
        refusal = self.accounts.refusal_of_name(str(request.json().get("name") or ""))
        if refusal is None:
            return ArmResponse(200, {"nameAvailable": True})
        reason = "AlreadyExists" if refusal.status == 409 else refusal.code
        body = {"nameAvailable": False, "reason": reason, "message": refusal.message}
        return ArmResponse(200, body)


def _show(account: Resource, request: ArmRequest) -> Json:
    """With the address of its blob service on the server that was asked."""
    endpoints = {"blob": f"{request.base_url}/blob/{account.name}/"}
    body = render(account)
    return {**body, "properties": {**account.properties, "primaryEndpoints": endpoints}}


def operations(accounts: StorageAccounts) -> list[Operation]:
    """All operations on storage accounts."""
    handle = _Handlers(accounts)
    check = f"{_SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability"
    in_subscription = f"{_SUBSCRIPTION}/providers/{TYPE}"
    made = [
        Operation("PUT", _ONE, handle.put, f"{TYPE}/write"),
        Operation("GET", _ONE, handle.get, f"{TYPE}/read"),
        Operation("DELETE", _ONE, handle.delete, f"{TYPE}/delete"),
        Operation("GET", f"{_GROUP}/providers/{TYPE}", handle.list, f"{TYPE}/read", _GROUP),
        Operation("GET", in_subscription, handle.list, f"{TYPE}/read", _SUBSCRIPTION),
        Operation(
            "POST",
            check,
            handle.check_name,
            "Microsoft.Storage/checknameavailability/read",
            _SUBSCRIPTION,
        ),
    ]
    return [replace(each, versions=VERSIONS) for each in made]
