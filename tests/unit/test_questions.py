"""Questions of Resource Graph that are put together (lanyard/azure/arm/questions.py)."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from lanyard.azure.arm.answers import Json
from lanyard.azure.arm.questions import MOST_TOGETHER, Question, Questions
from lanyard.values.errors import LanyardError, Permanent, Temporary

_TABLE = "resources"
#: What is answered whatever was asked.
_ODD: list[Json] = [{"id": "/other"}, {"name": "r1"}]


class _Graph:
    """Answers each query when it is let go on; one that has `bad` in it is refused."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.rows: list[Json] = [{"id": f"/r{number}"} for number in range(50)]
        self.failure: LanyardError | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def ask(self, query: str) -> AsyncIterator[Json]:
        self.queries.append(query)
        asked = set(re.findall("'([^']*)'", query))
        rows = [row for row in self.rows if row.get("id") in asked or row in _ODD]
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        if "bad" in query:
            raise Permanent("the query is refused", "InvalidQuery")
        for row in rows:
            yield row

    @property
    def questions(self) -> Questions:
        return Questions(self.ask, {_TABLE: "id"})


def _about(name: str) -> Question:
    return Question(_TABLE, f"id =~ '{name}'", lambda row: row["id"] == name)


async def _first(asked: Questions, graph: _Graph) -> "asyncio.Task[list[Json]]":
    """One that is under way."""
    graph.open.clear()
    task = asyncio.create_task(asked.rows(_about("/r0")))
    await asyncio.sleep(0)
    return task


async def test_who_asks_alone_asks_at_once() -> None:
    graph = _Graph()

    assert await graph.questions.rows(_about("/r3")) == [{"id": "/r3"}]
    assert graph.queries == ["resources | where (id =~ '/r3') | order by id asc | project id"]


async def test_who_asks_meanwhile_joins_the_next_query() -> None:
    graph = _Graph()
    asked = graph.questions
    first = await _first(asked, graph)
    later = [asyncio.create_task(asked.rows(_about(f"/r{n}"))) for n in (1, 2, 2)]
    await asyncio.sleep(0)
    graph.open.set()

    assert await first == [{"id": "/r0"}]
    assert await asyncio.gather(*later) == [[{"id": "/r1"}], [{"id": "/r2"}], [{"id": "/r2"}]]
    assert len(graph.queries) == 2
    assert "where (id =~ '/r1') or (id =~ '/r2') |" in graph.queries[1]


async def test_an_answer_is_from_after_its_question() -> None:
    graph = _Graph()
    asked = graph.questions
    first = await _first(asked, graph)
    graph.rows.append({"id": "/new"})
    late = asyncio.create_task(asked.rows(_about("/new")))
    await asyncio.sleep(0)
    graph.open.set()
    await first

    assert await late == [{"id": "/new"}]


async def test_no_query_asks_more_than_so_many() -> None:
    graph = _Graph()
    asked = graph.questions
    first = await _first(asked, graph)
    later = [asyncio.create_task(asked.rows(_about(f"/r{n}"))) for n in range(45)]
    await asyncio.sleep(0)
    graph.open.set()
    await first

    assert await asyncio.gather(*later) == [[{"id": f"/r{n}"}] for n in range(45)]
    assert [query.count("=~") for query in graph.queries] == [1, MOST_TOGETHER, MOST_TOGETHER, 5]


async def test_a_refused_question_takes_no_other_with_it() -> None:
    graph = _Graph()
    asked = graph.questions
    first = await _first(asked, graph)
    tasks = [asyncio.create_task(asked.rows(_about(name))) for name in ("/r1", "/bad")]
    await asyncio.sleep(0)
    graph.open.set()
    await first

    good, bad = await asyncio.gather(*tasks, return_exceptions=True)
    assert good == [{"id": "/r1"}]
    assert isinstance(bad, Permanent)


async def test_what_is_not_answered_now_is_answered_to_nobody() -> None:
    graph = _Graph()
    asked = graph.questions
    first = await _first(asked, graph)
    later = [asyncio.create_task(asked.rows(_about(f"/r{n}"))) for n in (1, 2)]
    await asyncio.sleep(0)
    graph.failure = Temporary("throttled", 5)
    graph.open.set()

    answers = await asyncio.gather(first, *later, return_exceptions=True)
    assert answers == [graph.failure] * 3
    assert len(graph.queries) == 2
    graph.failure = None
    assert await asked.rows(_about("/r1")) == [{"id": "/r1"}]


async def test_who_gives_up_leaves_the_others_their_answer() -> None:
    graph = _Graph()
    asked = graph.questions
    first = await _first(asked, graph)
    gone, stays = (asyncio.create_task(asked.rows(_about(name))) for name in ("/r1", "/r2"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    graph.open.set()

    assert await stays == [{"id": "/r2"}]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_row_that_fits_no_question_is_looked_at_by_all_who_asked() -> None:
    graph = _Graph()
    graph.rows = [{"id": "/other"}]
    asked = graph.questions
    first = await _first(asked, graph)
    later = [asyncio.create_task(asked.rows(_about(f"/r{n}"))) for n in (1, 2)]
    await asyncio.sleep(0)
    graph.open.set()

    assert await asyncio.gather(first, *later) == [[{"id": "/other"}]] * 3


async def test_a_row_without_an_id_proves_nothing() -> None:
    graph = _Graph()
    graph.rows = [{"name": "r1"}]

    with pytest.raises(Temporary, match="'id' is missing"):
        await graph.questions.rows(_about("/r1"))
