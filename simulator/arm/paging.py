"""Lists in pages, followed by an absolute `nextLink` as ARM gives it."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from simulator.arm.messages import ArmRequest, ArmResponse
from simulator.errors import gateway_error
from simulator.state import Json


def page(request: ArmRequest, rows: Sequence[Json], size: int) -> ArmResponse:
    """The page that `$skipToken` names, the first without one; `$top` may make it smaller.

    Raises AzureError 400.
    """
    start = _number(request.query, "$skiptoken", 0)
    size = min(size, max(1, _number(request.query, "$top", size)))
    body: Json = {"value": list(rows[start : start + size])}
    if start + size < len(rows):
        kept = {k: v for k, v in request.query.items() if k.lower() != "$skiptoken"}
        query = urlencode({**kept, "$skipToken": str(start + size)})
        body["nextLink"] = f"{request.base_url}{request.path}?{query}"
    return ArmResponse(200, body)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    given = next((value for key, value in query.items() if key.lower() == name), None)
    if given is None:
        return default
    if not given.isdigit():
        raise gateway_error(
            400, "InvalidQueryParameterValue", f"The value '{given}' of '{name}' is not valid."
        )
    return int(given)
