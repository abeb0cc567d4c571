"""Questions about rows of Resource Graph, put together.

It answers 15 queries in 5 seconds, for everything that the app asks in all subscriptions: where
many resources go at once, each with its questions, they would wait for minutes. So who asks while
a query is under way joins the next one, and one query answers all who joined. Who asks alone asks
at once.
"""

from asyncio import Lock
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from lanyard.azure.arm.answers import Json, needed
from lanyard.values.errors import Permanent, Temporary

#: So many go into one query: what it may be long is not documented.
MOST_TOGETHER = 20


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows of a table somebody wants: as a condition of Kusto, and of a row."""

    table: str
    where: str
    holds: Callable[[Json], bool]


@dataclass(slots=True)
class _Together:
    """Those that one query asks. `answer`: its rows, or why there are none, once it was asked."""

    questions: list[Question] = field(default_factory=list)
    answer: list[Json] | Temporary | Permanent | None = None

    def concerns(self, row: Json, question: Question) -> bool:
        """A row that fits no question as we read it is everybody's: better one look too many."""
        return question.holds(row) or not any(other.holds(row) for other in self.questions)


class Questions:
    """Of one app. `ask`: the rows of a query; `columns`: what is asked of each table."""

    def __init__(
        self, ask: Callable[[str], AsyncIterator[Json]], columns: Mapping[str, str]
    ) -> None:
        self._ask = ask
        self._columns = columns
        self._next = {table: _Together() for table in columns}
        self._turns = {table: Lock() for table in columns}

    async def rows(self, question: Question) -> list[Json]:
        """The rows that the question is about, in the order of their ids, as they are after it was
        put. Raises Temporary, Permanent.
        """
        joined = self._join(question)
        async with self._turns[question.table]:
            if joined.answer is None:
                self._close(joined, question.table)
                joined.answer = await self._answer(question.table, joined.questions)
        answer = joined.answer
        if isinstance(answer, Permanent) and len(joined.questions) > 1:
            # Another's question may be the one that is refused.
            joined = _Together([question])
            answer = await self._answer(question.table, joined.questions)
        if not isinstance(answer, list):
            raise answer
        return [row for row in answer if joined.concerns(row, question)]

    def _join(self, question: Question) -> _Together:
        """What is asked next."""
        if len(self._next[question.table].questions) == MOST_TOGETHER:
            self._next[question.table] = _Together()
        joined = self._next[question.table]
        joined.questions.append(question)
        return joined

    def _close(self, together: _Together, table: str) -> None:
        """Who asks from now on would get rows from before."""
        if self._next[table] is together:
            self._next[table] = _Together()

    async def _answer(
        self, table: str, questions: list[Question]
    ) -> list[Json] | Temporary | Permanent:
        conditions = dict.fromkeys(question.where for question in questions)
        where = " or ".join(f"({condition})" for condition in conditions)
        query = f"{table} | where {where} | order by id asc | project {self._columns[table]}"
        try:
            rows = [row async for row in self._ask(query)]
            return [row for row in rows if needed(row, "id")]
        except (Temporary, Permanent) as failure:
            return failure
