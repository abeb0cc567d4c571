"""HTTP face of Microsoft.Storage: a create is accepted with 202 and `location` (recorded)."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Budget, Operation
from simulator.operations import LongRunning
from simulator.state import Json, Resource
from simulator.storage.models import StorageAccounts
from simulator.tracked.routes import SUBSCRIPTION, Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2016-01-01", "2018-07-01", "2019-06-01", "2021-01-01", "2021-02-01", "2021-04-01"),
    *("2021-06-01", "2021-08-01", "2021-09-01", "2022-05-01", "2022-09-01", "2023-01-01"),
    *("2023-04-01", "2023-05-01", "2024-01-01", "2025-01-01", "2025-06-01", "2025-08-01"),
)
_STYLE = Style("Microsoft.Storage", location=frozenset({"PUT"}), results="asyncoperations")


@dataclass(frozen=True)
class _Handlers(Handlers):
    accounts: StorageAccounts

    def check_name(self, request: ArmRequest) -> ArmResponse:
        refusal = self.accounts.refusal_of_name(str(request.json().get("name") or ""))
        if refusal is None:
            return ArmResponse(200, {"nameAvailable": True})
        reason = "AlreadyExists" if refusal.status == 409 else refusal.code
        body = {"nameAvailable": False, "reason": reason, "message": refusal.message}
        return ArmResponse(200, body)

    def links(
        self, request: ArmRequest, resource: Resource, work: LongRunning | None
    ) -> dict[str, str]:
        """Marked as what shows the result."""
        return {
            k: f"{link}&monitor=true" for k, link in super().links(request, resource, work).items()
        }

    def shown(self, request: ArmRequest, resource: Resource) -> Json:
        """With the address of its blob service on the server that was asked."""
        body = super().shown(request, resource)
        endpoints = {"blob": f"{request.base_url}/blob/{resource.name}/"}
        return {**body, "properties": {**body["properties"], "primaryEndpoints": endpoints}}


def operations(accounts: StorageAccounts) -> list[Operation]:
    """All operations on storage accounts."""
    handle = _Handlers(accounts, _STYLE, accounts)
    check = Operation(
        "POST",
        f"{SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability",
        handle.check_name,
        "Microsoft.Storage/checknameavailability/read",
        SUBSCRIPTION,
        versions=VERSIONS,
        budget=Budget.READ,
    )
    return [*tracked_operations(handle, VERSIONS), *polls(handle), check]
