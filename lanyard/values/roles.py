"""Built-in roles by name, so that a policy is checked without a call to Azure, and what the common
ones and the privileged ones allow. What all others allow is read from their definitions; custom
roles, and built-in ones that are newer than the table, are given by their GUID.
"""

from lanyard.values.built_in_roles import BUILT_IN_ROLES
from lanyard.values.permissions import Permission, RoleDefinition
from lanyard.values.resource_id import folded, is_guid

#: Of whose permissions nothing makes them privileged or powerful (policy/privileged.py,
#: policy/powerful.py).
_HARMLESS = (
    "AcrPull",
    "AcrPush",
    "App Configuration Data Owner",
    "App Configuration Data Reader",
    "Application Insights Component Contributor",
    "Azure Digital Twins Data Reader",
    "Azure Event Hubs Data Receiver",
    "Azure Event Hubs Data Sender",
    "Azure Maps Data Reader",
    "Azure Service Bus Data Receiver",
    "Azure Service Bus Data Sender",
    "Backup Reader",
    "DNS Zone Contributor",
    "EventGrid Data Sender",
    "EventGrid EventSubscription Contributor",
    "Key Vault Administrator",
    "Key Vault Certificates Officer",
    "Key Vault Crypto Officer",
    "Key Vault Crypto Service Encryption User",
    "Key Vault Crypto User",
    "Key Vault Reader",
    "Key Vault Secrets Officer",
    "Key Vault Secrets User",
    "Log Analytics Reader",
    "Monitoring Metrics Publisher",
    "Monitoring Reader",
    "Network Contributor",
    "Private DNS Zone Contributor",
    "Reader",
    "Search Index Data Contributor",
    "Search Index Data Reader",
    "SignalR App Server",
    "SignalR REST API Reader",
    "SQL DB Contributor",
    "Storage Blob Data Contributor",
    "Storage Blob Data Owner",
    "Storage Blob Data Reader",
    "Storage Blob Delegator",
    "Storage File Data SMB Share Contributor",
    "Storage File Data SMB Share Reader",
    "Storage Queue Data Contributor",
    "Storage Queue Data Message Processor",
    "Storage Queue Data Message Sender",
    "Storage Queue Data Reader",
    "Storage Table Data Contributor",
    "Storage Table Data Reader",
    "Web Plan Contributor",
)

