"""ARM's token buckets (azure-facts section 6), and Compute's own, on the simulator's clock."""

import math
from dataclasses import dataclass

from simulator.arm.messages import Budget
from simulator.errors import AzureError
from simulator.state import State

_METHOD_KIND = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_GLOBAL_FACTOR = 15  # a subscription's buckets against those of one caller in it


@dataclass(frozen=True)
class Limit:
    """A bucket's size, and how many tokens come back a second."""

    size: int
    per_second: float


ARM_LIMITS = {"reads": Limit(250, 25), "writes": Limit(200, 10), "deletes": Limit(200, 10)}

#: Sizes as recorded; only the two for updates have a published refill that matters here.
COMPUTE_LIMITS = {
    "UpdateVMSubscriptionMaximum": Limit(1500, 25),
    "UpdateVMResource": Limit(12, 4 / 60),
    "DeleteVMSubscriptionMaximum": Limit(1500, 25),
    "DeleteVMResource": Limit(12, 4 / 60),
    "LowCostGetSubscriptionMaximum": Limit(24000, 400),
    "LowCostGetResource": Limit(36, 12 / 60),
    "HighCostGetSubscriptionMaximum": Limit(900, 15),
    "GetVMScaleSetSubscriptionMaximum": Limit(2400, 40),
    "GetVMScaleSetResource": Limit(36, 12 / 60),
    "VMScaleSetActionsSubscriptionMaximum": Limit(1500, 25),
    "VMScaleSetActionsResource": Limit(12, 4 / 60),
    "VMScaleSetBatchedVMRequestsSubscriptionMaximum": Limit(6001, 100),
    "VmssQueuedVMOperations": Limit(1, 1),  # how many wait, not how many are left
    "GetOperationSubscriptionMaximum": Limit(15000, 250),
    "GetOperationResource": Limit(45, 45 / 60),
}


@dataclass
class _Bucket:
    tokens: float
    at: float


class Throttle:
    """Takes a token from each bucket a request counts in.

    With `Behaviour.throttling` off nothing is refused and the headers show a bucket barely touched,
    so that a client which heeds them never slows down under a clock that stands still.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def arm(
        self, method: str, subscription: str | None, caller: str, budget: Budget = Budget.METHOD
    ) -> dict[str, str]:
        """The quota headers. Raises AzureError 429 `SubscriptionRequestsThrottled`.

        That `Budget.RESOURCE` counts as a write all the same is an assumption; its own size is
        recorded, not how it is refilled, so it never runs out here.
        """
        if subscription is None:
            return {}
        kind = "reads" if budget is Budget.READ else _METHOD_KIND.get(method, "writes")
        limit = ARM_LIMITS[kind]
        whole = Limit(limit.size * _GLOBAL_FACTOR, limit.per_second * _GLOBAL_FACTOR)
        try:
            shared = self._take((subscription, kind), whole)
            own = self._take((subscription, kind, caller), limit)
        except _Empty as empty:
            raise _throttled(kind, subscription, caller, empty.seconds) from None
        prefix = "x-ms-ratelimit-remaining-subscription"
        if budget is Budget.RESOURCE:
            return {f"{prefix}-resource-requests": "499"}
        headers = {f"{prefix}-global-{kind}": str(shared), f"{prefix}-{kind}": str(own)}
        if budget is Budget.WINDOWS:
            requests = f"{prefix}-resource-requests"
            headers |= {f"{requests}-pt5m": "1499", f"{requests}-pt1h": "14999"}
        return headers

    def compute(self, names: tuple[str, ...], subscription: str, path: str) -> dict[str, str]:
        """Compute's quota header. Raises AzureError 429 `OperationNotAllowed`."""
        shown = []
        for name in names:
            holder = path.lower() if name.endswith("Resource") else subscription
            try:
                left = self._take((name, holder), COMPUTE_LIMITS[name])
            except _Empty as empty:
                raise _compute_throttled(name, empty.seconds) from None
            shown.append(f"Microsoft.Compute/{name};{left}")
        return {"x-ms-ratelimit-remaining-resource": ",".join(shown)} if shown else {}

    def _take(self, key: tuple[str, ...], limit: Limit) -> int:
        if not self._state.behaviour.throttling:
            return limit.size - 1
        now = self._state.clock.now()
        bucket = self._buckets.setdefault(key, _Bucket(limit.size, now))
        refilled = bucket.tokens + (now - bucket.at) * limit.per_second
        bucket.tokens, bucket.at = min(limit.size, refilled), now
        if bucket.tokens < 1:
            raise _Empty(max(1, math.ceil((1 - bucket.tokens) / limit.per_second)))
        bucket.tokens -= 1
        return int(bucket.tokens)


class _Empty(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(f"empty for {seconds} s")
        self.seconds = seconds


def _throttled(kind: str, subscription: str, caller: str, seconds: int) -> AzureError:
    return AzureError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of '{kind.removesuffix('s')}' requests for subscription '{subscription}' actor "
        f"'{caller}' exceeded. Please try again after '{seconds}' seconds.",
        {"retry-after": str(seconds)},
    )


def _compute_throttled(name: str, seconds: int) -> AzureError:
    return AzureError(
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this "
        "subscription.",
        {"retry-after": str(seconds)},
        [{"code": "TooManyRequests", "target": name, "message": f'{{"operationGroup":"{name}"}}'}],
    )
