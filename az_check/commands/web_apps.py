"""Web apps, and their slots, each with identities of its own."""

from az_check.command import GUID, Command

_IDENTITIES = "$groups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_PLAN = "$groups/rg-shop/providers/Microsoft.Web/serverfarms/plan-shop"
_NAMED = "--resource-group rg-shop --name app-shop"
_BLUE = f"{_NAMED} --slot blue"

_APP = (
    Command(
        f"resource create {_NAMED} --resource-type Microsoft.Web/sites --location westeurope "
        f"""--properties '{{"serverFarmId": "{_PLAN}"}}' --query '[kind, location]'""",
        gives=["app", "westeurope"],
    ),
    Command("webapp list --resource-group rg-shop --query '[].name'", gives=["app-shop"]),
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
)

_SLOT = (
    Command(
        f"webapp deployment slot create {_BLUE} --query '[name, identity]'", gives=["blue", None]
    ),
    Command(f"webapp deployment slot list {_NAMED} --query '[].name'", gives=["blue"]),
    Command(
        f"webapp identity assign {_BLUE} --identities {_IDENTITIES}/id-extra "
        "--query 'userAssignedIdentities.*.principalId'",
        gives=["$extra"],
    ),
    Command(
        f"webapp identity show {_BLUE} --query '[type, userAssignedIdentities.*.principalId]'",
        gives=["UserAssigned", ["$extra"]],
    ),
    Command(
        f"webapp identity show {_NAMED} --query 'userAssignedIdentities.*.principalId'",
        gives=["$shop"],
    ),
    Command(f"webapp identity remove {_BLUE} --identities {_IDENTITIES}/id-extra"),
    Command(f"webapp deployment slot delete {_BLUE}"),
)

_TAKING_BACK = (
    Command(
        f"webapp identity remove {_NAMED} --identities {_IDENTITIES}/id-shop --query type",
        gives="SystemAssigned",
    ),
    Command(f"webapp identity remove {_NAMED}"),
    Command(
        f"functionapp identity assign {_NAMED} --identities {_IDENTITIES}/id-none",
        error="(FailedIdentityOperation)",
        exit_code=1,
    ),
    Command(
        "webapp identity show --resource-group rg-shop --name app-none",
        error="(ResourceNotFound)",
        exit_code=3,
    ),
    Command(f"webapp delete {_NAMED} --keep-empty-plan"),
)

COMMANDS = (*_APP, *_SLOT, *_TAKING_BACK)
