"""AKS's own errors, in its own form: the members of the error with nothing around them, as issue
28878 of hashicorp/terraform-provider-azurerm quotes it. What ARM refuses comes as everywhere.
"""

from simulator.errors import AzureError


def in_progress(operation: str) -> AzureError:
    """409 to a write during another one (`operation`: "update", "delete")."""
    return _own(
        409,
        "OperationNotAllowed",
        f"Operation is not allowed because there's an in progress {operation} managed cluster "
        "operation on the managed cluster. Please wait for it to finish before starting a new "
        "operation.",
    )


def service_principal_missing() -> AzureError:
    """400 to a cluster that would have no identity at all."""
    return _own(
        400,
        "InvalidParameter",
        "Required parameter servicePrincipalProfile is missing (null).",
    )


def _own(status: int, code: str, message: str) -> AzureError:
    whole = {"code": code, "details": None, "message": message, "subcode": ""}
    return AzureError(status, code, message, whole=whole)
