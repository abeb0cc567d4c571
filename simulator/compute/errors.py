"""Compute's own errors. Texts as issue threads of the SDKs and of Kubernetes quote them."""

from simulator.errors import AzureError


def marked_for_deletion(name: str) -> AzureError:
    """409 to a write during a deletion."""
    return AzureError(
        409,
        "OperationNotAllowed",
        f"Operation 'Update VM' is not allowed on VM '{name}' since the VM is marked for deletion. "
        "You can only retry the Delete operation (or wait for an ongoing one to complete).",
    )


def conflict() -> AzureError:
    """409 to a write during another one."""
    return AzureError(
        409,
        "Conflict",
        "The request failed due to conflict with a concurrent request. To resolve it, please refer "
        "to https://aka.ms/activitylog to get more details on the conflicting requests.",
    )


def invalid_parameter(name: str) -> AzureError:
    """400 for a create without what every machine needs."""
    return AzureError(400, "InvalidParameter", f"Required parameter '{name}' is missing (null).")


def unknown_instance(number: str) -> AzureError:
    """400 to an action on an instance that a scale set does not have."""
    return AzureError(
        400,
        "InvalidParameter",
        f"The provided instanceId {number} is not an active Virtual Machine Scale Set VM "
        "instanceId.",
    )


def not_for_flexible(name: str) -> AzureError:
    """409 to what only uniform scale sets can do; the text is an assumption."""
    return AzureError(
        409,
        "OperationNotAllowed",
        f"The operation is not allowed on scale set '{name}' since its orchestration mode is "
        "Flexible.",
    )
