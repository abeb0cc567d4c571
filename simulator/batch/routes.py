"""HTTP face of Microsoft.Batch: accounts come and go by `location`, pools answer at once."""

from simulator.arm.messages import Operation
from simulator.batch.models import BatchAccounts, Pools
from simulator.tracked.routes import Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = (
    *("2021-01-01", "2021-06-01", "2022-01-01", "2022-06-01", "2022-10-01", "2023-05-01"),
    *("2023-11-01", "2024-02-01", "2024-07-01", "2025-06-01"),
)
_ACCOUNTS = Style(
    "Microsoft.Batch", location=frozenset({"PUT", "DELETE"}), results="accountOperationResults"
)
_POOLS = Style(
    "Microsoft.Batch",
    location=frozenset({"DELETE"}),
    results="poolOperationResults",
    created=200,
)


def operations(accounts: BatchAccounts, pools: Pools) -> list[Operation]:
    """All operations on accounts and pools; nodes belong to the data plane."""
    return [
        *tracked_operations(Handlers(accounts, _ACCOUNTS), VERSIONS),
        *tracked_operations(Handlers(pools, _POOLS), VERSIONS, names=("name", "pool")),
        *polls(_ACCOUNTS, accounts, VERSIONS),
        *polls(_POOLS, pools, VERSIONS),
    ]
