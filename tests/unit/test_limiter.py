"""What goes out when, and what is learned from the answers."""

from typing import Any, cast

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest

from lanyard.azure.throttling.limiter import Limiter
from lanyard.azure.throttling.quota import Quota
from lanyard.values.errors import NotYet

URL = "https://management.azure.com/subscriptions/11111111-1111-1111-1111-111111111111/x"


class Answer:
    """Of a write."""

    def __init__(self, status: int, **headers: str) -> None:
        self.http_response, self.status_code, self.headers = self, status, headers
        self.content = b""

    def text(self) -> str:
        return "SubscriptionRequestsThrottled" if self.status_code == 429 else ""


class Azure:
    """It answers in turn. Waiting takes no time; `meanwhile`: what happens in the next wait."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.seconds, self.sent = list(answers), 0.0, list[float]()
        self.meanwhile: Any = None
        self.limiter = Limiter(Quota(reserve=0), 3, lambda: self.seconds, self.sleep)
        self.limiter.next = cast(Any, self)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            await meanwhile

    async def send(self, _request: Any) -> Any:
        self.sent.append(self.seconds)
        return self.answers.pop(0)

    async def put(self, patience: float = 3) -> None:
        context = PipelineContext(None, patience=patience)
        await self.limiter.send(PipelineRequest(HttpRequest("PUT", URL), context))


NONE_LEFT = {"x-ms-ratelimit-remaining-subscription-writes": "0"}


async def test_each_waits_for_its_token() -> None:
    azure = Azure(Answer(200, **NONE_LEFT), Answer(200, **NONE_LEFT))
    await azure.put()
    await azure.put()
    assert azure.sent == pytest.approx([0, 0.1])


async def test_who_waits_while_another_is_refused_does_not_go_out_in_its_time() -> None:
    azure = Azure(Answer(200, **NONE_LEFT), Answer(429, **{"Retry-After": "5"}), Answer(200))
    await azure.put()
    azure.meanwhile = azure.put()
    await azure.put(patience=60)
    refused, answered = azure.sent[1:]
    assert answered - refused >= 5


async def test_who_has_no_patience_left_comes_back_later() -> None:
    azure = Azure(Answer(200, **NONE_LEFT), Answer(429, **{"Retry-After": "5"}))
    await azure.put()
    azure.meanwhile = azure.put()
    with pytest.raises(NotYet) as later:
        await azure.put()
    assert later.value.delay > 3
    assert len(azure.sent) == 2
