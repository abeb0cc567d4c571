"""Roles by which their holder can act as others, or take everything that is there. Pure.

They hand out no rights (that is privileged.py), and what they give is often just what is wanted: so
they are named in a warning of `validate` and `plan`, and given all the same. Lists of operations:
Azure's resource provider operations (learn.microsoft.com, role-based access control).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lanyard.policy.privileged import KUBERNETES, counts_at, writes_everything
from lanyard.values.permissions import RoleDefinition

_MACHINES = "Microsoft.Compute/virtualMachines"
_SETS = "Microsoft.Compute/virtualMachineScaleSets"
_ARC = "Microsoft.HybridCompute/machines"
_ACTS_AS_IDENTITIES = (
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
)
# Whoever runs code on a machine, or signs in to it, gets the tokens of its identities there.
_RUNS_CODE = (
    f"{_MACHINES}/runCommand/action",
    f"{_MACHINES}/runCommands/write",
    f"{_MACHINES}/extensions/write",
    f"{_SETS}/write",
    f"{_SETS}/extensions/write",
    f"{_SETS}/virtualMachines/runCommand/action",
    f"{_SETS}/virtualMachines/runCommands/write",
    f"{_SETS}/virtualMachines/extensions/write",
    f"{_ARC}/runCommands/write",
    f"{_ARC}/extensions/write",
    "Microsoft.ContainerService/managedClusters/runCommand/action",
    "Microsoft.HDInsight/clusters/executeScriptActions/action",
    "Microsoft.Batch/batchAccounts/pools/write",
    "Microsoft.ContainerInstance/containerGroups/write",
    "Microsoft.ContainerInstance/containerGroups/containers/exec/action",
    "Microsoft.Resources/deploymentScripts/write",
)
_SIGNS_IN = tuple(
    f"{machines}/{way}/action"
    for machines in (_MACHINES, _ARC, "Microsoft.ConnectedVMwarevSphere/virtualmachines")
    for way in ("login", "loginAsAdmin", "WACLoginAsAdmin")
)
_WRITES_APPS = (
    *(
        f"Microsoft.Web/sites/{slot}{operation}"
        for slot in ("", "slots/")
        for operation in (
            "write",
            "config/write",
            "config/list/action",
            "publish/action",
            "publishxml/action",
            "functions/write",
            "extensions/write",
            "sourcecontrols/write",
        )
    ),
    "Microsoft.App/containerApps/write",
    "Microsoft.App/jobs/write",
    "Microsoft.Automation/automationAccounts/runbooks/write",
    "Microsoft.DataFactory/factories/pipelines/write",
    "Microsoft.Logic/workflows/write",
)
_LISTS_KEYS = (
    "Microsoft.ApiManagement/service/listSecrets/action",
    "Microsoft.AppConfiguration/configurationStores/ListKeys/action",
    "Microsoft.Automation/automationAccounts/listKeys/action",
    "Microsoft.Batch/batchAccounts/listKeys/action",
    "Microsoft.Cache/redis/listKeys/action",
    "Microsoft.Cache/redisEnterprise/databases/listKeys/action",
    "Microsoft.ClassicStorage/storageAccounts/listKeys/action",
    "Microsoft.CognitiveServices/accounts/listKeys/action",
    "Microsoft.Communication/CommunicationServices/ListKeys/action",
    "Microsoft.ContainerRegistry/registries/generateCredentials/action",
    "Microsoft.ContainerRegistry/registries/listCredentials/action",
    "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
    "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
    "Microsoft.DataFactory/factories/integrationruntimes/listauthkeys/action",
    "Microsoft.Devices/iotHubs/listkeys/Action",
    "Microsoft.Devices/provisioningServices/listkeys/Action",
    "Microsoft.DocumentDB/databaseAccounts/listConnectionStrings/action",
    "Microsoft.DocumentDB/databaseAccounts/listKeys/action",
    "Microsoft.DocumentDB/databaseAccounts/readonlyKeys/action",
    "Microsoft.EventGrid/domains/listKeys/action",
    "Microsoft.EventGrid/namespaces/listKeys/action",
    "Microsoft.EventGrid/topics/listKeys/action",
    "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
    "Microsoft.EventHub/namespaces/eventhubs/authorizationRules/listkeys/action",
    "Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action",
    "Microsoft.Kubernetes/connectedClusters/listClusterUserCredentials/action",
    "Microsoft.Logic/workflows/listCallbackUrl/action",
    "Microsoft.MachineLearningServices/workspaces/connections/listsecrets/action",
    "Microsoft.MachineLearningServices/workspaces/listKeys/action",
    "Microsoft.Maps/accounts/listKeys/action",
    "Microsoft.NotificationHubs/namespaces/authorizationRules/listkeys/action",
    "Microsoft.NotificationHubs/namespaces/notificationHubs/authorizationRules/listkeys/action",
    "Microsoft.OperationalInsights/workspaces/listKeys/action",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    "Microsoft.Relay/namespaces/authorizationRules/listkeys/action",
    "Microsoft.Search/searchServices/listAdminKeys/action",
    "Microsoft.ServiceBus/namespaces/authorizationRules/listkeys/action",
    "Microsoft.ServiceBus/namespaces/queues/authorizationRules/listkeys/action",
    "Microsoft.ServiceBus/namespaces/topics/authorizationRules/listkeys/action",
    "Microsoft.SignalRService/SignalR/listkeys/action",
    "Microsoft.SignalRService/WebPubSub/listkeys/action",
    "Microsoft.Storage/storageAccounts/listAccountSas/action",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Web/sites/functions/listkeys/action",
    "Microsoft.Web/sites/functions/listSecrets/action",
    "Microsoft.Web/sites/host/listkeys/action",
    "Microsoft.Web/sites/slots/functions/listkeys/action",
    "Microsoft.Web/sites/slots/host/listkeys/action",
)
_LETS_ITSELF_IN = (
    "Microsoft.KeyVault/vaults/accessPolicies/write",
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.Cache/redis/accessPolicyAssignments/write",
    "Microsoft.DBforMySQL/flexibleServers/administrators/write",
    "Microsoft.DBforPostgreSQL/flexibleServers/administrators/write",
    "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments/write",
    "Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions/write",
    "Microsoft.Kusto/clusters/databases/principalAssignments/write",
    "Microsoft.Kusto/clusters/principalAssignments/write",
    "Microsoft.Sql/servers/administrators/write",
)
# Whoever is another user of a cluster, or widens a role of it, has what that one has.
_IMPERSONATES = tuple(
    f"{cluster}/{operation}"
    for cluster in KUBERNETES
    for operation in (
        "users/impersonate/action",
        "groups/impersonate/action",
        "serviceaccounts/impersonate/action",
        "rbac.authorization.k8s.io/roles/escalate/action",
        "rbac.authorization.k8s.io/clusterroles/escalate/action",
    )
)
_EXECUTES = (
    "Microsoft.App/containerApps/exec/action",
    "Microsoft.App/jobs/exec/action",
)
# What lists keys of a service that is not named above, where a role names it itself.
_SOME_KEYS = re.compile(r".*/list\w*(keys?|secrets|credentials?|connectionstrings)/action", re.I)
_CODE = "run code as what it runs on"
_CAN = (
    ("act as managed identities", _ACTS_AS_IDENTITIES),
    (_CODE, _RUNS_CODE),
    ("write the code of apps", _WRITES_APPS),
    ("list keys", _LISTS_KEYS),
    ("let itself in to what is stored", _LETS_ITSELF_IN),
)
_CAN_DATA = (
    ("sign in to machines", _SIGNS_IN),
    (_CODE, _EXECUTES),
    ("act as others in a cluster", _IMPERSONATES),
)


@dataclass(frozen=True, slots=True)
class Power:
    """What a role can do beyond what it seems to give, and the operation that makes it so."""

    can: str
    operation: str

    def __str__(self) -> str:
        return f"can {self.can} ({self.operation})"


def power(role: RoleDefinition, scope: str) -> Power | None:
    """What makes a role powerful at a scope (id); None where nothing does."""
    if (pattern := writes_everything(role)) and counts_at("microsoft.0/0/write", scope):
        return Power("write everything", pattern)
    return next((found for found in _powers(role) if counts_at(found.operation, scope)), None)


def _powers(role: RoleDefinition) -> Iterator[Power]:
    for can, operations in _CAN:
        yield from (Power(can, each) for each in operations if role.allows(each))
    for can, operations in _CAN_DATA:
        yield from (Power(can, each) for each in operations if role.allows_data(each))
    for permission in role.permissions:
        for each in filter(_lists_keys, permission.actions):
            if permission.allows(each):
                yield Power("list keys", each)


def _lists_keys(operation: str) -> bool:
    return "*" not in operation and _SOME_KEYS.fullmatch(operation) is not None
