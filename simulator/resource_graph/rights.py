"""Which rows a caller may see."""

from functools import cache

from simulator.authorization.access import Access
from simulator.resource_graph.rows import Row


class Rights:
    """One caller's, as of now: its roles are looked up once for all rows of a query."""

    def __init__(self, access: Access, caller: str) -> None:
        self._access = access
        self._granted = cache(lambda action: access.scopes_allowing(caller, action))
        self._whole = cache(self._covers_subscription)

    def reads(self, row: Row) -> bool:
        """Whether the caller may do the row's action at any of its scopes."""
        if row.subscription and self._whole(row.action, row.subscription):
            return True
        return any(self._covers(row.action, scope) for scope in row.scopes)

    def _covers_subscription(self, action: str, subscription: str) -> bool:
        return self._covers(action, f"/subscriptions/{subscription}")

    def _covers(self, action: str, scope: str) -> bool:
        return any(self._access.covers(outer, scope) for outer in self._granted(action))
