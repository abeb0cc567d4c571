"""The functions of ARM templates that infra/ names things by, so that both find the same thing."""

import uuid

# Microsoft's page "String functions for ARM templates", function `guid`.
_NAMES = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")

_DEFINITIONS = "providers/Microsoft.Authorization/roleDefinitions"
_ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"


def guid(*parts: str) -> str:
    """`guid(…)`: uuid5 of the parts with dashes between them. Their case counts."""
    return str(uuid.uuid5(_NAMES, "-".join(parts)))


def definition_id(subscription: str, role: str) -> str:
    """The id of a role definition (GUID) in a subscription (id)."""
    return f"/subscriptions/{subscription}/{_DEFINITIONS}/{role}"


def assignment_id(scope: str, name: str) -> str:
    """The id of a role assignment (GUID)."""
    return f"{scope}/{_ASSIGNMENTS}/{name}"
