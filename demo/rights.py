"""What Lanyard's own identity may do, and no more: the actions of its custom role."""

_TYPES = [
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/slots",
    "Microsoft.App/containerApps",
    "Microsoft.App/jobs",
    "Microsoft.Batch/batchAccounts/pools",
    "Microsoft.Automation/automationAccounts",
    "Microsoft.ContainerService/managedClusters",
]

ACTIONS = [
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    *(f"{name}/{verb}" for name in _TYPES for verb in ("read", "write")),
    "Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action",
    # A pool has no location of its own: its account tells.
    "Microsoft.Batch/batchAccounts/read",
    "Microsoft.ContainerInstance/containerGroups/read",
    "Microsoft.HybridCompute/machines/read",
    "Microsoft.Logic/workflows/read",
    # Following a long-running operation to its end.
    "Microsoft.Compute/locations/operations/read",
    "Microsoft.App/locations/containerappOperationStatuses/read",
    "Microsoft.App/locations/containerappOperationResults/read",
    "Microsoft.ContainerService/locations/operations/read",
    "Microsoft.ManagedIdentity/userAssignedIdentities/read",
    "Microsoft.ManagedIdentity/userAssignedIdentities/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
]

_RBAC = "Microsoft.Authorization/roleAssignments"


def delegation(role_ids: list[str]) -> str:
    """The condition (version 2.0) on *Role Based Access Control Administrator*: it may assign
    and remove these roles only, and to service principals only.

    Without the second clause it could remove any assignment; without the first, make any.
    """
    roles = ", ".join(role_ids)

    def clause(verb: str, source: str) -> str:
        return (
            f"((!(ActionMatches{{'{_RBAC}/{verb}'}})) OR "
            f"(@{source}[{_RBAC}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{roles}}} AND "
            f"@{source}[{_RBAC}:PrincipalType] "
            "ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))"
        )

    return f"{clause('write', 'Request')} AND {clause('delete', 'Resource')}"
