"""Resource groups and their tags."""

from az_check.command import Command

COMMANDS = (
    Command(
        "group create --name rg-shop --location westeurope --tags env=prod "
        "--query '[id, location, tags, properties.provisioningState]'",
        gives=["$groups/rg-shop", "westeurope", {"env": "prod"}, "Succeeded"],
    ),
    Command("group create --name rg-other --location northeurope --query tags", gives={}),
    Command("group exists --name rg-shop", gives=True),
    Command("group exists --name rg-none", gives=False),
    Command("group show --name RG-SHOP --query name", gives="rg-shop"),
    Command(
        "group update --name rg-shop --set tags.team=blue --query tags",
        gives={"env": "prod", "team": "blue"},
    ),
    Command("group list --tag team=blue --query '[].name'", gives=["rg-shop"]),
    Command(
        "tag update --resource-id $groups/rg-shop --operation delete --tags team=blue "
        "--query properties.tags",
        gives={"env": "prod"},
    ),
    Command("group show --name rg-none", error="(ResourceGroupNotFound)", exit_code=3),
)
