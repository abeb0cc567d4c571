"""Why a server cannot be reached, as far as the connection shows it, and what to do about it."""

import aiohttp
from azure.core.exceptions import AzureError

_UNTRUSTED = (
    "its certificate is signed by none that is trusted here: behind a proxy that looks into TLS, "
    "name a file with its CA in SSL_CERT_FILE"
)
_NO_PROXY = "the proxy that HTTPS_PROXY names cannot be reached"
_REFUSED_BY_PROXY = "the proxy that HTTPS_PROXY names refuses it ({})"


def in_the_way(error: AzureError) -> str:
    """What a person can do something about, ": " before it; "" where it is the server itself."""
    match getattr(error, "inner_exception", None):
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return f": {_UNTRUSTED}"
        case aiohttp.ClientProxyConnectionError():
            return f": {_NO_PROXY}"
        case aiohttp.ClientHttpProxyError() as refused:
            return f": {_REFUSED_BY_PROXY.format(refused.status)}"
        case _:
            return ""
