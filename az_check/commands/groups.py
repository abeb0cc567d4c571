"""Resource groups and their tags."""

from az_check.command import Command

_LOCK = "--resource-group rg-other --name keep"
COMMANDS = (
    Command(
        "group create --name rg-shop --location westeurope --tags env=prod "
        "--query '[id, location, tags, properties.provisioningState]'",
        gives=["$groups/rg-shop", "westeurope", {"env": "prod"}, "Succeeded"],
    ),
    Command("group create --name rg-other --location northeurope --query tags"),
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
    Command(
        "tag update --resource-id /subscriptions/$subscription --operation merge --tags owner=it "
        "--query properties.tags",
        gives={"owner": "it"},
    ),
    Command(
        "tag list --resource-id /subscriptions/$subscription --query properties.tags",
        gives={"owner": "it"},
    ),
    Command("tag delete --resource-id /subscriptions/$subscription --yes"),
    Command(
        f"lock create {_LOCK} --lock-type CanNotDelete --notes kept --query '[name, level, notes]'",
        gives=["keep", "CanNotDelete", "kept"],
    ),
    Command("lock list --resource-group rg-other --query '[].name'", gives=["keep"]),
    Command("group delete --name rg-other --yes", error="ScopeLocked", exit_code=1),
    Command(f"lock update {_LOCK} --lock-type ReadOnly --query level", gives="ReadOnly"),
    Command("group update --name rg-other --set tags.a=b", error="ScopeLocked", exit_code=1),
    Command(f"lock delete {_LOCK}"),
    Command("group show --name rg-none", error="(ResourceGroupNotFound)", exit_code=3),
)
