"""The resource types that Lanyard knows, and how Azure treats the identity of each. Adding a type
is adding a row. Nothing of the SDKs is needed here: the policy's checks read the same table.

Sources: azure-facts sections 4 and 10, and the REST reference of each service.
"""

from dataclasses import dataclass
from enum import StrEnum

from lanyard.values.resource_id import folded


class Verb(StrEnum):
    """How a type takes a change of its identity."""

    PATCH = "PATCH"
    PUT = "PUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeType:
    """One resource type, and how it takes identities."""

    #: As Azure documents it: "Microsoft.Compute/virtualMachines".
    name: str
    #: For reads and writes; "" where there is nothing to read.
    api_version: str = ""
    #: How its identity is written; None where Lanyard only reports it.
    verb: Verb | None = None
    #: A write keeps the identities that it does not name, so the change alone is sent; where that
    #: is not certain the full set is sent, which ends the same either way.
    merges: bool = False
    #: Between the words of the combined identity type.
    separator: str = ", "
    #: Whether it can have a system-assigned identity.
    system_assigned: bool = True
    #: Whether it can have user-assigned identities.
    user_assigned: bool = True
    #: Whether it can have both kinds at once.
    combined: bool = True
    #: How many it holds, None for no limit that matters; where it is 1, adding replaces.
    most_user_assigned: int | None = None
    #: It cannot be without an identity.
    required: bool = False
    #: A write honours If-Match.
    has_etag: bool = False
    #: An identity write restarts the app.
    restarts: bool = False
    #: Code in it asks IMDS, whose default identity changes when a second one comes.
    imds: bool = False
    #: The words that its `kind` may hold, lower case, as far as they are documented.
    kinds: tuple[str, ...] = ()
    #: Its instances run a copy of its model.
    instances: bool = False
    #: Paths below `properties` that a PUT leaves out ("[]": each element of a list).
    read_only: tuple[str, ...] = ()
    #: What a person reads where the type cannot take what was asked of it.
    reason: str = ""

    @property
    def attachable(self) -> bool:
        """Whether Lanyard writes its identity."""
        return self.verb is not None

    @property
    def nested(self) -> bool:
        """Whether a resource of it lies in another resource."""
        return self.name.count("/") > 1

    @property
    def replaces(self) -> bool:
        """Whether adding an identity takes the place of the one that is there."""
        return self.most_user_assigned == 1


def _without_identity(name: str, plural: str) -> ComputeType:
    return ComputeType(
        name=name,
        system_assigned=False,
        user_assigned=False,
        combined=False,
        reason=f"{plural} have no managed identity in Azure; "
        "attach it to the compute that uses them",
    )


# The words of App Service's own list (Azure/app-service-linux-docs, kind_property.md), and of Logic
# Apps Standard and function apps on Container Apps. A client may write any other.
_SITE_KINDS = (
    "app",
    "functionapp",
    "workflowapp",
    "api",
    "linux",
    "windows",
    "container",
    "hyperv",
    "kubernetes",
    "azurecontainerapps",
)

