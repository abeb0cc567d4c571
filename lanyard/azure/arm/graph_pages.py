"""A query of Resource Graph, page by page until it is whole.

A page has 1,000 rows at most, and 16 MiB: where its rows are larger, fewer are asked for. Not every
cloud has every table.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from lanyard.azure.arm.answers import Json, Unreadable, as_object, body_of, entries, member, text
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import codes_of, translated
from lanyard.values.errors import Permanent, Temporary

QUERY = "query Resource Graph"
_PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
_LARGEST = 1000
#: So many pages of a size are taken before a larger one is tried again.
_PAGES_OF_A_SIZE = 4
_PARTIAL_DELAY = 60.0
# "Response payload size is 29972004, and has exceeded the limit of 16777216": in the details of a
# BadRequest, as is the name of a table that the cloud does not have.
_TOO_LARGE, _NO_TABLE = "ResponsePayloadTooLarge", "DisallowedLogicalTableName"


class NoTable(Permanent):
    """This cloud's Resource Graph does not have the table that was asked for."""


@dataclass(slots=True)
class PageSize:
    """How many rows to ask for: half of what was too much, and twice as many after a while."""

    rows: int = _LARGEST
    _good: int = field(default=0, init=False)

    def refused(self) -> None:
        """A page of it is too large. Raises Permanent where it was a single row."""
        if self.rows == 1:
            raise Permanent("Resource Graph has a row that it says is too large to answer")
        self.rows, self._good = self.rows // 2, 0

    def answered(self) -> None:
        """A page of it came."""
        self._good += 1
        if self._good == _PAGES_OF_A_SIZE:
            self.rows, self._good = min(self.rows * 2, _LARGEST), 0


class Pages:
    """Of every subscription that the app can read."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def rows(self, query: str) -> AsyncIterator[Json]:
        """The rows of a query, which must order them. Raises NoTable, Temporary, Permanent."""
        size, token, seen = PageSize(), "", 0
        tokens = set[str]()
        while True:
            page = await self._page(query, size, token)
            for row in page.rows:
                yield row
            seen, token = seen + len(page.rows), page.token
            if not token:
                break
            if not page.rows:
                raise incomplete("a page without rows and with a next one")
            if token in tokens and seen >= page.total:  # there would be no end
                raise incomplete("pages that lead back to one before")
            tokens.add(token)
        if seen < page.total:
            raise incomplete(f"{seen} of {page.total} rows")

    async def _page(self, query: str, size: PageSize, token: str) -> "_Page":
        """The next one, of as many rows as one answer holds. "$top" counts beside a token, too
        ("overrides the page size when $skipToken is present", QueryRequestOptions).
        """
        while True:
            options: dict[str, Any] = {"resultFormat": "objectArray", "$top": size.rows}
            if token:
                options["$skipToken"] = token
            page = await self._asked({"query": query, "options": options})
            if page is not None:
                size.answered()
                return page
            size.refused()

    async def _asked(self, body: Json) -> "_Page | None":
        """One answer; None where it would be too large."""
        with translated(QUERY):
            response = await self._clients.resources.send_request(
                HttpRequest("POST", _PATH, json=body)
            )
            try:
                response.raise_for_status()
            except HttpResponseError as error:
                codes = codes_of(error)
                if _TOO_LARGE in codes:
                    return None
                if _NO_TABLE in codes:
                    raise NoTable(f"{QUERY}: {error.message}", _NO_TABLE) from error
                raise
            page = _page(body_of(response))
        if page.truncated and not page.token:
            raise incomplete("a part of the rows")
        return page


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer. `total`: the rows of all pages; `token`: of the next page, "" for none."""

    rows: list[Json]
    total: int
    truncated: bool
    token: str


def _page(body: Json) -> _Page:
    total = member(body, "totalRecords")
    if not isinstance(total, int):
        raise Unreadable("'totalRecords' is no number")
    return _Page(
        [as_object(row, "a row") for row in entries(body, "data")],
        total,
        str(member(body, "resultTruncated")).lower() == "true",
        text(body, "$skipToken"),
    )


def incomplete(what: str) -> Temporary:
    """The failure of an answer that holds a part: `what` it held."""
    return Temporary(f"Resource Graph answered {what} only: nothing is concluded", _PARTIAL_DELAY)
