"""`listAssociatedResources`: what has an identity attached, in every subscription of the tenant.

It is backed by Resource Graph and lags as that does, and shows what the caller may not read
(entra-docs, how to view associated resources).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator.managed_identity import errors
from simulator.resource_graph.past import Past
from simulator.resource_ids import parse
from simulator.resources import require
from simulator.state import Json, Resource, State

#: Seconds between two requests of a tenant.
_SPACING = 1.0


@dataclass
class AssociatedResources:
    """Of all identities of the tenant."""

    state: State
    _resources: Past[Resource] = field(init=False)
    _asked_at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._resources = Past(self.state, self.state.resources)

    def of(self, identity_id: str) -> list[Json]:
        """One row a resource, not what has the identity from its set or pool, sorted by id.

        Raises AzureError 404 without that identity, and 429 where `Behaviour.throttling` is on.
        """
        require(self.state, identity_id)
        self._take()
        return [self._row(each) for each in sorted(self._having(identity_id), key=lambda r: r.id)]

    def _take(self) -> None:
        now = self.state.clock.now()
        if self.state.behaviour.throttling and now - self._asked_at < _SPACING:
            raise errors.too_many_requests()
        self._asked_at = now

    def _having(self, identity_id: str) -> Iterator[Resource]:
        for resource in self._resources.values():
            if resource.graph_table in ("computeresources", ""):
                continue
            attached = (resource.identity or {}).get("userAssignedIdentities") or {}
            if any(each.lower() == identity_id.lower() for each in attached):
                yield resource

    def _row(self, resource: Resource) -> Json:
        parsed = parse(resource.id)
        subscription = parsed.subscription if parsed else ""
        known = self.state.subscriptions.get(subscription.lower())
        return {
            "id": resource.id,
            "name": resource.name,
            "type": resource.type.lower(),
            "resourceGroup": parsed.group if parsed else "",
            "subscriptionId": subscription,
            "subscriptionDisplayName": known.display_name if known else "",
        }
