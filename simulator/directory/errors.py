"""Errors in Microsoft Graph's words."""

from simulator.errors import AzureError


def bad_request(message: str) -> AzureError:
    """400 `Request_BadRequest`."""
    return AzureError(400, "Request_BadRequest", message)


def unknown_segment(segment: str) -> AzureError:
    """400 `BadRequest` to a path that Graph does not have, or that is not simulated."""
    return AzureError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def no_me() -> AzureError:
    """400 `BadRequest`: an application's token has no signed-in user."""
    message = "/me request is only valid with delegated authentication flow."
    return AzureError(400, "BadRequest", message)


def denied() -> AzureError:
    """403 `Authorization_RequestDenied`: the caller lacks the application permission."""
    return AzureError(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )


def not_found(object_id: str) -> AzureError:
    """404 `Request_ResourceNotFound`."""
    return AzureError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects "
        "are not present.",
    )


def not_restorable() -> AzureError:
    """400: nobody but Azure makes the service principal of a managed identity (text assumed)."""
    message = "The service principal of a managed identity cannot be restored."
    return AzureError(400, "Request_BadRequest", message)


def throttled() -> AzureError:
    """429 without Retry-After, as Graph may send it (azure-facts §6)."""
    return AzureError(429, "TooManyRequests", "Too many requests.")
