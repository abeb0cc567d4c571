"""Role definitions and role assignments, with every refusal that a deployment may meet."""

import json

from az_check.command import Command

_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
_DEFINITIONS = "/subscriptions/$subscription/providers/Microsoft.Authorization/roleDefinitions"
_ASSIGNMENTS = "$groups/rg-shop/providers/Microsoft.Authorization/roleAssignments"
_NAMED = "11111111-2222-4333-8444-555555555555"
_NOBODY = "00000000-0000-0000-0000-000000000001"


def _role(*actions: str) -> str:
    definition = {
        "Name": "Shop operator",
        "RoleName": "Shop operator",
        "Description": "Looks at machines",
        "Actions": list(actions),
        "AssignableScopes": ["/subscriptions/$subscription"],
    }
    return f"--role-definition '{json.dumps(definition)}'"


def _put(name: str, **properties: str) -> str:
    body = {"properties": {"roleDefinitionId": f"{_DEFINITIONS}/{_READER}", **properties}}
    url = f"{_ASSIGNMENTS}/{name}?api-version=2022-04-01"
    return f"rest --method put --url '{url}' --body '{json.dumps(body)}'"


_CREATE = "role assignment create --scope $groups/rg-shop"
_TO_SHOP = "--assignee-object-id $shop --assignee-principal-type ServicePrincipal"
_TO_NOBODY = f"--assignee-object-id {_NOBODY}"

_DEFINING = (
    Command(
        "role definition list --name Reader --query '[].[name, roleType]'",
        gives=[[_READER, "BuiltInRole"]],
    ),
    Command(
        f"role definition create {_role('Microsoft.Compute/*/read')} "
        "--query '[roleName, roleType]'",
        gives=["Shop operator", "CustomRole"],
    ),
    Command(
        f"role definition update {_role('Microsoft.Compute/*/read', 'Microsoft.Web/*/read')} "
        "--query 'permissions[0].actions'",
        gives=["Microsoft.Compute/*/read", "Microsoft.Web/*/read"],
    ),
    Command(
        "role definition list --custom-role-only true --query '[].roleName'",
        gives=["Shop operator"],
    ),
)

_ASSIGNING = (
    Command(
        f"{_CREATE} {_TO_SHOP} --role Reader --name {_NAMED} --query '[principalId, scope]'",
        gives=["$shop", "$groups/rg-shop"],
    ),
    Command(
        f"{_CREATE} --assignee $shop_client --role 'Shop operator' --query principalType",
        gives="ServicePrincipal",
    ),
    Command(
        "role assignment list --assignee $shop --all --query 'sort([].roleDefinitionName)'",
        gives=["Reader", "Shop operator"],
    ),
    Command(
        "role assignment list --scope $groups/rg-shop --role Reader "
        "--query '[].[principalName, principalId]'",
        gives=[["$shop_client", "$shop"]],
    ),
    Command(
        "role assignment list --scope $groups/rg-shop --include-inherited --role Owner "
        "--query '[].principalId'",
        gives=["$operator"],
    ),
)

_REFUSED = (
    # The CLI itself answers a duplicate with the assignment that is there: ARM's words by `rest`.
    Command(f"{_CREATE} {_TO_SHOP} --role Reader --query name", gives=_NAMED),
    Command(
        _put(_NAMED.replace("5", "6"), principalId="$shop", principalType="ServicePrincipal"),
        error="RoleAssignmentExists",
        exit_code=1,
    ),
    Command(
        _put(_NAMED, principalId="$extra", principalType="ServicePrincipal"),
        error="RoleAssignmentUpdateNotPermitted",
        exit_code=1,
    ),
    Command(
        _put(_NAMED.replace("5", "7"), principalId="$extra", principalType="User"),
        error="UnmatchedPrincipalType",
        exit_code=1,
    ),
    Command(f"{_CREATE} {_TO_NOBODY} --role Reader", error="(PrincipalNotFound)", exit_code=1),
    Command(
        f"{_CREATE} {_TO_SHOP} --role Wizard", error="Role 'Wizard' doesn't exist", exit_code=1
    ),
    Command(
        "role definition delete --name 'Shop operator'",
        error="(RoleDefinitionHasAssignments)",
        exit_code=1,
    ),
)

_TAKING_BACK = (
    Command(
        "role assignment delete --assignee $shop --role 'Shop operator' --scope $groups/rg-shop"
    ),
    Command(f"role assignment delete --ids {_ASSIGNMENTS}/{_NAMED}"),
    Command("role assignment list --assignee $shop --all", gives=[]),
    Command("role definition delete --name 'Shop operator'"),
    Command("role definition list --custom-role-only true", gives=[]),
)

COMMANDS = (*_DEFINING, *_ASSIGNING, *_REFUSED, *_TAKING_BACK)
