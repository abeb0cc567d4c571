"""Management locks and what they refuse.

A lock holds at its scope and below. `CanNotDelete` refuses deletions, `ReadOnly` writes and actions
(POST) too; creating a role assignment is a write, deleting one a deletion (Microsoft's "Lock your
resources", and azure-docs issue 110791). What has a locked thing inside cannot be deleted either.
"""

from dataclasses import dataclass, replace

from simulator.authorization.access import Access
from simulator.errors import AzureError, gateway_error
from simulator.resource_ids import normalise

TYPE = "Microsoft.Authorization/locks"
LEVELS = ("CanNotDelete", "ReadOnly")
_MOST_NOTES = 512
_WRITES = ("PUT", "PATCH", "POST")


@dataclass(frozen=True)
class Lock:
    """`level` is one of `LEVELS`."""

    scope: str
    name: str
    level: str
    notes: str | None = None

    @property
    def id(self) -> str:
        """Its resource id."""
        return f"{self.scope.rstrip('/')}/providers/{TYPE}/{self.name}"


class Locks:
    """All locks of the tenant."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._locks: dict[str, Lock] = {}

    def put(
        self, scope: str, name: str, level: str = "CanNotDelete", notes: str | None = None
    ) -> tuple[Lock, bool]:
        """Create or change. Returns the lock and whether it is new. Raises AzureError 400."""
        known = {each.lower(): each for each in LEVELS}
        if level.lower() not in known:
            raise _invalid(f"The lock level '{level}' is not one of {', '.join(LEVELS)}.")
        if notes is not None and len(notes) > _MOST_NOTES:
            raise _invalid(f"The notes of a lock have at most {_MOST_NOTES} characters.")
        lock = Lock(normalise(scope), name, known[level.lower()], notes)
        existing = self._locks.get(lock.id.lower())
        if existing is not None:
            lock = replace(existing, level=lock.level, notes=notes)
        self._locks[lock.id.lower()] = lock
        return lock, existing is None

    def get(self, scope: str, name: str) -> Lock:
        """The one of this name at exactly this scope. Raises AzureError 404 `LockNotFound`."""
        found = self._locks.get(_key(scope, name))
        if found is None:
            raise gateway_error(404, "LockNotFound", f"The lock '{name}' could not be found.")
        return found

    def delete(self, scope: str, name: str) -> Lock | None:
        """Remove it. None where there is none."""
        return self._locks.pop(_key(scope, name), None)

    def list_at(self, scope: str, *, at_scope: bool) -> list[Lock]:
        """At or above `scope` and, unless `at_scope`, below."""
        covers = self._access.covers
        return [
            lock
            for lock in self._locks.values()
            if covers(lock.scope, scope) or (not at_scope and covers(scope, lock.scope))
        ]

    def check(self, method: str, path: str) -> None:
        """Refuse a request that a lock forbids: AzureError 409 `ScopeLocked` (text quoted in
        hashicorp/terraform-provider-azurerm issue 11770 and others)."""
        if not self._locks or f"/{TYPE}".lower() in path.lower():
            return
        if method == "DELETE":
            found = self.list_at(path, at_scope=False)
            self._refuse(path, "delete", found)
        elif method in _WRITES:
            found = [each for each in self.list_at(path, at_scope=True) if each.level == "ReadOnly"]
            self._refuse(path, "write", found)

    def _refuse(self, path: str, operation: str, locks: list[Lock]) -> None:
        if locks:
            scopes = ",".join(dict.fromkeys(lock.scope for lock in locks))
            raise gateway_error(
                409,
                "ScopeLocked",
                f"The scope '{path}' cannot perform {operation} operation because following "
                f"scope(s) are locked: '{scopes}'. Please remove the lock and try again.",
            )


def _key(scope: str, name: str) -> str:
    return Lock(normalise(scope), name, "").id.lower()


def _invalid(message: str) -> AzureError:
    return gateway_error(400, "InvalidLockDefinition", message)
