"""Compute's own errors. Texts as issue threads of the SDKs and of Kubernetes quote them."""

from simulator.errors import AzureError


def etag_mismatch(sent: str, current: str | None) -> AzureError:
    """412, as a scale set answered it."""
    return AzureError(
        412,
        "PreconditionFailed",
        f"Etag provided in if-match header {sent} does not match etag {current} of resource.",
    )


def exists_already(sent: str, current: str) -> AzureError:
    """412 to `If-None-Match`; the text is an assumption."""
    return AzureError(
        412,
        "PreconditionFailed",
        f"Etag provided in if-none-match header {sent} matches etag {current} of resource.",
    )


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


def operation_not_found(operation_id: str) -> AzureError:
    """404 for a poll of something that never was."""
    return AzureError(
        404, "ResourceNotFound", f"The entity was not found: operation '{operation_id}'."
    )
