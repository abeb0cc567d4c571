"""The CLI on a machine: it signs in with what the machine carries, and may do what that may do."""

from collections.abc import Mapping

from az_check.command import Command

_SESSION = "vm-shop"
_MACHINE = "--resource-group rg-shop --name vm-shop"
_IDENTITIES = "$groups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_LOGIN = "login --identity --client-id $shop_client"

#: Session → the machine it runs on; a session not named here is the operator's.
MACHINES: Mapping[str, str] = {
    _SESSION: "$groups/rg-shop/providers/Microsoft.Compute/virtualMachines/vm-shop"
}

_SIGNING_IN = (
    Command("cloud register --name LocalAzure --endpoint-resource-manager $arm", by=_SESSION),
    Command("cloud set --name LocalAzure", by=_SESSION),
    Command(_LOGIN, error="No access was configured", exit_code=1, by=_SESSION),
    Command(
        "role assignment create --assignee-object-id $shop "
        "--assignee-principal-type ServicePrincipal --role 'Virtual Machine Contributor' "
        "--scope $groups/rg-shop --query principalId",
        gives="$shop",
    ),
    Command(
        f"{_LOGIN} --query '[].[id, user.assignedIdentityInfo]'",
        gives=[["$subscription", "MSIClient-$shop_client"]],
        by=_SESSION,
    ),
    # Without a name IMDS takes the only identity there is.
    Command("login --identity --query '[].id'", gives=["$subscription"], by=_SESSION),
    Command(
        "login --identity --client-id 00000000-0000-0000-0000-000000000001",
        error="Identity not found",
        exit_code=1,
        by=_SESSION,
    ),
)

_ALLOWED = (
    Command("vm list --resource-group rg-shop --query '[].name'", gives=["vm-shop"], by=_SESSION),
    Command("group list --query '[].name'", gives=["rg-shop"], by=_SESSION),
    Command(
        f"vm update {_MACHINE} --set tags.seen=yes --query tags.seen", gives="yes", by=_SESSION
    ),
)

_REFUSED = (
    Command("vm list", error="(AuthorizationFailed)", exit_code=1, by=_SESSION),
    Command(
        "group update --name rg-shop --set tags.a=b",
        error="(AuthorizationFailed)",
        exit_code=1,
        by=_SESSION,
    ),
    Command(
        "group delete --name rg-shop --yes",
        error="(AuthorizationFailed)",
        exit_code=1,
        by=_SESSION,
    ),
    Command(
        "role assignment create --assignee-object-id $shop "
        "--assignee-principal-type ServicePrincipal --role Owner --scope $groups/rg-shop",
        error="(AuthorizationFailed)",
        exit_code=1,
        by=_SESSION,
    ),
    # It may write machines, and yet not give them an identity that it has no right on.
    Command(
        f"vm identity assign {_MACHINE} --identities {_IDENTITIES}/id-extra",
        error="(LinkedAuthorizationFailed)",
        exit_code=1,
        by=_SESSION,
    ),
    Command(
        "ad sp show --id $shop",
        error="Insufficient privileges to complete the operation",
        exit_code=1,
        by=_SESSION,
    ),
)

_DETACHED = (
    Command(f"vm identity remove {_MACHINE} --identities id-shop"),
    Command(_LOGIN, error="Identity not found", exit_code=1, by=_SESSION),
)

COMMANDS = (*_SIGNING_IN, *_ALLOWED, *_REFUSED, *_DETACHED)
