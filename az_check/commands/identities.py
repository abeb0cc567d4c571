"""User-assigned identities, and their service principals in the directory."""

from az_check.command import GUID, Command

COMMANDS = (
    Command(
        "identity create --resource-group rg-shop --name id-shop --location westeurope "
        "--query principalId",
        gives=GUID,
        keep="shop",
    ),
    Command(
        "identity create --resource-group rg-shop --name id-extra --location westeurope "
        "--tags team=blue --query '[name, tags, tenantId]'",
        gives=["id-extra", {"team": "blue"}, "$tenant"],
    ),
    Command(
        "identity show --resource-group rg-shop --name id-shop --query '[name, principalId]'",
        gives=["id-shop", "$shop"],
    ),
    Command(
        "identity show --resource-group rg-shop --name id-shop --query clientId",
        gives=GUID,
        keep="shop_client",
    ),
    Command(
        "identity show --resource-group rg-shop --name id-extra --query principalId",
        gives=GUID,
        keep="extra",
    ),
    Command(
        "identity update --resource-group rg-shop --name id-shop --tags team=red --query tags",
        gives={"team": "red"},
    ),
    Command(
        "identity list --resource-group rg-shop --query 'sort([].name)'",
        gives=["id-extra", "id-shop"],
    ),
    Command(
        "ad sp show --id $shop_client --query '[id, displayName, servicePrincipalType]'",
        gives=["$shop", "id-shop", "ManagedIdentity"],
    ),
    Command(
        "ad sp list --display-name id- --query 'sort([].displayName)'",
        gives=["id-extra", "id-shop"],
    ),
    Command(
        "identity show --resource-group rg-shop --name id-none",
        error="(ResourceNotFound)",
        exit_code=3,
    ),
    Command(
        "identity create --resource-group rg-none --name id-shop --location westeurope",
        error="(ResourceGroupNotFound)",
        exit_code=3,
    ),
    Command(
        "ad sp show --id 00000000-0000-0000-0000-000000000001",
        error="does not exist or one of its queried reference-property objects are not present",
        exit_code=3,
    ),
)
