"""Built-in roles by name, so that a policy is checked without a call to Azure.

Ids are the same in every tenant and cloud; names and ids checked against the output of `az role
definition list` that Azure/oav keeps. Custom roles, and built-in ones not listed here, are given by
their GUID, and their definitions are read.
"""

from lanyard.values.permissions import Permission, RoleDefinition
from lanyard.values.resource_id import folded, is_guid

BUILT_IN_ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "App Configuration Data Owner": "5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b",
    "App Configuration Data Reader": "516239f1-63e1-4d78-a4de-a74fb236a071",
    "Application Insights Component Contributor": "ae349356-3a1b-4a5e-921d-050484c6347e",
    "Azure Digital Twins Data Reader": "d57506d4-4c8d-48b1-8587-93c323f6a5a3",
    "Azure Event Hubs Data Owner": "f526a384-b230-433a-b45c-95f59c4a2dec",
    "Azure Event Hubs Data Receiver": "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
    "Azure Event Hubs Data Sender": "2b629674-e913-4c01-ae53-ef4638d8f975",
    "Azure Maps Data Reader": "423170ca-a8f6-4b0f-8487-9e4eb8f49bfa",
    "Azure Service Bus Data Owner": "090c5cfd-751d-490a-894a-3ce6f1109419",
    "Azure Service Bus Data Receiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "Azure Service Bus Data Sender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "Backup Reader": "a795c7a0-d4a2-40c1-ae25-d81f01202912",
    "Cognitive Services User": "a97b65f3-24c7-4388-baec-2e87135dc908",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Cosmos DB Account Reader Role": "fbdf93bf-df7d-467e-a4d2-9458aa1360c8",
    "Data Factory Contributor": "673868aa-7521-48a0-acc6-0f60742d39f5",
    "DNS Zone Contributor": "befefa01-2a29-4197-83a8-272ff33ce314",
    "EventGrid Contributor": "1e241071-0855-49ea-94dc-649edcd759de",
    "EventGrid Data Sender": "d5a91429-5739-47e2-a06b-3470a27159e7",
    "EventGrid EventSubscription Contributor": "428e0ff0-5e57-4d9c-a221-2c70d0e0a443",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Certificates Officer": "a4417e6f-fecd-4de8-b567-7b0420556985",
    "Key Vault Crypto Officer": "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
    "Key Vault Reader": "21090545-7ca7-4776-b22c-e363652d74d2",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Log Analytics Contributor": "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
    "Log Analytics Reader": "73c42c96-874c-492b-b04d-ab87d138a893",
    "Logic App Contributor": "87a39d53-fc1b-424a-814c-f7e04687dc9e",
    "Managed Identity Contributor": "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Monitoring Contributor": "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Private DNS Zone Contributor": "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    "Search Index Data Contributor": "8ebe5a00-799e-43f5-93ac-243d3dce84a7",
    "Search Index Data Reader": "1407120a-92aa-4202-b7e9-c0e197c71c8f",
    "Search Service Contributor": "7ca78c08-252a-4471-8644-bb5ff32d4ba0",
    "SignalR App Server": "420fcaa2-552c-430f-98ca-3264be4806c7",
    "SignalR REST API Reader": "ddde6b66-c0df-4114-a159-3618637b3035",
    "SQL DB Contributor": "9b7fa17d-e63e-47b0-bb0a-15c516ac86ec",
    "Storage Account Contributor": "17d1049b-9a84-46fb-8f53-869881c3d3ab",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Blob Delegator": "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
    "Storage File Data SMB Share Contributor": "0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb",
    "Storage File Data SMB Share Reader": "aba4ae5f-2193-4029-9191-0cb91df5e314",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Processor": "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Storage Queue Data Reader": "19e7f393-937e-4f77-808e-94535e297925",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Storage Table Data Reader": "76199698-9eea-4c19-bc75-cec21354c6b6",
    "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "Virtual Machine Contributor": "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
    "Virtual Machine User Login": "fb879df8-f326-4884-b1cf-06f3ad86be52",
    "Web Plan Contributor": "2cc479cb-7b4d-49a8-b449-8c00fd0f0a4b",
    "Website Contributor": "de139f84-1756-47ae-9be6-808fbbe84772",
}

# What of the listed roles' permissions makes them privileged or powerful (policy/privileged.py,
# policy/powerful.py): of the others nothing does.
_DECISIVE = {
    "Azure Event Hubs Data Owner": Permission(("Microsoft.EventHub/*",)),
    "Azure Service Bus Data Owner": Permission(("Microsoft.ServiceBus/*",)),
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
    "EventGrid Contributor": Permission(("Microsoft.EventGrid/*",)),
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
    "Virtual Machine User Login": Permission(
        data_actions=(
            "Microsoft.Compute/virtualMachines/login/action",
            "Microsoft.HybridCompute/machines/login/action",
        )
    ),
    "Website Contributor": Permission(("Microsoft.Web/sites/*",)),
}
_LISTED = {
    guid: RoleDefinition(guid, name, (_DECISIVE[name],) if name in _DECISIVE else ())
    for name, guid in BUILT_IN_ROLES.items()
}
_BY_FOLDED_NAME = {folded(name): guid for name, guid in BUILT_IN_ROLES.items()}


def role_id(name_or_id: str) -> str | None:
    """The lower-case GUID of a role given by name (any case) or GUID; None for an unknown one."""
    if is_guid(name_or_id):
        return folded(name_or_id)
    return _BY_FOLDED_NAME.get(folded(name_or_id))


def role_name(guid: str) -> str:
    """The built-in role's name, or the GUID itself where it is not a listed one."""
    listed = listed_role(guid)
    return guid if listed is None else listed.name


def listed_role(guid: str) -> RoleDefinition | None:
    """One of the listed built-in roles, without a call to Azure, with what decides whether it is
    privileged or powerful; None for any other.
    """
    return _LISTED.get(folded(guid))
