"""A policy that is delivered: a new version comes into force by itself, a bad one never does."""

import pytest

from lanyard.app.policy_source import REFRESH, DeliveredPolicy
from lanyard.policy import Mode, PolicyError
from lanyard.ports.policy import Fetched
from lanyard.record.last_good_policy import LastGood
from lanyard.values.errors import LanyardError, Permanent, Temporary
from tests.support.estate import Estate
from tests.support.handlers import started
from tests.support.memory_table import MemoryTable

GOOD = "version: 1\nmode: full\n"
ADD_ONLY = "version: 1\nmode: add-only\n"
BAD = "version: 1\nmode: ful\n"


class Blob:
    """Where the policy is; `asked` counts."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.failure: LanyardError | None = None
        self.asked = 0

    async def fetch(self, version: str) -> Fetched | None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return None if version == self.text else Fetched(self.text, self.text)


class Delivery:
    """Instances of an app over one table and one blob."""

    def __init__(self, estate: Estate, blob: Blob) -> None:
        self.estate = estate
        self.blob = blob
        self.good = LastGood(MemoryTable())
        self.instance = self.start()

    def start(self) -> DeliveredPolicy:
        estate = self.estate
        decisions, now = estate.services.decisions, estate.azure.clock.now
        return DeliveredPolicy("policy.yaml", self.blob.fetch, self.good, decisions, now)

    async def mode(self) -> Mode:
        return (await self.instance.current()).mode

    async def a_minute_later(self) -> Mode:
        self.estate.azure.clock.advance(REFRESH + 1)
        return await self.mode()

    async def refusals(self) -> list[str]:
        return [r for a, _, r in await self.estate.decisions() if a == "policy refused"]


@pytest.fixture
async def delivery(monkeypatch: pytest.MonkeyPatch) -> Delivery:
    return Delivery(await started(Estate(), monkeypatch), Blob(GOOD))


async def test_a_new_version_is_in_force_within_a_minute(delivery: Delivery) -> None:
    assert await delivery.mode() is Mode.FULL
    delivery.blob.text = ADD_ONLY
    assert await delivery.mode() is Mode.FULL
    assert await delivery.a_minute_later() is Mode.ADD_ONLY


async def test_within_a_minute_nobody_asks_again_and_the_policy_is_the_same_object(
    delivery: Delivery,
) -> None:
    first = await delivery.instance.current()
    assert await delivery.instance.current() is first
    assert delivery.blob.asked == 1
    await delivery.a_minute_later()
    assert await delivery.instance.current() is first
    assert delivery.blob.asked == 2


async def test_a_bad_version_is_refused_loudly_once_and_the_last_good_one_stays(
    delivery: Delivery,
) -> None:
    await delivery.mode()
    delivery.blob.text = BAD
    assert await delivery.a_minute_later() is Mode.FULL
    assert await delivery.a_minute_later() is Mode.FULL
    (reason,) = await delivery.refusals()
    assert reason.startswith("policy.yaml:2:1: ")
    assert "the last good version stays in force" in reason
    delivery.blob.text = ADD_ONLY
    assert await delivery.a_minute_later() is Mode.ADD_ONLY


@pytest.mark.parametrize(
    "failure", [None, Temporary("the storage is busy", 1), Permanent("no such blob")]
)
async def test_an_instance_that_starts_with_a_bad_or_unreadable_policy_has_the_last_good_one(
    delivery: Delivery, failure: LanyardError | None
) -> None:
    await delivery.mode()
    delivery.blob.text, delivery.blob.failure = BAD, failure
    delivery.instance = delivery.start()
    assert await delivery.mode() is Mode.FULL
    delivery.blob.text, delivery.blob.failure = ADD_ONLY, None
    assert await delivery.a_minute_later() is Mode.ADD_ONLY


async def test_without_any_good_version_nothing_is_in_force(delivery: Delivery) -> None:
    delivery.blob.text = BAD
    with pytest.raises(PolicyError, match=r"policy\.yaml:2:1"):
        await delivery.mode()
    delivery.blob.failure = Temporary("the storage is busy", 1)
    with pytest.raises(Temporary):
        await delivery.mode()
    delivery.blob.text, delivery.blob.failure = GOOD, None
    assert await delivery.mode() is Mode.FULL


async def test_a_long_policy_is_kept_whole(delivery: Delivery) -> None:
    delivery.blob.text = GOOD + "".join(f"# line {number}\n" for number in range(9_000))
    await delivery.mode()
    assert await delivery.good.read() == delivery.blob.text
