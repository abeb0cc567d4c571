"""The simulator answers recorded requests as Azure did."""

import pytest

from simulator.transport import Answer
from tests.support.conformance.compare import alike, quota_names, shape, steering
from tests.support.conformance.recordings import DIRECTORY, Exchange, exchanges, recorded_files
from tests.support.conformance.replay import Replay
from tests.support.conformance.settings import NOT_COVERED, SETTINGS, SHAPE_ONLY

pytestmark = pytest.mark.skipif(not DIRECTORY.is_dir(), reason="recordings absent")


@pytest.mark.parametrize("file", SETTINGS)
async def test_answers_as_recorded(file: str) -> None:
    recorded, setting, replay = exchanges(file), SETTINGS[file], Replay()
    await setting.prepare(replay, recorded)
    for exchange in recorded:
        if (file, exchange.index) in NOT_COVERED:
            continue
        replay.azure.clock.advance(setting.pauses.get(exchange.index, 0))
        answer, body = await replay.answer(exchange)
        _check(exchange, answer, body, newest=setting.newest)


def _check(exchange: Exchange, answer: Answer, body: object, *, newest: bool) -> None:
    where = f"{exchange.file} #{exchange.index} {exchange.method} {exchange.target}"
    assert answer.status == exchange.status, f"{where}: {answer.content!r}"
    if (exchange.file, exchange.index) in SHAPE_ONLY:
        assert shape(body) == shape(exchange.answer), where
    else:
        assert alike(body) == alike(exchange.answer), where
    assert steering(answer.headers) == steering(exchange.answer_headers), where
    theirs, ours = quota_names(exchange.answer_headers), quota_names(answer.headers)
    assert theirs <= ours, where
    if newest:
        assert theirs == ours, where


def test_every_exchange_is_replayed_or_named_with_a_reason() -> None:
    every = {(file, each.index) for file in recorded_files() for each in exchanges(file)}
    replayed = {(file, each.index) for file in SETTINGS for each in exchanges(file)}
    assert replayed == every
    assert set(NOT_COVERED) < every
    assert set(SHAPE_ONLY) < every - set(NOT_COVERED)
    assert all(NOT_COVERED.values())


async def test_a_difference_in_the_body_is_noticed() -> None:
    recorded = exchanges("identity-create-2024-11-30")
    replay = Replay()
    await SETTINGS["identity-create-2024-11-30"].prepare(replay, recorded)
    answer, body = await replay.answer(recorded[0])
    assert isinstance(body, dict)
    with pytest.raises(AssertionError):
        _check(recorded[0], answer, {**body, "location": "elsewhere"}, newest=True)
