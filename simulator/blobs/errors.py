"""Errors in the words of Azure Storage; `render` makes the XML that carries them."""

from xml.etree import ElementTree

from starlette.responses import Response

from simulator.errors import AzureError


def container_not_found() -> AzureError:
    """404."""
    return AzureError(404, "ContainerNotFound", "The specified container does not exist.")


def blob_not_found() -> AzureError:
    """404."""
    return AzureError(404, "BlobNotFound", "The specified blob does not exist.")


def account_not_found() -> AzureError:
    """404. In Azure the name of the account does not resolve at all."""
    return AzureError(404, "ResourceNotFound", "The specified resource does not exist.")


def container_exists() -> AzureError:
    """409."""
    return AzureError(409, "ContainerAlreadyExists", "The specified container already exists.")


def blob_exists() -> AzureError:
    """409."""
    return AzureError(409, "BlobAlreadyExists", "The specified blob already exists.")


def condition_not_met() -> AzureError:
    """412."""
    return AzureError(
        412,
        "ConditionNotMet",
        "The condition specified using HTTP conditional header(s) is not met.",
    )


def invalid_range() -> AzureError:
    """416."""
    return AzureError(
        416,
        "InvalidRange",
        "The range specified is invalid for the current size of the resource.",
    )


def not_simulated(what: str) -> AzureError:
    """400: an operation that this blob service does not have."""
    return AzureError(400, "UnsupportedHttpVerb", f"Not simulated: {what}.")


def permission_mismatch() -> AzureError:
    """403: the caller has no data action for this here."""
    return AzureError(
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
    )


def unauthenticated(tenant_id: str) -> AzureError:
    """401 with the challenge that tells a client where to get a token."""
    challenge = (
        f"Bearer authorization_uri=https://login.microsoftonline.com/{tenant_id}/oauth2/authorize "
        "resource_id=https://storage.azure.com"
    )
    return AzureError(
        401,
        "InvalidAuthenticationInfo",
        "Server failed to authenticate the request. Please refer to the information in the "
        "www-authenticate header.",
        {"www-authenticate": challenge},
    )


def render(error: AzureError) -> Response:
    """`<Error><Code>…` with the code in `x-ms-error-code`, too."""
    root = ElementTree.Element("Error")
    ElementTree.SubElement(root, "Code").text = error.code
    ElementTree.SubElement(root, "Message").text = error.message
    headers = {**error.headers, "x-ms-error-code": error.code, "x-ms-version": "2021-12-02"}
    content = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(content, error.status, headers, "application/xml")
