"""A resource of each compute type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lanyard.values.compute_types import ComputeType, compute_type
from tests.support.subscription import LOCATION


@dataclass(frozen=True)
class Example:
    """How a resource of a type is made; what it lies in must be there first."""

    type: str
    body: Mapping[str, Any]
    names: tuple[str, ...] = ("main",)

    def __str__(self) -> str:
        return self.type

    @property
    def row(self) -> ComputeType:
        row = compute_type(self.type)
        assert row is not None
        return row


def example(
    type: str,
    properties: Mapping[str, Any],
    *,
    names: tuple[str, ...] = ("main",),
    location: str | None = LOCATION,
    **more: Any,
) -> Example:
    where = {"location": location} if location else {}
    return Example(type, {**where, "properties": properties, **more}, names)


_MACHINE = {"hardwareProfile": {"vmSize": "Standard_B1s"}}
_ENVIRONMENT = (
    "/subscriptions/{}/resourceGroups/rg-app/providers/Microsoft.App/managedEnvironments/e"
)
_CONTAINERS = {"containers": [{"name": "main", "image": "registry.example/app:1"}]}
_APP = {
    "environmentId": _ENVIRONMENT,
    "configuration": {"secrets": [{"name": "key", "value": "for tests"}]},
    "template": _CONTAINERS,
}
_NODES = {
    "vmSize": "STANDARD_D2S_V3",
    "scaleSettings": {"fixedScale": {"targetDedicatedNodes": 1}},
    "deploymentConfiguration": {
        "virtualMachineConfiguration": {
            "imageReference": {"publisher": "canonical", "offer": "ubuntu", "sku": "24_04-lts"},
            "nodeAgentSkuId": "batch.node.ubuntu 24.04",
        }
    },
}
MACHINE = example("Microsoft.Compute/virtualMachines", _MACHINE)
SCALE_SET = example(
    "Microsoft.Compute/virtualMachineScaleSets",
    {
        "orchestrationMode": "Uniform",
        "upgradePolicy": {"mode": "Manual"},
        "virtualMachineProfile": {"osProfile": {"computerNamePrefix": "main"}},
    },
    sku={"name": "Standard_B1s", "capacity": 2},
)
SITE = example("Microsoft.Web/sites", {}, location="West Europe", kind="functionapp,linux")
SLOT = example(
    "Microsoft.Web/sites/slots",
    {},
    names=("main", "staging"),
    location="West Europe",
    kind="functionapp,linux",
)
CONTAINER_APP = example("Microsoft.App/containerApps", _APP)
JOB = example(
    "Microsoft.App/jobs",
    {**_APP, "configuration": {"triggerType": "Manual", "replicaTimeout": 60}},
)
BATCH_ACCOUNT = example("Microsoft.Batch/batchAccounts", {})
POOL = example(
    "Microsoft.Batch/batchAccounts/pools", _NODES, names=("main", "nodes"), location=None
)
AUTOMATION = example("Microsoft.Automation/automationAccounts", {"sku": {"name": "Basic"}})
CLUSTER = example(
    "Microsoft.ContainerService/managedClusters",
    {
        "dnsPrefix": "main",
        "agentPoolProfiles": [{"name": "system", "count": 3, "mode": "System"}],
        "apiServerAccessProfile": {"authorizedIPRanges": ["203.0.113.0/24"]},
    },
    sku={"name": "Base", "tier": "Standard"},
    tags={"env": "prod"},
)
#: Types that are read and shown, and never written.
REPORTED = [
    example(
        "Microsoft.ContainerInstance/containerGroups",
        {"osType": "Linux", "containers": [{"name": "main", "properties": {"image": "app:1"}}]},
    ),
    example("Microsoft.HybridCompute/machines", {}),
    example("Microsoft.Logic/workflows", {"definition": {}}),
    BATCH_ACCOUNT,
]
#: What a resource of a type lies in.
PARENTS = {SLOT.type: SITE, POOL.type: BATCH_ACCOUNT}
EXAMPLES = [MACHINE, SCALE_SET, SITE, SLOT, CONTAINER_APP, JOB, POOL, AUTOMATION]
