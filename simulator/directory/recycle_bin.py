"""What was deleted from the directory and can still be seen: for 30 days.

Source: Microsoft Graph v1.0, "directory (deleted items)": list, get, restore, permanently delete.
Graph documents it for every service principal; whether those of managed identities are among them
is a switch of `DirectoryBehaviour`.
"""

from dataclasses import dataclass

from simulator.directory.errors import bad_request, not_found, not_restorable
from simulator.directory.models import TYPES, DirectoryBehaviour, is_managed, typed
from simulator.state import Json, Principal, State
from simulator.times import utc_z

RETENTION = 30 * 86400.0
_PREFIX = "microsoft.graph."


@dataclass(frozen=True)
class RecycleBin:
    """The deleted principals of the tenant."""

    state: State
    behaviour: DirectoryBehaviour

    def get(self, object_id: str) -> Json:
        """One of them. Raises AzureError 404, also for what is not deleted or gone for good."""
        return _show(self._require(object_id))

    def list_of(self, type_name: str) -> list[Json]:
        """Those of a type, such as "microsoft.graph.servicePrincipal". Raises AzureError 400."""
        kinds = {f"{_PREFIX}{name}".lower(): kind for kind, name in TYPES.items()}
        kind = kinds.get(type_name.lower())
        if kind is None:
            raise bad_request(f"The type '{type_name}' is not simulated.")
        every = self.state.principals.values()
        found = [each for each in every if each.kind == kind and self._holds(each)]
        return [_show(each) for each in self.behaviour.spoil(found)]

    def restore(self, object_id: str) -> Json:
        """Bring it back under its object id. Raises AzureError 404, 400 for managed identities."""
        found = self._require(object_id)
        if is_managed(found):
            raise not_restorable()
        found.deleted_at = None
        return typed(found)

    def purge(self, object_id: str) -> None:
        """Delete it for good. Raises AzureError 404."""
        del self.state.principals[self._require(object_id).object_id]

    def _require(self, object_id: str) -> Principal:
        found = self.state.principals.get(object_id.lower())
        if found is None or not self._holds(found):
            raise not_found(object_id)
        return found

    def _holds(self, principal: Principal) -> bool:
        """It comes in as soon as the directory lets go of it, and goes by itself."""
        if principal.deleted_at is None:
            return False
        if is_managed(principal) and not self.behaviour.recycles_managed_identities:
            return False
        age = self.state.clock.now() - principal.deleted_at
        return self.state.behaviour.directory_lag_seconds <= age < RETENTION


def _show(principal: Principal) -> Json:
    moment = utc_z(principal.deleted_at or 0.0)[:19] + "Z"
    return {**typed(principal), "deletedDateTime": moment}
