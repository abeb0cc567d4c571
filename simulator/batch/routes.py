"""HTTP face of Microsoft.Batch: accounts come and go by `location`, pools answer at once."""

from simulator.arm.messages import Operation
from simulator.batch.models import BatchAccounts, Pools
from simulator.tracked.routes import Handlers, Style, polls
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


def operations(accounts: BatchAccounts, pools: Pools) -> list[Operation]:
    """All operations on accounts and pools; nodes belong to the data plane."""
    handle_accounts, handle_pools = Handlers(accounts, _ACCOUNTS), Handlers(pools, _POOLS)
    return [
        *tracked_operations(handle_accounts, VERSIONS),
        *tracked_operations(handle_pools, VERSIONS, names=("name", "pool")),
        *polls(handle_accounts),
        *polls(handle_pools),
    ]
