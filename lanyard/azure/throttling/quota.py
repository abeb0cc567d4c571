"""Which of Azure's token buckets a request counts in, and how many tokens are left. Pure.

Sources: "Understand how Azure Resource Manager throttles requests", "Troubleshooting API
throttling errors" of Compute, "Guidance for throttled requests in Azure Resource Graph".
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from lanyard.azure.throttling.begun import Begun
from lanyard.azure.throttling.bucket import Bucket, Limit
from lanyard.values.resource_id import folded

#: Of one caller in one subscription.
ARM_LIMITS = {"reads": Limit(250, 25), "writes": Limit(200, 10), "deletes": Limit(200, 10)}
#: Of one caller, over all subscriptions: 15 in 5 seconds, in windows; a part of it is at hand.
GRAPH_LIMIT = Limit(10, 2)
#: Compute's own, for writes of machines: of a subscription and region, and of each machine.
COMPUTE_LIMITS = {
    "UpdateVMSubscriptionMaximum": Limit(1500, 25),
    "UpdateVMResource": Limit(12, 4 / 60),
}
#: How many buckets are kept at most before those that are full again are forgotten.
_MANY = 2000
_LOW = 0.5
_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
# Answers show what is left of these; some services count writes by themselves and show only that.
_PROBES = {"reads": 4, "writes": 4, "deletes": 4}
_ARM_CODE = "SubscriptionRequestsThrottled"
#: What an answer with 429 says where the bucket was empty; Compute's are named as they are.
_NAMED_AS = {
    "reads": _ARM_CODE,
    "writes": _ARM_CODE,
    "deletes": _ARM_CODE,
    "queries": "RateLimiting",
}
# "… operation 'PUT/…/MEDIASERVICES/' exceeded the backend storage limit …": that one's alone
# (recorded), of which nothing is known but when it may go on.
_NAMES_OPERATION = "operation '"
_OPERATION = "operation"
_UNKNOWN_LIMIT = Limit(1000, 1000)
_GRAPH_PATH = "/providers/microsoft.resourcegraph/resources"
_ARM_HEADER = "x-ms-ratelimit-remaining-subscription-"
_GRAPH_HEADER = "x-ms-user-quota-remaining"
_COMPUTE_HEADER = "x-ms-ratelimit-remaining-resource"

type Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admission:
    """What a request took from each bucket. `wait`: seconds before it may be sent; `operation`: the
    bucket of all that do the same to resources of its type in its subscription.
    """

    wait: float
    taken: Mapping[Key, int]
    operation: Key


@dataclass(frozen=True, slots=True)
class TooLong:
    """Not to be sent now: come back after `delay` seconds. `bucket` says whose tokens are gone."""

    delay: float
    bucket: Key


@dataclass(slots=True)
class Quota:
    """All buckets of one identity. `reserve`: the share (0 to 1) that is left to others.

    `patience`, in the calls: the seconds that a request may wait for a token.
    """

    reserve: float
    _buckets: dict[Key, Bucket] = field(default_factory=dict)
    #: Of writes, by their kind and subscription.
    _begun: defaultdict[Key, Begun] = field(default_factory=lambda: defaultdict(Begun))

    def admit(self, method: str, url: str, now: float, patience: float) -> Admission | TooLong:
        """Take a token from every bucket that the request counts in, or say when to come back."""
        self._forget_full(now)
        if (refused := self._refused(method, url, now, patience)) is not None:
            return refused
        self.end(method, url)
        buckets = {key: self._bucket(key, now) for key in self._keys(method, url)}
        wait = max((bucket.wait(now) for bucket in buckets.values()), default=0.0)
        taken = {key: bucket.take() for key, bucket in buckets.items()}
        return Admission(wait, taken, _operation(method, url))

    def renew(
        self, admission: Admission, method: str, url: str, now: float, patience: float
    ) -> Admission | TooLong:
        """After its wait: it may be sent, or begins again where Azure has closed a bucket since."""
        if not any(self._bucket(key, now).is_closed(now) for key in self._keys(method, url)):
            return replace(admission, wait=0.0)
        for key in admission.taken:
            self._bucket(key, now).give_back(now)
        return self.admit(method, url, now, patience)

    def begin(self, method: str, url: str, now: float, patience: float) -> TooLong | None:
        """Work that may end in this request begins; None where nothing speaks against it. It is
        admitted behind what was begun before, and ahead of what begins until it is sent or ended.
        """
        if (refused := self._refused(method, url, now, patience)) is not None:
            return refused
        if (key := _kind_of(method, url)) is None:
            return None
        bucket, begun = self._bucket(key, now), self._begun[key]
        if (wait := bucket.wait_behind(begun.ahead(now), now)) > patience:
            return TooLong(bucket.turn_away(wait, now), key)
        begun.add(_path(url), now)
        return None

    def end(self, method: str, url: str) -> None:
        """The request is on its way, or does not come."""
        if (key := _kind_of(method, url)) is not None:
            self._begun[key].end(_path(url))

    def _refused(self, method: str, url: str, now: float, patience: float) -> TooLong | None:
        waits = {key: self._bucket(key, now).wait(now) for key in self._keys(method, url)}
        slowest = max(waits, key=waits.__getitem__, default=None)
        if slowest is None or waits[slowest] <= patience:
            return None
        return TooLong(self._buckets[slowest].turn_away(waits[slowest], now), slowest)

    def is_low(self, method: str, url: str, now: float) -> bool:
        """Whether less than half is left of a bucket that such a request counts in."""
        buckets = [self._bucket(key, now) for key in _keys(method, url)]
        return any(bucket.level(now) < _LOW for bucket in buckets)

    def heed(self, admission: Admission, headers: Mapping[str, str], now: float) -> None:
        """Correct the buckets by the answer's headers."""
        for key, taken in admission.taken.items():
            remaining = _remaining(key, headers)
            if remaining is not None:
                self._bucket(key, now).heed(remaining, taken, now)

    def refuse(self, admission: Admission, text: str, seconds: float, now: float) -> None:
        """The answer was 429 with this text: close the bucket that it names for `seconds`.

        One that names an operation is about that one alone, whatever its code. Where it names none
        of these, a service within the subscription refused, and the rest of the subscription's
        calls go on.
        """
        if _NAMES_OPERATION in text.lower():
            self._bucket(admission.operation, now).close(now, seconds)
            return
        for key in admission.taken:
            if _NAMED_AS.get(key[0], key[0]) in text:
                self._bucket(key, now).close(now, seconds)

    def _keys(self, method: str, url: str) -> tuple[Key, ...]:
        """An operation counts in none of its own before Azure named it."""
        operation = _operation(method, url)
        return (*_keys(method, url), *([operation] if operation in self._buckets else []))

    def _bucket(self, key: Key, now: float) -> Bucket:
        if key not in self._buckets:
            limit, probes = _limit(key)
            self._buckets[key] = Bucket(
                limit, reserve=limit.size * self.reserve, at=now, probes=probes
            )
        return self._buckets[key]

    def _forget_full(self, now: float) -> None:
        if len(self._buckets) >= _MANY:
            full = [key for key, bucket in self._buckets.items() if bucket.full(now)]
            for key in full:
                del self._buckets[key]


