"""Throttle before being throttled: every request waits for its token, or does not go out at all."""

from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from lanyard.azure.arm.failures import retry_after
from lanyard.azure.throttling.quota import Admission, Quota, TooLong
from lanyard.telemetry import limiter_refused, limiter_waited
from lanyard.values.errors import NotYet

#: A 429 that names no time.
_UNNAMED_SECONDS = 10.0


class Limiter(AsyncHTTPPolicy[Any, Any]):
    """A policy of the SDKs' pipeline, before the one that adds the token.

    A request waits up to `patience` seconds, or as many as its own option of that name says; for
    one that would wait longer NotYet is raised, so that it holds no function. `now`: seconds of any
    clock that only goes forward; `sleep` waits on the same one.
    """

    def __init__(
        self,
        quota: Quota,
        patience: float,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._quota = quota
        self._patience = patience
        self._now = now
        self._sleep = sleep

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it when there is a token for it, and learn from the answer."""
        method, url = request.http_request.method, request.http_request.url
        patience = request.context.options.pop("patience", self._patience)
        admission = await self._admitted(method, url, patience)
        response = await self.next.send(request)
        answer, now = response.http_response, self._now()
        self._quota.heed(admission, answer.headers, now)
        if answer.status_code == 429:
            seconds = retry_after(answer, _UNNAMED_SECONDS)
            self._quota.refuse(admission, answer.text(), seconds, now)
        return response

    async def _admitted(self, method: str, url: str, patience: float) -> Admission:
        """When it may go out. Who waited looks again: another call may have been refused since."""
        admission = self._quota.admit(method, url, self._now(), patience)
        while isinstance(admission, Admission) and admission.wait:
            limiter_waited(admission.wait)
            await self._sleep(admission.wait)
            patience = max(patience - admission.wait, 0.0)
            admission = self._quota.renew(admission, method, url, self._now(), patience)
        if isinstance(admission, TooLong):
            raise spared(admission)
        return admission


def spared(refused: TooLong) -> NotYet:
    """What is raised instead of sending a request."""
    limiter_refused(refused.bucket[0])
    return NotYet(f"Azure's quota is spared: {' of '.join(refused.bucket)}", refused.delay)
