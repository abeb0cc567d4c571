"""HTTP face of Microsoft.Batch: accounts come and go by `location`, pools answer at once."""

from simulator.arm.long_running import provider_link
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.batch.models import BatchAccounts, Pools
from simulator.operations import LongRunning
from simulator.state import Resource
from simulator.tracked.errors import operation_not_found
from simulator.tracked.routes import SUBSCRIPTION, Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2021-01-01", "2021-06-01", "2022-01-01", "2022-06-01", "2022-10-01", "2023-05-01"),
    *("2023-11-01", "2024-02-01", "2024-07-01", "2025-06-01"),
)
_ACCOUNTS = Style("Microsoft.Batch", location=frozenset({"PUT", "DELETE"}), results_below=True)
_POOLS = Style(
    "Microsoft.Batch",
    location=frozenset({"DELETE"}),
    results="poolOperationResults",
    created=200,
)
_NAMESPACE = "Microsoft.Batch"
#: Where the deletion of an account is followed: its creation is followed below itself (recorded).
_DELETIONS = "accountOperationResults"
_GUID = 36  # characters: an account's name has no fixed number of them


class _Accounts(Handlers):
    """A deletion cannot be followed below what it deletes."""

    def links(
        self, request: ArmRequest, resource: Resource, work: LongRunning | None
    ) -> dict[str, str]:
        if work is None or request.method != "DELETE":
            return super().links(request, resource, work)
        link = provider_link(request, _NAMESPACE, resource.location, _DELETIONS, work)
        return {"location": link.replace(work.id, f"{resource.name}-{work.id}", 1)}

    def deletion(self, request: ArmRequest) -> ArmResponse:
        """202 while it goes on, then 200 without a body (recorded)."""
        work = self.resources.operations.get(request.params["id"][-_GUID:])
        if work is None:
            raise operation_not_found(request.params["id"])
        if work.status == "InProgress":
            return ArmResponse(202, None, {"location": request.url})
        return ArmResponse(200)


def operations(accounts: BatchAccounts, pools: Pools) -> list[Operation]:
    """All operations on accounts and pools; nodes belong to the data plane."""
    handle_accounts, handle_pools = _Accounts(accounts, _ACCOUNTS), Handlers(pools, _POOLS)
    place = f"{SUBSCRIPTION}/providers/{_NAMESPACE}/locations/{{location}}"
    read = f"{_NAMESPACE}/locations/{_DELETIONS}/read"
    return [
        *tracked_operations(handle_accounts, VERSIONS),
        *tracked_operations(handle_pools, VERSIONS, names=("name", "pool")),
        *polls(handle_accounts),
        *polls(handle_pools),
        Operation("GET", f"{place}/{_DELETIONS}/{{id}}", handle_accounts.deletion, read, poll=True),
    ]
