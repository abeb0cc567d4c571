"""Roles by which their holder can get more than they give, and where the policy allows them. Pure.

*Privileged* is what can hand out rights, and what may write everything in a subscription: it is
held unless the policy names it. (What is only *powerful*: powerful.py.) Both go by what a role's
definition allows in effect, whatever its name is.

Operations: Azure's resource provider operations (learn.microsoft.com, role-based access control).
"""

from lanyard.policy.document import Privileged
from lanyard.policy.patterns import within_one_of
from lanyard.values.permissions import RoleDefinition, fits_pattern, resource_type_of
from lanyard.values.resource_id import folded, is_within, type_of
from lanyard.values.roles import role_id

#: What hands out rights.
HANDS_OUT = (
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleDefinitions/write",
    "Microsoft.Authorization/roleAssignmentScheduleRequests/write",
    "Microsoft.Authorization/roleAssignmentSchedules/write",
    "Microsoft.Authorization/roleEligibilityScheduleRequests/write",
    "Microsoft.Authorization/roleEligibilitySchedules/write",
    "Microsoft.Authorization/roleManagementPolicies/write",
    "Microsoft.Authorization/roleManagementPolicyAssignments/write",
    "Microsoft.Authorization/denyAssignments/delete",
    "Microsoft.Authorization/elevateAccess/action",
    "Microsoft.Authorization/classicAdministrators/write",
)
#: Types of Kubernetes clusters.
KUBERNETES = (
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.ContainerService/fleets",
    "Microsoft.Kubernetes/connectedClusters",
)
#: Data actions that hand out rights within a cluster.
HANDS_OUT_DATA = tuple(
    f"{cluster}/rbac.authorization.k8s.io/{bindings}/write"
    for cluster in KUBERNETES
    for bindings in ("rolebindings", "clusterrolebindings")
)
# Its resources lie at every scope.
_AUTHORIZATION = "microsoft.authorization/"
# Of providers that have nothing to do with each other: who may write all of these may write
# whatever there is.
_ANY_TYPE = (
    "microsoft.apimanagement/service",
    "microsoft.batch/batchaccounts",
    "microsoft.compute/virtualmachines",
    "microsoft.databricks/workspaces",
    "microsoft.eventhub/namespaces",
    "microsoft.hdinsight/clusters",
    "microsoft.keyvault/vaults",
    "microsoft.logic/workflows",
    "microsoft.network/virtualnetworks",
    "microsoft.purview/accounts",
    "microsoft.sql/servers",
    "microsoft.web/sites",
)
# A provider that nobody takes out by its name.
_SOME_TYPE = "microsoft.0/0"


def privilege(role: RoleDefinition, scope: str) -> str:
    """The operation that makes a role privileged at a scope (id); "" where none does."""
    handed_out = hands_out(role, scope)
    if handed_out or _within_a_group(scope):
        return handed_out
    return writes_everything(role)


def hands_out(role: RoleDefinition, scope: str) -> str:
    """An operation by which the role hands out rights at a scope or below; "" for none."""
    found = [
        *(operation for operation in HANDS_OUT if role.allows(operation)),
        *(operation for operation in HANDS_OUT_DATA if role.allows_data(operation)),
    ]
    return next((operation for operation in found if counts_at(operation, scope)), "")


def writes_everything(role: RoleDefinition) -> str:
    """The pattern by which a role may write whatever there is ("*", "*/write"), the first one where
    it takes several; "" for a role that may not. What is taken out for single providers changes
    nothing.
    """
    patterns = [pattern for permission in role.permissions for pattern in permission.actions]
    writes = [f"{type_}/write" for type_ in _ANY_TYPE]
    named = [next((p for p in patterns if fits_pattern(w, p)), "") for w in writes]
    types = (*_ANY_TYPE, _SOME_TYPE)
    left = (f"{type_}/{verb}" for type_ in types for verb in ("write", "0/action"))
    return named[0] if all(named) and any(map(role.allows, left)) else ""


def counts_at(operation: str, scope: str) -> bool:
    """Whether a resource of the operation's type can lie at or below a scope (id)."""
    type_, at = resource_type_of(operation), folded(type_of(scope))
    if not at or f"{type_}/".startswith(_AUTHORIZATION):
        return True
    cluster, within_cluster, _ = type_.partition("/rbac.authorization.k8s.io/")
    if within_cluster and is_within(at, cluster):  # a namespace, which has bindings of its own
        return True
    return is_within(type_, at)


def is_allowed(role: str, scope: str, privileged: Privileged) -> bool:
    """Whether the policy names this role (GUID) for this scope."""
    return any(
        role_id(entry.role) == role and within_one_of(scope, entry.scopes)
        for entry in privileged.allow
    )


def _within_a_group(scope: str) -> bool:
    return "/resourcegroups/" in folded(scope)
