"""Refusals of App Service."""

from simulator.errors import AzureError


def exclusive_lock() -> AzureError:
    """429 to a change of an app while another one of its plan is under way; the code is an
    assumption (azure-facts-2 section 10).
    """
    return AzureError(
        429,
        "TooManyRequests",
        "Cannot acquire exclusive lock to create, update or delete this site. Retry the request "
        "later.",
    )
