"""`GET /metadata/endpoints`: which addresses make up this cloud. Asked without a token.

The Azure CLI reads it in `az cloud register --endpoint-resource-manager`. Members that have no
counterpart here are left out: a client that needs one says which, instead of reaching for Azure.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.state import Json

#: What `tokens.jwt.ARM_AUDIENCES` takes, in the order that Azure lists them.
_AUDIENCES = ["https://management.core.windows.net/", "https://management.azure.com/"]


def routes() -> list[Route]:
    """Served beside ARM, on the same address."""
    return [Route("/metadata/endpoints", _endpoints, methods=["GET"])]


async def _endpoints(request: Request) -> Response:
    return JSONResponse(cloud(f"{request.url.scheme}://{request.url.netloc}"))


def cloud(base_url: str) -> Json:
    """The cloud at `base_url`, in the shape of API version 2022-09-01."""
    return {
        "name": "LocalAzure",
        "resourceManager": f"{base_url}/",
        "microsoftGraphResourceId": f"{base_url}/graph/",
        "graph": f"{base_url}/graph/",
        "graphAudience": f"{base_url}/graph/",
        "authentication": {
            "loginEndpoint": f"{base_url}/login",
            "audiences": _AUDIENCES,
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {},
    }
