"""AKS clusters: one identity for the control plane, written by PUT alone, and one for the kubelets.

A PATCH changes tags (its operation is called UpdateTags). The kubelets' identity is the one that
the cluster was made with; else a user-assigned one in its node resource group, and both come and
go with the cluster.
"""

from dataclasses import replace

from simulator.authorization.access import Access
from simulator.container_service import errors
from simulator.errors import AzureError
from simulator.identity import IdentityRules
from simulator.managed_identity.models import UserAssignedIdentities
from simulator.operations import Operations
from simulator.resource_ids import group_id, parse
from simulator.resources import GROUP_TYPE, read_properties, remove
from simulator.state import Json, Resource, State
from simulator.tracked.kind import WRITES, Casing, Kind, Untagged
from simulator.tracked.models import TrackedResources

CLUSTERS = Kind(
    "Microsoft.ContainerService/managedClusters",
    rules=IdentityRules(combined=False, most=1, ids_later=True),
    top_level=("sku", "kind", "extendedLocation"),
    read_only=("identityProfile", "nodeResourceGroup", "powerState", "fqdn"),
    lasting=("supportPlan", "kubernetesVersion", "storageProfile"),
    slow=WRITES | {"DELETE"},
    shows_state=True,
    etag_member="eTag",
    untagged=Untagged.ABSENT,
    casing=Casing(type="Microsoft.ContainerService/ManagedClusters", group="resourcegroups"),
    patches_tags_only=True,
)
_KUBELET = "kubeletidentity"


class ManagedClusters(TrackedResources):
    """The clusters of all subscriptions."""

    def __init__(self, state: State, operations: Operations, access: Access) -> None:
        super().__init__(state, operations, access, CLUSTERS)
        self._identities = UserAssignedIdentities(state)
        state.resources.observe(self._on_change)

    def born(self, resource_id: str, body: Json) -> Json:
        """The node resource group is named once, by the request or by Azure's pattern."""
        parsed = parse(resource_id)
        name, group = (parsed.name, parsed.group) if parsed else ("", "")
        location = str(body["location"]).replace(" ", "").lower()
        sent = read_properties(body)
        return {
            "nodeResourceGroup": sent.get("nodeResourceGroup") or f"MC_{group}_{name}_{location}",
            "powerState": {"code": "Running"},
            "fqdn": f"{name}.hcp.{location}.azmk8s.io".lower(),
            **({"identityProfile": sent["identityProfile"]} if sent.get("identityProfile") else {}),
        }

    def check(self, base: Resource, body: Json, *, created: bool) -> None:  # noqa: ARG002
        """Either a managed identity or a service principal."""
        kept = base.identity or {"type": "None"}
        kind = str((body.get("identity") or kept).get("type", "None"))
        properties = {**base.properties, **read_properties(body)}
        if kind.lower() == "none" and "servicePrincipalProfile" not in properties:
            raise errors.service_principal_missing()

    def at_work(self, before: Resource, after: Resource) -> str:
        """A cluster says what it does: another version, other numbers of nodes, or the rest. One
        with a user-assigned identity, which each PUT writes anew, says nothing of it (recorded).
        """
        if (before.identity or {}).get("userAssignedIdentities"):
            return super().at_work(before, after)
        old, new = before.properties, after.properties
        version = old.get("kubernetesVersion")
        # Where it was left to Azure, whatever is named now may be what it runs.
        if version and new.get("kubernetesVersion") not in (None, "", version):
            return "Upgrading"
        scales = _sizes(new) not in ({}, _sizes(old))
        return "Scaling" if scales else super().at_work(before, after)

    def completed(self, resource: Resource) -> None:
        """The kubelets' identity shows once the cluster is there, unless it has none (recorded):
        the nodes of a cluster with a service principal use that.
        """
        if resource.identity is None:
            self._make_node_group(resource)
            return
        profile = resource.properties.get("identityProfile", {}).get(_KUBELET, {})
        if "objectId" in profile:
            return
        self._make_node_group(resource)
        kubelet = self.find(profile.get("resourceId", "")) or self._agent_pool_identity(resource)
        shown = {
            "resourceId": kubelet.id,
            "clientId": kubelet.properties["clientId"],
            "objectId": kubelet.properties["principalId"],
        }
        properties = {**resource.properties, "identityProfile": {_KUBELET: shown}}
        self.store(replace(resource, properties=properties))

    def busy_error(self, resource: Resource) -> AzureError:  # noqa: ARG002
        """In the service's own words, which name the operation that goes on."""
        return errors.in_progress("update")

    def deleting_error(self, resource: Resource) -> AzureError:  # noqa: ARG002
        """As `busy_error`; that a deletion is named so is an assumption."""
        return errors.in_progress("delete")

    def _make_node_group(self, cluster: Resource) -> None:
        subscription, group = _node_group(cluster)
        if self.find(group_id(subscription, group)) is not None:
            return
        self.store(
            Resource(
                id=group_id(subscription, group),
                type=GROUP_TYPE,
                name=group,
                location=cluster.location,
                tags={},
                properties={},
                created_at=self.state.clock.now(),
            )
        )

    def _agent_pool_identity(self, cluster: Resource) -> Resource:
        subscription, group = _node_group(cluster)
        name = f"{cluster.name}-agentpool"
        made, _ = self._identities.put(subscription, group, name, {"location": cluster.location})
        return made

    def _on_change(self, _key: str, before: Resource | None, after: Resource | None) -> None:
        """However a cluster goes, with its resource group too, its node group goes along."""
        if before is None or after is not None or before.type != CLUSTERS.type:
            return
        nodes = group_id(*_node_group(before))
        if nodes.lower() in self.state.resources:
            remove(self.state, nodes)
            self.state.deleted_groups.add(nodes.lower())


def _sizes(properties: Json) -> dict[str, object]:
    """How many nodes each agent pool is to have, by its name."""
    pools = properties.get("agentPoolProfiles")
    listed = pools if isinstance(pools, list) else []
    return {str(each.get("name")): each.get("count") for each in listed if isinstance(each, dict)}


def _node_group(cluster: Resource) -> tuple[str, str]:
    return cluster.id.split("/")[2], str(cluster.properties["nodeResourceGroup"])
