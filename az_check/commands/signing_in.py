"""Pointing the CLI at the local Azure, and what it then finds out by itself."""

import re
from pathlib import Path

from az_check.command import GUID, Command, Text

_REQUIREMENTS = Path(__file__).parents[1] / "requirements.in"


def _pinned() -> str:
    """The version of the CLI that requirements.in asks for."""
    match = re.search(r"^azure-cli==(\S+)$", _REQUIREMENTS.read_text("utf-8"), re.MULTILINE)
    assert match is not None
    return match[1]


COMMANDS = (
    Command("""version --query '"azure-cli"'""", gives=_pinned()),
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
        gives=["Registered", ["userAssignedIdentities"]],
    ),
    Command("ad signed-in-user show --query id", gives=GUID),
)
