"""Batch accounts and pools. A pool's nodes keep the identities that they were created with.

The SDK's reference says more: a change reaches "only the new vms which are created after the pool
shrinks to 0", so a node that joins older ones gets what they have.
"""

from dataclasses import replace

from simulator.errors import AzureError
from simulator.identity import IdentityRules
from simulator.resources import inside
from simulator.state import Json, Resource
from simulator.tracked.kind import Kind, Untagged
from simulator.tracked.models import TrackedResources

ACCOUNTS = Kind(
    "Microsoft.Batch/batchAccounts",
    rules=IdentityRules(combined=False),
    read_only=("accountEndpoint", "poolQuota"),
    slow=frozenset({"PUT", "DELETE"}),
    shows_state=True,
    etag_header=True,
    untagged=Untagged.ABSENT,
)
POOLS = Kind(
    "Microsoft.Batch/batchAccounts/pools",
    rules=IdentityRules(system=False),
    read_only=("allocationState", "currentDedicatedNodes"),
    slow=frozenset({"DELETE"}),
    shows_state=True,
    located=False,
    etag_member="etag",
    graph_table="batchresources",
)
NODE_TYPE = f"{POOLS.type}/nodes"


class BatchAccounts(TrackedResources):
    """The Batch accounts of all subscriptions."""

    def born(self, resource_id: str, body: Json) -> Json:
        """Where its data plane would be."""
        name = resource_id.rpartition("/")[2]
        return {
            "accountEndpoint": f"{name}.{body['location']}.batch.azure.com".replace(
                " ", ""
            ).lower(),
            "poolQuota": 100,
        }

    def etag(self, resource: Resource) -> str:
        """A moment in hexadecimal (recorded)."""
        return f'"0x8D{resource.etag:013X}"'

    def show(self, resource: Resource) -> Json:
        """Batch writes `None` where other services leave the identity out."""
        return {"identity": {"type": "None"}, **super().show(resource)}


class Pools(TrackedResources):
    """The pools of all accounts."""

    def etag(self, resource: Resource) -> str:
        """Weak, as the REST reference's samples have it."""
        return f'W/"0x8D{resource.etag:013X}"'

    def nodes(self, pool_id: str) -> list[Resource]:
        """In the order of their creation. IMDS knows them by their ids."""
        return list(inside(self.state, pool_id, NODE_TYPE))

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """Steady, and still empty."""
        return {"allocationState": "Steady", "currentDedicatedNodes": 0}

    def check(self, base: Resource, body: Json, *, created: bool) -> None:
        """A change of identities needs an empty pool where the switch says so (U)."""
        needs_empty = self.state.behaviour.batch_pool_identity_needs_empty
        if needs_empty and not created and "identity" in body and self.nodes(base.id):
            raise _not_empty(base.name)

    def completed(self, resource: Resource) -> None:
        """As many nodes as the fixed scale says; automatic scaling is not simulated."""
        present = self.nodes(resource.id)
        target = _target(resource)
        for surplus in present[target:]:
            del self.state.resources[surplus.id.lower()]
        identity = present[0].identity if present[:target] else resource.identity
        for _ in range(target - len(present)):
            self._start_node(resource, identity)
        counted = {**resource.properties, "currentDedicatedNodes": target}
        self.store(replace(resource, properties=counted))

    def _start_node(self, pool: Resource, identity: Json | None) -> None:
        node = f"tvmps_{self.state.ids.uuid().replace('-', '')}_d"
        self.store(
            Resource(
                id=f"{pool.id}/nodes/{node}",
                type=NODE_TYPE,
                name=node,
                location="",
                tags={},
                properties={},
                identity=identity,
                created_at=self.state.clock.now(),
                graph_table="",
            )
        )


def _target(pool: Resource) -> int:
    """`scaleSettings.fixedScale.targetDedicatedNodes`, 0 where there is no such number."""
    found: object = pool.properties
    for name in ("scaleSettings", "fixedScale", "targetDedicatedNodes"):
        found = found.get(name) if isinstance(found, dict) else None
    return max(0, found) if isinstance(found, int) else 0


def _not_empty(name: str) -> AzureError:
    """Code and text are assumptions."""
    return AzureError(
        409,
        "Conflict",
        f"The identity of pool '{name}' can only be changed while the pool has no nodes.",
    )
