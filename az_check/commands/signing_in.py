"""Pointing the CLI at the local Azure, and what it then finds out by itself."""

from az_check.cli import VERSION
from az_check.command import GUID, Command, Text

_IDENTITY_TYPES = (
    "userAssignedIdentities",
    "userAssignedIdentities/federatedIdentityCredentials",
)
COMMANDS = (
    Command("""version --query '"azure-cli"'""", gives=VERSION),
    Command("cloud register --name LocalAzure --endpoint-resource-manager $arm"),
    Command(
        "cloud show --name LocalAzure --query "
        "'[endpoints.resourceManager, endpoints.microsoftGraphResourceId]'",
        gives=["$arm", "$arm/graph/"],
    ),
    Command("cloud set --name LocalAzure"),
    Command("group list", error="Please run 'az login'", exit_code=1),
    Command(
        "login --identity --query '[].[id, tenantId, user.name]'",
        gives=[["$subscription", "$tenant", "systemAssignedIdentity"]],
    ),
    Command(
        "account show --query '[id, environmentName, state]'",
        gives=["$subscription", "LocalAzure", "Enabled"],
    ),
    Command(
        "account get-access-token --query '[subscription, tokenType, accessToken]'",
        gives=["$subscription", "Bearer", Text(r"[\w-]+\.[\w-]+\.[\w-]+")],
    ),
    Command(
        """account list-locations --query "[?name=='westeurope'].displayName" """,
        gives=["West Europe"],
    ),
    Command(
        "provider show --namespace Microsoft.ManagedIdentity "
        "--query '[registrationState, resourceTypes[].resourceType]'",
        gives=["Registered", [*_IDENTITY_TYPES]],
    ),
    Command("ad signed-in-user show --query id", gives=GUID),
)
