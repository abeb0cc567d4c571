"""Virtual machines. `az vm create` would need networks, so `az resource create` makes them."""

import json

from az_check.command import GUID, Command, Text

VERSION = "2024-11-01"
TYPE = "Microsoft.Compute/virtualMachines"
_MACHINE = f"$groups/rg-shop/providers/{TYPE}/vm-shop"
_IDENTITIES = "$groups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_BODY = {
    "location": "westeurope",
    "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}},
}
_NAMED = "--resource-group rg-shop --name vm-shop"


def create(name: str, query: str, *, wait: bool = True) -> str:
    """The line that makes a machine in rg-shop; without `wait` it ends when ARM has accepted."""
    if not wait:
        url = f"$groups/rg-shop/providers/{TYPE}/{name}?api-version={VERSION}"
        return f"rest --method put --url '{url}' --body '{json.dumps(_BODY)}' --query '{query}'"
    return (
        f"resource create --resource-group rg-shop --name {name} --resource-type {TYPE} "
        f"--is-full-object --properties '{json.dumps(_BODY)}' --query '{query}'"
    )


def _patch(identity: object) -> str:
    url = f"{_MACHINE}?api-version={VERSION}"
    body = json.dumps({"identity": identity})
    return f"rest --method patch --url '{url}' --body '{body}'"


_ATTACHING = (
    Command(create("vm-shop", "properties.provisioningState"), gives="Succeeded"),
    Command(f"vm show {_NAMED} --query '[location, identity]'", gives=["westeurope", None]),
    Command(_patch({"type": "UserAssigned"}), error="MissingIdentityIds", exit_code=1),
    Command(
        f"vm identity assign {_NAMED} --identities id-shop "
        "--query 'userAssignedIdentities.*.principalId'",
        gives=["$shop"],
    ),
    Command(
        f"vm identity assign {_NAMED} --identities {_IDENTITIES}/id-extra "
        "--query 'sort(userAssignedIdentities.*.principalId) | length(@)'",
        gives=2,
    ),
    Command(
        f"vm identity assign {_NAMED} --identities [system] --role Reader "
        "--scope $groups/rg-other --query systemAssignedIdentity",
        gives=GUID,
        keep="machine",
    ),
    Command(
        f"vm identity show {_NAMED} --query '[type, principalId]'",
        gives=["SystemAssigned, UserAssigned", "$machine"],
    ),
    Command(
        "role assignment list --assignee $machine --all --query '[].[roleDefinitionName, scope]'",
        gives=[["Reader", "$groups/rg-other"]],
    ),
    Command(
        "identity list-resources --resource-group rg-shop --name id-extra --query '[].name'",
        gives=["vm-shop"],
    ),
)

_REFUSED = (
    Command(
        f"vm identity assign {_NAMED} --identities {_IDENTITIES}/id-none",
        error="(FailedIdentityOperation)",
        exit_code=1,
    ),
    Command(
        _patch({"type": "UserAssigned", "userAssignedIdentities": {f"{_IDENTITIES}/id-shop": 1}}),
        error="InvalidIdentityValues",
        exit_code=1,
    ),
    Command(
        "vm identity assign --resource-group rg-shop --name vm-none",
        error="(ResourceNotFound)",
        exit_code=3,
    ),
    Command(
        f"rest --method get --url '{_MACHINE}?api-version=2001-01-01'",
        error="NoRegisteredProviderFound",
        exit_code=1,
    ),
)

_DETACHING = (
    Command(
        f"vm identity remove {_NAMED} --identities id-extra --query '[type, principalId]'",
        gives=["SystemAssigned, UserAssigned", "$machine"],
    ),
    # It sends "UserAssigned" without ids, which leaves those that are there (recorded).
    Command(
        f"vm identity remove {_NAMED} --identities [system] --query '[type, principalId]'",
        gives=["UserAssigned", None],
    ),
    Command(f"vm get-instance-view {_NAMED} --query name", gives="vm-shop"),
    Command(f"vm update {_NAMED} --set tags.env=prod --query tags", gives={"env": "prod"}),
    # The system-assigned identity is gone, and Azure leaves its assignment behind.
    Command("ad sp show --id $machine", error="does not exist", exit_code=3),
    Command(
        "role assignment list --scope $groups/rg-other "
        "--query '[].[principalId, principalName, principalType]'",
        gives=[["$machine", "", "ServicePrincipal"]],
    ),
    Command(
        "role assignment list --scope $groups/rg-other --query '[0].id'",
        gives=Text("$groups/rg-other/providers/Microsoft.Authorization/roleAssignments/.+"),
        keep="left_behind",
    ),
    Command("role assignment delete --ids $left_behind"),
)

COMMANDS = (*_ATTACHING, *_REFUSED, *_DETACHING)