def _keys(method: str, url: str) -> tuple[Key, ...]:
    path = _path(url)
    if path.endswith(_GRAPH_PATH):
        return (("queries", "Resource Graph"),)
    parts = path.split("/")
    if "subscriptions" not in parts[:-1]:
        return ()
    subscription = parts[parts.index("subscriptions") + 1]
    kind = _KINDS.get(method.upper(), "writes")
    keys: tuple[Key, ...] = ((kind, subscription),)
    if kind == "writes" and _is_machine(parts):
        keys += tuple((name, _holder(name, subscription, path)) for name in COMPUTE_LIMITS)
    return keys


def _kind_of(method: str, url: str) -> Key | None:
    """The first of the buckets: the subscription's."""
    return next(iter(_keys(method, url)), None)


def _path(url: str) -> str:
    return folded(urlsplit(url).path).rstrip("/")


def _operation(method: str, url: str) -> Key:
    """What ARM names an operation by: the method, and the path without names; here with the
    subscription, of which the limit is.
    """
    parts = folded(urlsplit(url).path).strip("/").split("/")
    subscription = parts[1] if parts[0] == "subscriptions" and len(parts) > 1 else ""
    scope, _, provided = "/".join(parts).rpartition("/providers/")
    namespace, *types = provided.split("/")
    kinds = [*scope.split("/")[::2], namespace, *types[::2]]
    return (_OPERATION, subscription, method.upper(), "/".join(kinds))


def _is_machine(parts: list[str]) -> bool:
    return parts[-3:-1] == ["microsoft.compute", "virtualmachines"]


def _holder(name: str, subscription: str, path: str) -> str:
    return path if name.endswith("Resource") else subscription


def _limit(key: Key) -> tuple[Limit, int | None]:
    kind = key[0]
    if kind == "queries":
        return GRAPH_LIMIT, None
    if kind == _OPERATION:
        return _UNKNOWN_LIMIT, None
    return {**ARM_LIMITS, **COMPUTE_LIMITS}[kind], _PROBES.get(kind)


def _remaining(key: Key, headers: Mapping[str, str]) -> float | None:
    """What an answer shows to be left in a bucket, if anything."""
    kind = key[0]
    if kind in COMPUTE_LIMITS:
        buckets = headers.get(_COMPUTE_HEADER, "")
        named = (entry.strip().rpartition("/")[2].partition(";") for entry in buckets.split(","))
        return next((_count(left) for name, _, left in named if name == kind), None)
    return _count(headers.get(_GRAPH_HEADER if kind == "queries" else _ARM_HEADER + kind))


def _count(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None
