"""`az resource` for any type, and Resource Graph. `az graph` is an extension, so `az rest` asks."""

import json

from az_check.command import Command

_GRAPH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"


def _query(text: str) -> str:
    body = json.dumps({"subscriptions": ["$subscription"], "query": text})
    return f"""rest --method post --url '{_GRAPH}' --body '{body}'"""


COMMANDS = (
    Command(
        "resource list --resource-group rg-shop --query 'sort([].name)'",
        gives=["id-extra", "id-shop", "vm-shop"],
    ),
    Command(
        "resource list --resource-type Microsoft.Compute/virtualMachines --query '[].name'",
        gives=["vm-shop"],
    ),
    Command("resource list --tag env=prod --query '[].name'", gives=["vm-shop"]),
    Command(
        "resource tag --resource-group rg-shop --name vm-shop "
        "--resource-type Microsoft.Compute/virtualMachines --tags team=blue --is-incremental "
        "--query tags",
        gives={"env": "prod", "team": "blue"},
    ),
    Command(
        "resource show --ids $groups/rg-shop/providers/Microsoft.Compute/virtualMachines/vm-shop "
        "--query '[name, tags.team, identity.type]'",
        gives=["vm-shop", "blue", "UserAssigned"],
    ),
    Command(
        "resource show --resource-group rg-shop --name vm-none "
        "--resource-type Microsoft.Compute/virtualMachines",
        error="(ResourceNotFound)",
        exit_code=3,
    ),
    Command(
        _query('resources | where type =~ "microsoft.compute/virtualmachines" | project name, tags')
        + " --query data",
        gives=[{"name": "vm-shop", "tags": {"env": "prod", "team": "blue"}}],
    ),
    Command(
        _query(
            'authorizationresources | where type =~ "microsoft.authorization/roleassignments" '
            '| where properties.principalId == "$operator" | project scope=properties.scope'
        )
        + " --query data",
        gives=[{"scope": "/subscriptions/$subscription"}],
    ),
    Command(
        f"rest --method post --url '{_GRAPH}' "
        """--body '{"query": "resources | project name, type"}' """
        "--query 'data[?name==`vm-shop`].type'",
        gives=["microsoft.compute/virtualmachines"],
    ),
    Command(_query("resources | wish for more"), error="InvalidQuery", exit_code=1),
)
