"""What many need is asked for once; a failure is asked for again."""

import asyncio
from dataclasses import dataclass, field

import pytest

from lanyard.ports.cache import Cache, Together
from lanyard.values.errors import Temporary


@dataclass
class Source:
    """Answers with how often it was asked, when `go` is set; fails while `failing`."""

    failing: bool = False
    asked: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> int:
        self.asked += 1
        answer = self.asked
        await self.go.wait()
        if self.failing:
            raise Temporary("not now", 1)
        return answer


@pytest.fixture
def source() -> Source:
    return Source()


async def test_an_answer_is_kept_for_its_key(source: Source) -> None:
    cache: Cache[str, int] = Cache()
    source.go.set()
    assert [await cache.get("a", source.ask) for _ in range(3)] == [1, 1, 1]
    assert await cache.get("b", source.ask) == 2


async def test_nothing_is_an_answer_too() -> None:
    cache: Cache[str, int | None] = Cache()
    asked = []

    async def ask() -> None:
        asked.append(1)

    assert [await cache.get("a", ask) for _ in range(2)] == [None, None]
    assert len(asked) == 1


async def test_who_comes_while_a_call_is_under_way_joins_it(source: Source) -> None:
    cache: Cache[str, int] = Cache()
    waiting = [asyncio.create_task(cache.get("a", source.ask)) for _ in range(3)]
    await asyncio.sleep(0)
    source.go.set()
    assert await asyncio.gather(*waiting) == [1, 1, 1]
    assert source.asked == 1


async def test_a_failure_reaches_all_who_waited_and_is_not_kept(source: Source) -> None:
    cache: Cache[str, int] = Cache()
    source.failing = True
    source.go.set()
    first = [cache.get("a", source.ask) for _ in range(2)]
    failures = await asyncio.gather(*first, return_exceptions=True)
    assert [type(failure) for failure in failures] == [Temporary, Temporary]
    assert source.asked == 1
    source.failing = False
    assert await cache.get("a", source.ask) == 2


async def test_who_gives_up_waiting_leaves_the_call_to_the_others(source: Source) -> None:
    cache: Cache[str, int] = Cache()
    impatient = asyncio.create_task(cache.get("a", source.ask))
    patient = asyncio.create_task(cache.get("a", source.ask))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    source.go.set()
    assert await patient == 1
    assert impatient.cancelled()
    assert source.asked == 1


async def test_a_failure_that_nobody_waits_for_is_no_complaint(source: Source) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, about: complaints.append(about))
    cache: Cache[str, int] = Cache()
    waiting = asyncio.create_task(cache.get("a", source.ask))
    await asyncio.sleep(0)
    waiting.cancel()
    source.failing = True
    source.go.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert complaints == []
    source.failing = False
    assert await cache.get("a", source.ask) == 2


async def test_an_answer_serves_for_its_time_only(source: Source) -> None:
    seconds = 0.0
    cache: Cache[str, int] = Cache(300, lambda: seconds)
    source.go.set()
    assert await cache.get("a", source.ask) == 1
    seconds = 299
    assert await cache.get("a", source.ask) == 1
    seconds = 300
    assert await cache.get("a", source.ask) == 2
    seconds = 599
    assert await cache.get("a", source.ask) == 2


async def test_an_answer_learnt_in_another_way_is_kept(source: Source) -> None:
    cache: Cache[str, int] = Cache()
    cache.put("a", 7)
    assert await cache.get("a", source.ask) == 7
    assert source.asked == 0


async def test_who_comes_while_it_is_asked_joins_the_next_call(source: Source) -> None:
    together: Together[str, int] = Together()
    first = asyncio.create_task(together.get("a", source.ask))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(together.get("a", source.ask)) for _ in range(3)]
    await asyncio.sleep(0)
    assert source.asked == 1
    source.go.set()
    assert [await first, *await asyncio.gather(*waiting)] == [1, 2, 2, 2]
    assert await together.get("a", source.ask) == 3


async def test_all_who_joined_hear_of_the_failure_and_who_comes_later_asks_anew(
    source: Source,
) -> None:
    together: Together[str, int] = Together()
    source.failing = True
    source.go.set()
    asked = [together.get("a", source.ask) for _ in range(2)]
    heard = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in heard] == [Temporary, Temporary]
    assert source.asked == 1
    source.failing = False
    assert await together.get("a", source.ask) == 2
