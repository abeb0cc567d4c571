"""Lists of ARM and Resource Graph whose next page leads back: they end, and prove nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from lanyard.azure.arm.answers import Unreadable
from lanyard.azure.arm.graph_pages import Pages
from lanyard.azure.arm.listing import listed
from lanyard.values.errors import Temporary

LOCKS = "https://management.azure.com/locks"


class Arm:
    """Answers each request with the next of its pages, and begins again after the last."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self.resources = self
        self._pages = pages
        self.asked = 0

    async def send_request(self, _request: object) -> SimpleNamespace:
        assert self.asked < 20, "it never ends"
        page = self._pages[self.asked % len(self._pages)]
        self.asked += 1
        return SimpleNamespace(raise_for_status=lambda: None, json=lambda: page)


async def test_a_list_that_leads_back_is_no_answer() -> None:
    first = {"value": [{"id": "a"}], "nextLink": f"{LOCKS}?page=2"}
    arm = Arm(first, {"value": [], "nextLink": f"{LOCKS}?page=2"})
    with pytest.raises(Unreadable, match="read before"):
        [each async for each in listed(arm, LOCKS)]  # type: ignore[arg-type]
    assert arm.asked == 2


def page(row: str, token: str, total: int) -> dict[str, Any]:
    return {"totalRecords": total, "data": [{"id": row}], "$skipToken": token}


async def test_a_query_that_leads_back_is_no_answer() -> None:
    arm = Arm(page("a", "to b", 2), page("b", "to a", 2))
    with pytest.raises(Temporary, match="lead back"):
        [each async for each in Pages(arm).rows("resources")]  # type: ignore[arg-type]
    assert arm.asked == 3


async def test_one_whose_token_stays_the_same_ends_with_its_last_row() -> None:
    arm = Arm(page("a", "next", 3), page("b", "next", 3), page("c", "", 3))
    rows = [each async for each in Pages(arm).rows("resources")]  # type: ignore[arg-type]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
