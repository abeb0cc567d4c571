"""AKS clusters and container groups: made by `az resource create`, used by their own commands."""

import json

from az_check.command import GUID, Command

_IDENTITIES = "$groups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_CLUSTER, _GROUP = (f"--resource-group rg-shop --name {each}" for each in ("aks-shop", "ci-shop"))


def _create(name: str, kind: str, body: object, query: str) -> str:
    return (
        f"resource create --resource-group rg-shop --name {name} --resource-type {kind} "
        f"--is-full-object --properties '{json.dumps(body)}' --query '{query}'"
    )


_OWN = {
    "location": "westeurope",
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "dnsPrefix": "shop",
        "agentPoolProfiles": [{"name": "pool", "count": 1, "mode": "System"}],
    },
}
_RUN = {
    "location": "westeurope",
    "identity": {
        "type": "UserAssigned",
        "userAssignedIdentities": {f"{_IDENTITIES}/id-shop": {}},
    },
    "properties": {
        "osType": "Linux",
        "containers": [
            {
                "name": "one",
                "properties": {
                    "image": "alpine",
                    "resources": {"requests": {"cpu": 1, "memoryInGB": 1}},
                },
            }
        ],
    },
}

COMMANDS = (
    Command(
        _create(
            "aks-shop",
            "Microsoft.ContainerService/managedClusters",
            _OWN,
            "[identity.type, properties.provisioningState]",
        ),
        gives=["SystemAssigned", "Succeeded"],
    ),
    Command("aks list --query '[].name'", gives=["aks-shop"]),
    Command(
        f"aks show {_CLUSTER} "
        "--query '[nodeResourceGroup, identityProfile.kubeletidentity.objectId]'",
        gives=["MC_rg-shop_aks-shop_westeurope", GUID],
    ),
    Command(
        "aks show --resource-group rg-shop --name aks-none", error="ResourceNotFound", exit_code=3
    ),
    Command(f"aks delete {_CLUSTER} --yes"),
    Command("group exists --name MC_rg-shop_aks-shop_westeurope", gives=False),
    Command(
        _create("ci-shop", "Microsoft.ContainerInstance/containerGroups", _RUN, "identity.type"),
        gives="UserAssigned",
    ),
    Command(
        f"container show {_GROUP} --query 'identity.userAssignedIdentities.*.principalId'",
        gives=["$shop"],
    ),
    Command("container list --query '[].name'", gives=["ci-shop"]),
    Command(f"container delete {_GROUP} --yes --query name", gives="ci-shop"),
    Command(
        "container show --resource-group rg-shop --name ci-none",
        error="ResourceNotFound",
        exit_code=3,
    ),
)
