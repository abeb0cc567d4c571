"""Refusals that are the same for most resource types."""

from simulator.errors import AzureError, gateway_error
from simulator.state import Resource


def parent_not_found(resource_type: str, parent_id: str) -> AzureError:
    """404 to a write below a resource that does not exist."""
    namespace_less = resource_type.partition("/")[2]
    return gateway_error(
        404,
        "ParentResourceNotFound",
        f"Failed to perform 'write' on resource(s) of type '{namespace_less}', because the parent "
        f"resource '{parent_id}' could not be found.",
    )


def etag_mismatch(sent: str, current: str | None) -> AzureError:
    """412; the text is Compute's, for other services an assumption."""
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


def being_deleted(resource: Resource) -> AzureError:
    """409 to a write during a deletion; the text is an assumption."""
    return AzureError(
        409, "Conflict", f"The resource '{resource.name}' is being deleted and cannot be changed."
    )


def in_progress(resource: Resource) -> AzureError:
    """409 to a write during another one; the text is an assumption."""
    return AzureError(
        409, "Conflict", f"Another operation on the resource '{resource.name}' is in progress."
    )


def operation_not_found(operation_id: str) -> AzureError:
    """404 for a poll of something that never was."""
    return AzureError(
        404, "ResourceNotFound", f"The entity was not found: operation '{operation_id}'."
    )
