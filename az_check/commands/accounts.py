"""Storage, Event Grid and Batch accounts: what a deployment of this project needs besides."""

from az_check.command import GUID, Command

_TOPIC = "--resource-group rg-shop --name topic-shop"
_NEWS = "--resource-group rg-shop --name news-shop"
_BATCH = "--resource-group rg-shop --name batchshop"

COMMANDS = (
    Command(
        "storage account create --resource-group rg-shop --name stshop --location westeurope "
        "--sku Standard_LRS --query '[name, location, sku.name, provisioningState]'",
        gives=["stshop", "westeurope", "Standard_LRS", "Succeeded"],
    ),
    Command(
        "storage account check-name --name stshop --query '[nameAvailable, reason]'",
        gives=[False, "AlreadyExists"],
    ),
    Command(
        "storage account create --resource-group rg-other --name stshop --location westeurope "
        "--sku Standard_LRS",
        error="StorageAccountAlreadyTaken",
        exit_code=1,
    ),
    Command("storage account list --query '[].name'", gives=["stshop"]),
    Command("storage account delete --resource-group rg-shop --name stshop --yes"),
    Command(
        f"eventgrid system-topic create {_TOPIC} --location global "
        "--topic-type Microsoft.Resources.ResourceGroups --source $groups/rg-shop "
        "--query '[source, provisioningState]'",
        gives=["$groups/rg-shop", "Succeeded"],
    ),
    Command(
        "eventgrid system-topic event-subscription list --resource-group rg-shop "
        "--system-topic-name topic-shop",
        gives=[],
    ),
    Command(f"eventgrid system-topic update {_TOPIC} --tags a=b --query tags", gives={"a": "b"}),
    Command(
        f"eventgrid system-topic update {_TOPIC} --identity systemassigned "
        "--query '[identity.type, provisioningState]'",
        gives=["SystemAssigned", "Succeeded"],
    ),
    Command(f"eventgrid system-topic delete {_TOPIC} --yes"),
    Command(
        f"eventgrid topic create {_NEWS} --location westeurope "
        "--query '[name, provisioningState, inputSchema]'",
        gives=["news-shop", "Succeeded", "EventGridSchema"],
    ),
    Command(f"eventgrid topic update {_NEWS} --tags a=b --query tags", gives={"a": "b"}),
    Command("eventgrid topic list --query '[].name'", gives=["news-shop"]),
    Command(f"eventgrid topic delete {_NEWS}"),
    Command(
        f"batch account create {_BATCH} --location westeurope --query '[name, identity.type]'",
        gives=["batchshop", "None"],
    ),
    Command(
        f"batch account identity assign {_BATCH} --system-assigned --query principalId", gives=GUID
    ),
    Command(f"batch account identity show {_BATCH} --query type", gives="SystemAssigned"),
    Command(f"batch account delete {_BATCH} --yes"),
)
