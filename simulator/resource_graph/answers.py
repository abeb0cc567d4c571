"""One page of an answer, whole or as the switch `Behaviour.resource_graph_answer` spoils it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.behaviour import Behaviour, ResourceGraphAnswer
from simulator.errors import AzureError, gateway_error
from simulator.resource_graph.query import Query, Rows
from simulator.resource_graph.tokens import InvalidQuery
from simulator.state import Json

#: More than this a page is refused.
_MAX_PAGE = 1000
_INVALID = (
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and "
    "fix the error before retrying."
)


@dataclass(frozen=True)
class Page:
    """Which rows a request asks for. `follows`: it came with a `$skipToken`."""

    skip: int
    top: int
    follows: bool = False


def read_page(options: Json, size: int) -> Page:
    """Of a request's `options`; `size` is the most rows a page. Raises InvalidQuery."""
    top, skip = options.get("$top") or size, options.get("$skip") or 0
    if not isinstance(top, int) or not 1 <= top <= _MAX_PAGE:
        raise InvalidQuery(f"$top must be from 1 to {_MAX_PAGE}")
    if not isinstance(skip, int) or skip < 0:
        raise InvalidQuery("$skip must not be negative")
    token = options.get("$skipToken")
    if token is None:
        return Page(skip, min(top, size))
    try:
        kept = json.loads(base64.b64decode(token, validate=True))
        # "$top … overrides the page size when $skipToken property is present" (the specification).
        asked = min(top, size) if options.get("$top") else int(kept["top"])
        return Page(int(kept["skip"]), asked, follows=True)
    except (ValueError, KeyError, TypeError):
        raise InvalidQuery("the $skipToken is not one of ours") from None


def spoiled(behaviour: Behaviour, table: str) -> ResourceGraphAnswer:
    """How a query of `table` is answered just now."""
    tables = behaviour.resource_graph_answer_tables
    return (
        ResourceGraphAnswer.FULL
        if tables and table not in tables
        else behaviour.resource_graph_answer
    )


def refuse(how: ResourceGraphAnswer, page: Page, support: str) -> None:
    """Raises the AzureError that the switch wants in place of rows."""
    match how:
        case ResourceGraphAnswer.TIMEOUT:
            raise timed_out()
        case ResourceGraphAnswer.DENIED:
            raise access_denied(support)
        case ResourceGraphAnswer.EXPIRED_TOKEN if page.follows:
            raise expired_token(support)


def answer(query: Query, rows: Rows, page: Page, how: ResourceGraphAnswer) -> Json:
    """The body: the rows of `page` out of `rows`, the totals, and the way to the next page.

    There is none for a query that limits its rows itself or shows no column of plain values: then
    `resultTruncated` is "true" (documentation, "Guidance for pagination").
    """
    if how is ResourceGraphAnswer.EMPTY:
        rows = []
    end = page.skip + page.top
    if how is ResourceGraphAnswer.TRUNCATED:
        end = min(end, len(rows) // 2)
    chosen = query.finished(rows[page.skip : end])
    more = end < len(rows)
    pages = not query.limited and _plain(chosen) and how is not ResourceGraphAnswer.TRUNCATED
    total = len(rows)
    if how in (ResourceGraphAnswer.HALF, ResourceGraphAnswer.HALF_UNTOLD):
        chosen = chosen[1::2]
    if how is ResourceGraphAnswer.HALF_UNTOLD:
        total //= 2
    body: Json = {
        "totalRecords": total,
        "count": len(chosen),
        "data": chosen,
        "facets": [],
        "resultTruncated": "true" if more and not pages else "false",
    }
    return body | ({"$skipToken": _token(end, page.top)} if more and pages else {})


def access_denied(support: str) -> AzureError:
    """403: none of the subscriptions can be read."""
    return _refused(403, "AccessDenied", support, {"AccessDenied": "Access is denied."})


def invalid(reason: str, support: str) -> AzureError:
    """400: a query that is none, or that is not simulated."""
    details = {"InvalidQuery": _INVALID, "ParserFailure": reason}
    return _refused(400, "BadRequest", support, details)


def too_large(size: int, limit: int, support: str) -> AzureError:
    """400: a page of too many bytes (Azure/cosmos-explorer issue 1877)."""
    text = (
        f"Response payload size is {size}, and has exceeded the limit of {limit}. Please consider "
        "querying less data at a time and make paginated call if needed."
    )
    return _refused(400, "BadRequest", support, {"ResponsePayloadTooLarge": text})


def no_table(table: str, support: str) -> AzureError:
    """400: the cloud's Resource Graph does not have the table."""
    details = {
        "InvalidQuery": _INVALID,
        "DisallowedLogicalTableName": f"Table {table} is invalid, unsupported or disallowed.",
    }
    return _refused(400, "BadRequest", support, details)


def expired_token(support: str) -> AzureError:
    """400; code and text of the detail are an assumption."""
    text = "The $skipToken is invalid or has expired. Please run the query again."
    return _refused(400, "BadRequest", support, {"InvalidSkipToken": text})


def timed_out() -> AzureError:
    """504 of ARM itself, when Resource Graph does not answer in time."""
    return gateway_error(
        504,
        "GatewayTimeout",
        "The gateway did not receive a response from 'Microsoft.ResourceGraph' within the "
        "specified time period.",
    )


def _refused(status: int, code: str, support: str, details: Mapping[str, str]) -> AzureError:
    listed = [{"code": each, "message": text} for each, text in details.items()]
    return AzureError(status, code, support, details=listed)


def _plain(rows: Rows) -> bool:
    """Whether any column holds something else than objects, lists and nothing."""
    return any(not isinstance(value, dict | list | None) for row in rows for value in row.values())


def _token(skip: int, top: int) -> str:
    return base64.b64encode(json.dumps({"skip": skip, "top": top}).encode()).decode()
