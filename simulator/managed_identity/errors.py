"""Microsoft.ManagedIdentity's errors. The texts of federated credentials are those of entra-docs
(workload-identity-federation-considerations.md); their codes are an assumption.
"""

from simulator.errors import AzureError


def too_many_requests() -> AzureError:
    """429 where the tenant asked less than a second ago; the text is an assumption."""
    return AzureError(
        429,
        "TooManyRequests",
        "The request is being throttled as the limit of 1 request per second has been reached.",
        {"retry-after": "1"},
    )


def no_identity() -> AzureError:
    """404 to whatever lies below an identity that does not exist."""
    return AzureError(404, "NotFound", "The parent user-assigned identity doesn't exist.")


def invalid_credential_name(name: str) -> AzureError:
    """400."""
    return AzureError(400, "BadRequest", f"Federated Identity Credential name '{name}' is invalid.")


def empty_credential() -> AzureError:
    """400 where issuer or subject is missing."""
    return AzureError(
        400, "BadRequest", "Federated Identity Credential from HTTP body has empty properties"
    )


def not_one_audience() -> AzureError:
    """400."""
    return AzureError(
        400, "BadRequest", "Federated Identity Credentials must have exactly one audience."
    )


def trusted_twice() -> AzureError:
    """400: an identity trusts an issuer's subject once."""
    return AzureError(
        400,
        "BadRequest",
        "Issuer and subject combination already exists for this Managed Identity.",
    )


def too_many_credentials(most: int) -> AzureError:
    """400; code and text are not documented."""
    return AzureError(
        400, "BadRequest", f"A managed identity has {most} federated identity credentials at most."
    )