# What of these roles' permissions makes them privileged or powerful.
_DECISIVE = {
    "Azure Arc Kubernetes Admin": Permission(
        data_actions=(
            "Microsoft.Kubernetes/connectedClusters/rbac.authorization.k8s.io/rolebindings/write",
            "Microsoft.Kubernetes/connectedClusters/serviceaccounts/impersonate/action",
        )
    ),
    "Azure Arc Kubernetes Cluster Admin": Permission(
        data_actions=("Microsoft.Kubernetes/connectedClusters/*",)
    ),
    "Azure Container Storage Contributor": Permission(
        ("Microsoft.Authorization/roleAssignments/write",)
    ),
    "Azure Container Storage Owner": Permission(("Microsoft.Authorization/roleAssignments/write",)),
    "Azure Event Hubs Data Owner": Permission(("Microsoft.EventHub/*",)),
    "Azure Kubernetes Fleet Manager RBAC Admin": Permission(
        data_actions=(
            "Microsoft.ContainerService/fleets/rbac.authorization.k8s.io/rolebindings/write",
            "Microsoft.ContainerService/fleets/serviceaccounts/impersonate/action",
        )
    ),
    "Azure Kubernetes Fleet Manager RBAC Cluster Admin": Permission(
        data_actions=("Microsoft.ContainerService/fleets/*",)
    ),
    "Azure Kubernetes Service RBAC Admin": Permission(
        data_actions=("Microsoft.ContainerService/managedClusters/*",)
    ),
    "Azure Kubernetes Service RBAC Cluster Admin": Permission(
        data_actions=("Microsoft.ContainerService/managedClusters/*",)
    ),
    "Azure Service Bus Data Owner": Permission(("Microsoft.ServiceBus/*",)),
    "Azure Sphere Owner": Permission(("Microsoft.Authorization/roleAssignments/write",)),
    "Azure Stack HCI Administrator": Permission(
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.HybridCompute/machines/runCommands/write",
        )
    ),
    "Cognitive Services User": Permission(
        ("Microsoft.CognitiveServices/accounts/listkeys/action",)
    ),
    "Contributor": Permission(
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    "Cosmos DB Account Reader Role": Permission(
        ("Microsoft.DocumentDB/databaseAccounts/readonlykeys/action",)
    ),
    "Data Factory Contributor": Permission(("Microsoft.DataFactory/factories/*",)),
    "Defender CSPM Storage Scanner Operator": Permission(
        ("Microsoft.Authorization/roleAssignments/write",)
    ),
    "Defender for Storage Scanner Operator": Permission(
        ("Microsoft.Authorization/roleAssignments/write",)
    ),
    "EventGrid Contributor": Permission(("Microsoft.EventGrid/*",)),
    "Key Vault Data Access Administrator": Permission(
        ("Microsoft.Authorization/roleAssignments/write",)
    ),
    "Log Analytics Contributor": Permission(
        (
            "Microsoft.ClassicStorage/storageAccounts/listKeys/action",
            "Microsoft.Compute/virtualMachines/extensions/*",
            "Microsoft.HybridCompute/machines/extensions/write",
            "Microsoft.OperationalInsights/*",
            "Microsoft.Storage/storageAccounts/listKeys/action",
        )
    ),
    "Logic App Contributor": Permission(
        (
            "Microsoft.ClassicStorage/storageAccounts/listKeys/action",
            "Microsoft.Logic/*",
            "Microsoft.Storage/storageAccounts/listkeys/action",
            "Microsoft.Web/sites/functions/listSecrets/action",
        )
    ),
    "Managed Identity Contributor": Permission(
        ("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",)
    ),
    "Managed Identity Operator": Permission(
        ("Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",)
    ),
    "Monitoring Contributor": Permission(
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/action",)
    ),
    "Owner": Permission(("*",)),
    "Role Based Access Control Administrator": Permission(
        ("Microsoft.Authorization/roleAssignments/write",)
    ),
    "Search Service Contributor": Permission(("Microsoft.Search/searchServices/*",)),
    "Storage Account Contributor": Permission(("Microsoft.Storage/storageAccounts/*",)),
    "User Access Administrator": Permission(("Microsoft.Authorization/*",)),
    "Virtual Machine Contributor": Permission(
        (
            "Microsoft.Compute/virtualMachines/*",
            "Microsoft.Compute/virtualMachineScaleSets/*",
            "Microsoft.Storage/storageAccounts/listKeys/action",
        )
    ),
    "Virtual Machine Data Access Administrator (preview)": Permission(
        ("Microsoft.Authorization/roleAssignments/write",)
    ),
    "Virtual Machine User Login": Permission(
        data_actions=(
            "Microsoft.Compute/virtualMachines/login/action",
            "Microsoft.HybridCompute/machines/login/action",
        )
    ),
    "Website Contributor": Permission(("Microsoft.Web/sites/*",)),
}
_LISTED = {
    BUILT_IN_ROLES[name]: RoleDefinition(BUILT_IN_ROLES[name], name, permissions)
    for name, permissions in (
        *((name, ()) for name in _HARMLESS),
        *((name, (permission,)) for name, permission in _DECISIVE.items()),
    )
}
_NAMES = {guid: name for name, guid in BUILT_IN_ROLES.items()}
_BY_FOLDED_NAME = {folded(name): guid for name, guid in BUILT_IN_ROLES.items()}


def role_id(name_or_id: str) -> str | None:
    """The lower-case GUID of a role given by name (any case) or GUID; None for an unknown one."""
    if is_guid(name_or_id):
        return folded(name_or_id)
    return _BY_FOLDED_NAME.get(folded(name_or_id))


def role_name(guid: str) -> str:
    """The built-in role's name, or the GUID itself where it is no built-in one."""
    return _NAMES.get(folded(guid), guid)


def listed_role(guid: str) -> RoleDefinition | None:
    """One of the listed built-in roles, without a call to Azure, with what decides whether it is
    privileged or powerful; None for any other.
    """
    return _LISTED.get(folded(guid))