_ATTACHED = (
    ComputeType(
        name="Microsoft.Compute/virtualMachines",
        api_version="2024-11-01",
        verb=Verb.PATCH,
        merges=True,
        has_etag=True,
        imds=True,
    ),
    ComputeType(
        name="Microsoft.Compute/virtualMachineScaleSets",
        api_version="2024-11-01",
        verb=Verb.PATCH,
        merges=True,
        has_etag=True,
        imds=True,
        instances=True,
    ),
    ComputeType(
        name="Microsoft.Web/sites",
        api_version="2025-05-01",
        verb=Verb.PATCH,
        restarts=True,
        kinds=_SITE_KINDS,
    ),
    ComputeType(
        name="Microsoft.Web/sites/slots",
        api_version="2025-05-01",
        verb=Verb.PATCH,
        restarts=True,
        kinds=_SITE_KINDS,
    ),
    ComputeType(
        name="Microsoft.App/containerApps",
        api_version="2025-07-01",
        verb=Verb.PATCH,
        separator=",",
        kinds=("functionapp", "workflowapp"),  # ContainerAppKind of the REST reference
    ),
    ComputeType(
        name="Microsoft.App/jobs",
        api_version="2025-07-01",
        verb=Verb.PATCH,
        separator=",",
    ),
    ComputeType(
        name="Microsoft.Batch/batchAccounts/pools",
        api_version="2025-06-01",
        verb=Verb.PATCH,
        system_assigned=False,
        combined=False,
        has_etag=True,
        reason="a Batch pool takes user-assigned identities only, and only nodes that start "
        "later get them",
    ),
    ComputeType(
        name="Microsoft.Automation/automationAccounts",
        api_version="2024-10-23",
        verb=Verb.PATCH,
    ),
    ComputeType(
        name="Microsoft.ContainerService/managedClusters",
        api_version="2026-08-01",
        verb=Verb.PUT,
        combined=False,
        most_user_assigned=1,
        required=True,
        has_etag=True,
        read_only=(
            "provisioningState",
            "powerState",
            "maxAgentPools",
            "currentKubernetesVersion",
            "fqdn",
            "privateFQDN",
            "azurePortalFQDN",
            "resourceUID",
            "agentPoolProfiles[].eTag",
            "agentPoolProfiles[].provisioningState",
            "agentPoolProfiles[].currentOrchestratorVersion",
            "agentPoolProfiles[].nodeImageVersion",
        ),
        reason="an AKS cluster has one identity for its control plane, so attaching one replaces "
        "it and detaching it is not possible; give pods theirs by workload identity",
    ),
)

_REPORTED = (
    ComputeType(
        name="Microsoft.ContainerInstance/containerGroups",
        api_version="2023-05-01",
        reason="a container group takes an identity only with its whole definition, and Azure does "
        "not give back the secure values in it; name the identity where the group is created",
    ),
    ComputeType(
        name="Microsoft.HybridCompute/machines",
        api_version="2025-01-13",
        user_assigned=False,
        combined=False,
        reason="an Arc machine has the system-assigned identity that its agent made; grant to that",
    ),
    ComputeType(
        name="Microsoft.Logic/workflows",
        api_version="2019-05-01",
        combined=False,
        most_user_assigned=1,
        reason="a consumption Logic App has either its system-assigned identity or one "
        "user-assigned one, so attaching would replace it; Logic Apps Standard "
        "(Microsoft.Web/sites) take several",
    ),
    ComputeType(
        name="Microsoft.Batch/batchAccounts",
        api_version="2025-06-01",
        combined=False,
        reason="a Batch account's identity reads its own keys and takes one kind at a time; nodes "
        "use the identities of their pool (Microsoft.Batch/batchAccounts/pools)",
    ),
    ComputeType(
        name="Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        api_version="2024-11-01",
        reason="an instance has the identities of its scale set; attach them to "
        "Microsoft.Compute/virtualMachineScaleSets",
    ),
)

_NONE = (
    _without_identity("Microsoft.Network/loadBalancers", "load balancers"),
    _without_identity("Microsoft.Network/networkInterfaces", "network interfaces"),
    _without_identity("Microsoft.Network/virtualNetworks", "virtual networks"),
    _without_identity("Microsoft.Network/publicIPAddresses", "public IP addresses"),
    _without_identity("Microsoft.Network/networkSecurityGroups", "network security groups"),
    _without_identity("Microsoft.Compute/disks", "disks"),
    _without_identity("Microsoft.Compute/availabilitySets", "availability sets"),
)

#: Every known type by its name in lower case.
COMPUTE_TYPES = {folded(row.name): row for row in (*_ATTACHED, *_REPORTED, *_NONE)}

#: User-assigned managed identities (lower case).
IDENTITY_TYPE = "microsoft.managedidentity/userassignedidentities"

#: Types (lower case) whose events can matter, whatever the policy says: compute that can be read,
#: and user-assigned identities.
WATCHED_TYPES = frozenset(
    [
        *(name for name, row in COMPUTE_TYPES.items() if row.api_version),
        IDENTITY_TYPE,
    ]
)


def compute_type(name: str) -> ComputeType | None:
    """The row of a type, in any case; None for one that is not known at all."""
    return COMPUTE_TYPES.get(folded(name))
