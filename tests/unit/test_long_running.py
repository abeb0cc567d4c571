"""A long POST is followed to its end, whichever way the service tells of it."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from lanyard.azure.arm import long_running
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import code_of
from lanyard.azure.arm.long_running import LOOKS, POLL_SECONDS, PRESSED_LOOKS

STATUS = {"Azure-AsyncOperation": "https://arm.example/operations/1"}
MONITOR = {"Location": "https://arm.example/results/1"}


class Answer:
    """As much of a response as is looked at."""

    reason = ""

    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        self.status_code = status
        self.headers: Mapping[str, str] = {k.replace("_", "-"): v for k, v in headers.items()}
        self._body = body

    @property
    def content(self) -> bytes:
        return b"" if self._body is None else self.text().encode()

    def json(self) -> Any:
        return self._body

    def text(self) -> str:
        return str(self._body).replace("'", '"')

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(response=self)  # type: ignore[arg-type]


class Service:
    """Answers in turn; stands where the clients do."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.slept: list[float] = []
        self.resources = self
        self.pressed = False

    async def send_request(self, request: HttpRequest, **_options: float) -> Answer:
        self.asked.append(request.method)
        return self._answers.pop(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def is_pressed(self, _url: str) -> bool:
        return self.pressed


async def follow(*answers: Answer) -> Service:
    service = Service(*answers)
    await long_running.post(cast(Clients, service), "/vmss/upgrade", {}, "2024-11-01")
    return service


def started(**headers: str) -> Answer:
    answer = Answer(202)
    answer.headers = headers
    return answer


async def test_what_is_done_at_once_is_not_polled() -> None:
    service = await follow(Answer(200))
    assert service.asked == ["POST"]


async def test_a_status_is_polled_until_it_ends() -> None:
    running = Answer(200, {"status": "InProgress"})
    slow = Answer(200, {"status": "InProgress"}, Retry_After="7")
    service = await follow(
        started(**STATUS, **MONITOR), running, slow, Answer(200, {"status": "Succeeded"})
    )
    assert service.asked == ["POST", "GET", "GET", "GET"]
    assert service.slept == [POLL_SECONDS, POLL_SECONDS, 7]


async def test_a_location_is_polled_until_it_is_no_longer_202() -> None:
    service = await follow(
        started(**MONITOR), Answer(202, Retry_After="0"), Answer(202, Retry_After="x"), Answer(204)
    )
    assert service.slept == [POLL_SECONDS, POLL_SECONDS, POLL_SECONDS]


async def test_an_operation_that_failed_raises_its_own_code() -> None:
    failed = Answer(200, {"status": "Failed", "error": {"code": "VMExtensionError", "message": ""}})
    with pytest.raises(HttpResponseError) as raised:
        await follow(started(**STATUS), failed)
    assert code_of(raised.value) == "VMExtensionError"


async def test_a_refusal_raises() -> None:
    with pytest.raises(HttpResponseError):
        await follow(Answer(403, {"error": {"code": "AuthorizationFailed", "message": ""}}))


def machine(state: str) -> dict[str, Any]:
    return {"id": "/vm", "properties": {"provisioningState": state}}


async def write(*answers: Answer, pressed: bool = False) -> tuple[Service, Any]:
    service = Service(*answers)
    service.pressed = pressed
    request = HttpRequest("PATCH", "/vm", json={})
    return service, await long_running.write(cast(Clients, service), request)


@pytest.mark.parametrize(
    ("pressed", "looks"), [(False, LOOKS), (True, PRESSED_LOOKS)], ids=["plenty", "pressed"]
)
async def test_what_shows_that_it_is_at_work_is_read_until_it_is_not(
    pressed: bool, looks: tuple[float, ...]
) -> None:
    accepted = Answer(200, machine("Updating"))
    accepted.headers = STATUS
    at_work = [Answer(200, machine("Updating")) for _ in looks]
    service, body = await write(
        accepted, *at_work, Answer(200, machine("Succeeded")), pressed=pressed
    )
    assert body == machine("Succeeded")
    reads = ["GET"] * (len(looks) + 1)
    assert service.asked == ["PATCH", *reads], "the last of them is the one that verifies"
    assert service.slept == [*looks, looks[-1]], "the last interval is that of all that follow"


async def test_a_write_that_fails_raises_the_code_of_its_operation() -> None:
    accepted = Answer(200, machine("Updating"))
    accepted.headers = STATUS
    failed = Answer(200, {"status": "Failed", "error": {"code": "VMExtensionError", "message": ""}})
    with pytest.raises(HttpResponseError) as raised:
        await write(accepted, Answer(200, machine("Failed")), failed)
    assert code_of(raised.value) == "VMExtensionError"


async def test_a_machine_that_was_failed_before_is_as_its_write_left_it() -> None:
    accepted = Answer(200, machine("Updating"))
    accepted.headers = STATUS
    succeeded = Answer(200, {"status": "Succeeded"})
    _, body = await write(accepted, Answer(200, machine("Failed")), succeeded)
    assert body == machine("Failed")


async def test_what_answers_with_nothing_but_a_location_is_read_when_it_has_ended() -> None:
    service, body = await write(started(**MONITOR), Answer(200), Answer(200, machine("Succeeded")))
    assert body == machine("Succeeded")
    assert service.asked == ["PATCH", "GET", "GET"]


async def test_what_is_done_at_once_is_not_read_again() -> None:
    service, body = await write(Answer(200, machine("Succeeded")))
    assert (service.asked, body) == (["PATCH"], machine("Succeeded"))
