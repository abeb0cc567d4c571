"""Container apps and jobs. The CLI reads the whole, secrets included, and puts it back."""

import json

from az_check.command import GUID, Command

_NAMED = "--resource-group rg-shop --name ca-shop"
_JOB = "--resource-group rg-shop --name job-shop"
_BODY = {
    "location": "westeurope",
    "properties": {
        "environmentId": "$groups/rg-shop/providers/Microsoft.App/managedEnvironments/env-shop",
        "configuration": {"secrets": [{"name": "key", "value": "of-az-check"}]},
        "template": {"containers": [{"name": "main", "image": "shop:1"}]},
    },
}


def _create(named: str, kind: str) -> Command:
    return Command(
        f"resource create {named} --resource-type Microsoft.App/{kind} --is-full-object "
        f"--properties '{json.dumps(_BODY)}' --query 'properties.configuration.secrets'",
        gives=[{"name": "key"}],
    )


_APPS = (
    _create(_NAMED, "containerApps"),
    Command("containerapp list --resource-group rg-shop --query '[].name'", gives=["ca-shop"]),
    Command(
        f"containerapp identity assign {_NAMED} --user-assigned id-shop --query type",
        gives="UserAssigned",
    ),
    Command(
        f"containerapp identity show {_NAMED} --query 'userAssignedIdentities.*.principalId'",
        gives=["$shop"],
    ),
    Command(
        f"containerapp identity assign {_NAMED} --system-assigned --query '[type, principalId]'",
        gives=["SystemAssigned, UserAssigned", GUID],
    ),
    Command(
        f"containerapp secret list {_NAMED} --show-values --query '[].[name, value]'",
        gives=[["key", "of-az-check"]],
    ),
    Command(
        f"containerapp identity remove {_NAMED} --user-assigned id-shop --query type",
        gives="SystemAssigned",
    ),
    Command(f"containerapp identity remove {_NAMED} --system-assigned --query type", gives="None"),
    Command(
        "containerapp identity show --resource-group rg-shop --name ca-none",
        error="ResourceNotFound",
        exit_code=1,
    ),
    Command(f"containerapp delete {_NAMED} --yes"),
)

_JOBS = (
    _create(_JOB, "jobs"),
    Command(
        f"containerapp job identity assign {_JOB} --user-assigned id-shop --query type",
        gives="UserAssigned",
    ),
    Command(
        f"containerapp job identity show {_JOB} --query 'userAssignedIdentities.*.principalId'",
        gives=["$shop"],
    ),
    Command(
        f"containerapp job identity remove {_JOB} --user-assigned id-shop --yes --query type",
        gives="None",
    ),
    Command(f"containerapp job delete {_JOB} --yes"),
)

COMMANDS = (*_APPS, *_JOBS)
