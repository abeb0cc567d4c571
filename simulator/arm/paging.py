"""Lists in pages, followed by an absolute `nextLink` as ARM gives it."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from simulator.arm.messages import ArmRequest, ArmResponse
from simulator.errors import gateway_error
from simulator.state import Json


def page(request: ArmRequest, rows: Sequence[Json], size: int) -> ArmResponse:
    """The page that `$skipToken` names, the first without one."""
    start = _start(request.query)
    body: Json = {"value": list(rows[start : start + size])}
    if start + size < len(rows):
        kept = {k: v for k, v in request.query.items() if k.lower() != "$skiptoken"}
        query = urlencode({**kept, "$skipToken": str(start + size)})
        body["nextLink"] = f"{request.base_url}{request.path}?{query}"
    return ArmResponse(200, body)


def _start(query: Mapping[str, str]) -> int:
    tokens = [value for key, value in query.items() if key.lower() == "$skiptoken"]
    if not tokens:
        return 0
    if not tokens[0].isdigit():
        raise gateway_error(400, "InvalidSkipToken", "The '$skipToken' is not one of ours.")
    return int(tokens[0])
