"""Web apps and function apps."""

from az_check.command import GUID, Command

_IDENTITIES = "$groups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_NAMED = "--resource-group rg-shop --name app-shop"
_TYPE = "--resource-type Microsoft.Web/sites"

COMMANDS = (
    Command(
        f"resource create {_NAMED} {_TYPE} --location westeurope --properties '{{}}' --query kind",
        gives="app",
    ),
    Command(
        f"webapp identity assign {_NAMED} --identities {_IDENTITIES}/id-shop "
        "--query '[type, userAssignedIdentities.*.principalId]'",
        gives=["UserAssigned", ["$shop"]],
    ),
    Command(
        f"webapp identity assign {_NAMED} --identities [system] --query type",
        gives="SystemAssigned, UserAssigned",
    ),
    Command(
        f"webapp identity show {_NAMED} --query '[principalId, tenantId]'", gives=[GUID, "$tenant"]
    ),
    Command(
        f"webapp identity remove {_NAMED} --identities {_IDENTITIES}/id-shop --query type",
        gives="SystemAssigned",
    ),
    Command(f"webapp identity remove {_NAMED}"),
    Command(
        "webapp identity show --resource-group rg-shop --name app-none",
        error="(ResourceNotFound)",
        exit_code=3,
    ),
    Command(f"webapp delete {_NAMED} --keep-empty-plan"),
)
