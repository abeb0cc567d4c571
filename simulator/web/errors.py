"""App Service's own errors, in its own form (recorded)."""

from simulator.errors import AzureError

_LOCKED = (
    "Cannot acquire exclusive lock to create, update or delete this site. Retry the request later."
)


def plan_locked() -> AzureError:
    """429 to a write while another app of the plan is being written."""
    entity = {
        "ExtendedCode": "59206",
        "MessageTemplate": _LOCKED,
        "Parameters": [],
        "Code": "429",
        "Message": _LOCKED,
    }
    whole = {
        "Code": "429",
        "Message": _LOCKED,
        "Target": None,
        "Details": [{"Message": _LOCKED}, {"Code": "429"}, {"ErrorEntity": entity}],
        "Innererror": None,
    }
    return AzureError(429, "429", _LOCKED, whole=whole)
