"""The record of management requests: what tests count."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class Call:
    """One request, refused ones included. `caller` is the object id, None without a good token.

    `status` is None while it runs and when the connection was dropped. `at` is the clock's time.
    """

    method: str
    path: str
    query: Mapping[str, str]
    caller: str | None
    correlation_id: str
    at: float
    status: int | None = None
