"""Waiting at a desk: as long as an answer asks for, within reason, and what it is right for."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest

from lanyard.desk.azure.patience import Patient


class Answer:
    def __init__(self, status: int, **headers: str) -> None:
        self.status_code = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Scripted:
    """A transport that gives these answers in turn, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent = 0
        self.slept: list[float] = []

    async def send(self, _request: Any, **_options: Any) -> Answer:
        self.sent += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def sleep(self, duration: float) -> None:
        self.slept.append(duration)


async def status(transport: Scripted, method: str = "GET") -> int:
    patient = Patient(transport, patience=30)  # type: ignore[arg-type]
    answer = await patient.send(HttpRequest(method, "https://management.azure.com/"))
    return int(answer.status_code)


async def test_a_refusal_is_waited_for_as_long_as_it_asks() -> None:
    transport = Scripted(Answer(429, Retry_After="10"), Answer(503), Answer(200))
    assert await status(transport, "PUT") == 200
    assert transport.slept == [10.0, 4.0]


async def test_patience_has_an_end() -> None:
    transport = Scripted(Answer(429, Retry_After="12"))
    assert await status(transport) == 429
    assert transport.slept == [12.0, 12.0]


async def test_what_asks_for_more_than_that_is_not_waited_for() -> None:
    transport = Scripted(Answer(429, Retry_After="3600"))
    assert await status(transport) == 429
    assert transport.slept == []


@pytest.mark.parametrize(("method", "sent"), [("GET", 2), ("PUT", 1), ("DELETE", 1)])
async def test_only_a_read_is_made_again_after_a_failure(method: str, sent: int) -> None:
    transport = Scripted(Answer(500), Answer(200))
    await status(transport, method)
    assert transport.sent == sent


@pytest.mark.parametrize("code", [200, 404, 403, 409])
async def test_an_answer_is_an_answer(code: int) -> None:
    transport = Scripted(Answer(code))
    assert await status(transport) == code
    assert transport.sent == 1
