"""Scale sets: the set carries the identities; manual instances follow when they are upgraded."""

import json

from az_check.command import GUID, Command

_TYPE = "Microsoft.Compute/virtualMachineScaleSets"
_IDENTITIES = "$groups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_NAMED = "--resource-group rg-shop --name set-shop"
_BODY = {
    "location": "westeurope",
    "sku": {"name": "Standard_B1s", "capacity": 2},
    "properties": {"orchestrationMode": "Uniform", "upgradePolicy": {"mode": "Manual"}},
}
_LATEST = f"vmss list-instances {_NAMED} --query '[].latestModelApplied'"

COMMANDS = (
    Command(
        f"resource create {_NAMED} --resource-type {_TYPE} --is-full-object "
        f"--properties '{json.dumps(_BODY)}' --query sku.capacity",
        gives=2,
    ),
    Command("vmss list --resource-group rg-shop --query '[].name'", gives=["set-shop"]),
    Command(
        f"vmss identity assign {_NAMED} --identities id-shop "
        "--query 'userAssignedIdentities.*.principalId'",
        gives=["$shop"],
    ),
    Command(_LATEST, gives=[False, False]),
    Command(f"vmss update-instances {_NAMED} --instance-ids '*'"),
    Command(_LATEST, gives=[True, True]),
    Command(
        f"vmss identity assign {_NAMED} --identities [system] --query systemAssignedIdentity",
        gives=GUID,
    ),
    Command(
        f"vmss identity show {_NAMED} --query '[type, tenantId]'",
        gives=["SystemAssigned, UserAssigned", "$tenant"],
    ),
    Command(
        f"vmss identity remove {_NAMED} --identities {_IDENTITIES}/id-shop --query type",
        gives="SystemAssigned",
    ),
    Command(f"vmss identity remove {_NAMED}"),
    Command(
        f"vmss identity assign {_NAMED} --identities {_IDENTITIES}/id-none",
        error="(FailedIdentityOperation)",
        exit_code=1,
    ),
    Command(
        "vmss identity show --resource-group rg-shop --name set-none",
        error="(ResourceNotFound)",
        exit_code=3,
    ),
    Command(f"vmss delete {_NAMED}"),
)
