"""Cases of a policy that is delivered by a blob while the app's own storage fails."""

from collections.abc import Awaitable, Callable

import pytest

from lanyard.app.policy_source import REFRESH, DeliveredPolicy
from lanyard.policy import Mode
from lanyard.ports.policy import Fetched
from lanyard.ports.tables import Values
from lanyard.record.last_good_policy import LastGood
from lanyard.values.errors import LanyardError, Permanent, Temporary
from tests.support.cases import NOTHING, begun
from tests.support.estate import Estate
from tests.support.memory_table import MemoryTable

_ADD_ONLY = NOTHING.replace("full", "add-only")
_BAD = NOTHING.replace("full", "ful")
_FAILURES = [Temporary("the table is busy", 5), Permanent("the row is refused")]


class _Failing(MemoryTable):
    """Writes fail so often."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[LanyardError] = []

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop()

    async def put(self, partition: str, key: str, values: Values) -> None:
        self._fail()
        await super().put(partition, key, values)


class _Delivery:
    """A blob, and an app that looks at it."""

    def __init__(self, estate: Estate) -> None:
        self.estate, self.text, self.table = estate, NOTHING, _Failing()
        self.source = self.start(self.table)

    def start(self, table: MemoryTable) -> DeliveredPolicy:
        decisions, now = self.estate.services.decisions, self.estate.azure.clock.now
        return DeliveredPolicy("policy.yaml", self._fetch, LastGood(table), decisions, now)

    async def _fetch(self, version: str) -> Fetched | None:
        return None if version == self.text else Fetched(self.text, self.text)

    async def look(self) -> Mode | None:
        """A minute later; None where it raises."""
        self.estate.azure.clock.advance(REFRESH + 1)
        return await _or_none(self.source.current)

    async def refusals(self) -> int:
        return sum(each.action == "policy refused" for each in await self.estate.recorded())


async def _or_none(current: Callable[[], Awaitable[object]]) -> Mode | None:
    try:
        return getattr(await current(), "mode", None)
    except LanyardError:
        return None


@pytest.mark.parametrize("failure", _FAILURES, ids=lambda each: type(each).__name__)
async def test_case_C17_a_version_that_could_not_be_kept_is_taken_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch, failure: LanyardError
) -> None:
    delivery = _Delivery(await begun(monkeypatch, NOTHING))
    assert await delivery.look() is Mode.FULL
    delivery.text, delivery.table.failures = _ADD_ONLY, [failure]
    await delivery.look()
    assert await delivery.look() is Mode.ADD_ONLY
    delivery.text = _BAD
    later = delivery.start(delivery.table)
    assert await _or_none(later.current) is Mode.ADD_ONLY, "it is the last good one by then"


async def test_case_C17_the_first_version_that_could_not_be_kept_is_taken_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery = _Delivery(await begun(monkeypatch, NOTHING))
    delivery.table.failures = [*_FAILURES]
    assert [await delivery.look() for _ in range(3)] == [None, None, Mode.FULL]


async def test_case_C17_a_refusal_that_could_not_be_recorded_is_recorded_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery = _Delivery(await begun(monkeypatch, NOTHING))
    await delivery.look()
    delivery.text = _BAD
    decisions, add = delivery.source.decisions, delivery.source.decisions.add
    failures = [*_FAILURES]

    async def fails_at_first(*given: object, **more: object) -> object:
        if failures:
            raise failures.pop()
        return await add(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(decisions, "add", fails_at_first, raising=False)
    for _ in range(4):
        await delivery.look()
    assert await delivery.refusals() == 1
