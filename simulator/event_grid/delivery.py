"""Delivery at least once: attempts, retries on the simulator's clock, dead letters."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from simulator.event_grid import handshake
from simulator.event_grid.dead_letters import (
    DeadLetterStore,
    DestinationMissing,
    DestinationUnavailable,
    Undelivered,
    path_of,
    record_of,
)
from simulator.event_grid.models import EventSubscription, Schema
from simulator.event_grid.queues import Queues
from simulator.event_grid.retries import GiveUp, Outcome, after_failure, expired, outcome_of
from simulator.event_grid.service import EventGrid
from simulator.state import Json, State

#: Event Grid waits so long for an answer, on the machine's clock.
TIMEOUT_SECONDS = 30.0
#: Posts under way at once: Azure's own number is unknown.
PARALLEL_POSTS = 64
_DEAD_LETTER_RETRY_SECONDS = 300.0
_DEAD_LETTER_GIVE_UP_SECONDS = 4 * 3600.0


@dataclass(frozen=True)
class Attempt:
    """One POST. `number` starts at 1; `at` on the simulator's clock."""

    subscription: str
    event: Json
    number: int
    at: float
    outcome: Outcome


class Delivery:
    """Sends what EventGrid publishes while this context is open.

    `attempts`, `dead_lettered`, `dropped` and `lost` tell what happened, in order.
    """

    def __init__(
        self,
        state: State,
        event_grid: EventGrid,
        http: httpx.AsyncClient,
        dead_letters: DeadLetterStore | None = None,
        queues: Queues | None = None,
    ) -> None:
        self.attempts: list[Attempt] = []
        self.dead_lettered: list[Undelivered] = []
        self.dropped: list[Undelivered] = []
        self.lost: list[Json] = []
        self._clock = state.clock
        self._event_grid = event_grid
        self._http = http
        self._dead_letters = dead_letters
        self._queues = queues
        self._tasks: set[asyncio.Task[None]] = set()
        self._due: dict[asyncio.Task[None], float] = {}  # of those that wait for the clock
        self._changed = asyncio.Event()
        self._hastened = asyncio.Event()
        self._posts = asyncio.Semaphore(PARALLEL_POSTS)
        self._broken: list[Exception] = []

    async def __aenter__(self) -> Self:
        self._event_grid.on_event(self._accept)
        self._event_grid.validate = self.validate
        self._event_grid.farewell = self._farewell
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._event_grid.forget(self._accept)
        self._event_grid.validate = self._event_grid.farewell = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._broken and exc_value is None:
            raise ExceptionGroup("event delivery broke", self._broken)

    async def validate(self, subscription: EventSubscription) -> None:
        """The handshake with its endpoint, which a queue has none of. Raises AzureError 400."""
        if subscription.queue is not None:
            return
        url = self._event_grid.address_of(subscription)
        if url is None:
            raise handshake.destination_not_found(subscription)
        code = self._event_grid.ids.uuid().upper()
        await handshake.validate(self._http, url, subscription, code, self._clock.now())

    async def settled(self) -> None:
        """Return once every event is done with, or waits for a moment yet to come."""
        while any(self._due.get(task, 0.0) <= self._clock.now() for task in self._tasks):
            self._changed.clear()
            await self._changed.wait()

    def hasten(self) -> None:
        """Have all that waits for its next attempt make it now, which nobody can ask of Azure: for
        whoever wants to see the end, and not to wait for it.
        """
        self._due = dict.fromkeys(self._due, self._clock.now())
        hastened, self._hastened = self._hastened, asyncio.Event()
        hastened.set()

    @property
    def outstanding(self) -> int:
        """Events that are neither delivered nor given up, those that wait included."""
        return len(self._tasks)

    def _accept(self, subscription: EventSubscription, event: Json) -> None:
        behaviour, chance = self._event_grid.behaviour, self._event_grid.ids.random
        if chance.random() < behaviour.loss_probability:
            self.lost.append(event)
            return
        held = chance.random() < behaviour.reorder_probability
        wait = behaviour.delay_seconds + (behaviour.reorder_seconds if held else 0.0)
        copies = 2 if chance.random() < behaviour.duplicate_probability else 1
        for _ in range(copies):
            self._start(self._deliver(subscription.id.lower(), event, wait))

    def _farewell(self, subscription: EventSubscription) -> None:
        if subscription.queue is not None:
            return
        event = handshake.deletion_event(subscription, self._event_grid.ids.uuid(), self._clock)
        self._start(self._say_farewell(subscription, event))

    async def _say_farewell(self, subscription: EventSubscription, event: Json) -> None:
        await self._post(subscription, event, 1, "SubscriptionDeletion")

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._due.pop(task, None)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._broken.append(error)
        self._changed.set()

    async def _sleep(self, seconds: float) -> None:
        task = asyncio.current_task()
        if task is None or seconds <= 0:
            return
        self._due[task] = self._clock.now() + seconds
        self._changed.set()
        waits = [
            asyncio.create_task(self._clock.sleep_until(self._due[task])),
            asyncio.create_task(self._hastened.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            del self._due[task]

    async def _deliver(self, subscription_key: str, event: Json, wait: float) -> None:
        """Until delivered, given up, or the event subscription is gone (it is read each time)."""
        published_at, number = self._clock.now(), 0
        await self._sleep(wait)
        while subscription := self._event_grid.subscriptions.get(subscription_key):
            number += 1
            attempt = await self._attempt(subscription, event, number)
            if attempt.outcome.delivered:
                return
            reason = await self._before_next(subscription, attempt, published_at)
            if reason is not None:
                await self._give_up(
                    Undelivered(
                        subscription,
                        event,
                        reason,
                        number,
                        attempt.outcome.name,
                        published_at,
                        attempt.at,
                    )
                )
                return

    async def _before_next(
        self, subscription: EventSubscription, attempt: Attempt, published_at: float
    ) -> str | None:
        """Wait for the next attempt; or the reason why there is none."""
        step = after_failure(
            attempt.outcome,
            attempt.number,
            subscription.retry,
            azure_resource=subscription.azure_resource,
            jitter=self._event_grid.ids.random.random() * self._event_grid.behaviour.retry_jitter,
        )
        if isinstance(step, GiveUp):
            return step.reason
        await self._sleep(step.after)
        late = expired(published_at, self._clock.now(), subscription.retry)
        return "TimeToLiveExceeded" if late else None

    async def _attempt(self, subscription: EventSubscription, event: Json, number: int) -> Attempt:
        async with self._posts:
            at = self._clock.now()
            outcome = await self._post(subscription, event, number)
        attempt = Attempt(subscription.name, event, number, at, outcome)
        self.attempts.append(attempt)
        return attempt

    async def _post(
        self,
        subscription: EventSubscription,
        event: Json,
        number: int,
        kind: str = "Notification",
    ) -> Outcome:
        if subscription.queue is not None:
            return await self._put(subscription, event)
        if self._event_grid.behaviour.app_stopped:
            return outcome_of(403)
        url = self._event_grid.address_of(subscription)
        if url is None:
            return Outcome("NotFound")
        body, headers = _message(subscription, event, number, kind)
        try:
            answer = await self._http.post(
                url, content=body, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except httpx.TimeoutException:
            return Outcome("TimedOut")
        except httpx.HTTPError:
            return Outcome("SocketError")
        return outcome_of(answer.status_code)

    async def _put(self, subscription: EventSubscription, event: Json) -> Outcome:
        if self._queues is None:
            return outcome_of(404)
        try:
            return outcome_of(await self._queues.put(subscription, event))
        except httpx.TimeoutException:
            return Outcome("TimedOut")
        except httpx.HTTPError:
            return Outcome("SocketError")

    async def _give_up(self, undelivered: Undelivered) -> None:
        await self._sleep(self._event_grid.behaviour.dead_letter_delay_seconds)
        if await self._dead_letter(undelivered):
            self.dead_lettered.append(undelivered)
        else:
            self.dropped.append(undelivered)

    async def _dead_letter(self, undelivered: Undelivered) -> bool:
        destination = undelivered.subscription.dead_letter
        if destination is None or self._dead_letters is None:
            return False
        since = self._clock.now()
        path = path_of(undelivered.subscription, since, self._event_grid.ids.uuid())
        while self._clock.now() - since < _DEAD_LETTER_GIVE_UP_SECONDS:
            try:
                await self._dead_letters.write(destination, path, record_of(undelivered))
            except DestinationMissing:
                return False
            except DestinationUnavailable:
                await self._sleep(_DEAD_LETTER_RETRY_SECONDS)
            else:
                return True
        return False


def _message(
    subscription: EventSubscription, event: Json, number: int, kind: str
) -> tuple[bytes, dict[str, str]]:
    """One event a POST: in an array in the Event Grid schema, bare as a CloudEvent."""
    headers = {
        "aeg-event-type": kind,
        "aeg-subscription-name": subscription.name.upper(),  # as seen on the wire
        "aeg-delivery-count": str(number - 1),
        "aeg-metadata-version": "1",
        "aeg-data-version": event.get("dataVersion", ""),
    }
    if subscription.schema is Schema.CLOUD_EVENTS:
        headers["content-type"] = "application/cloudevents+json; charset=utf-8"
        return json.dumps(event).encode(), headers
    headers["content-type"] = "application/json; charset=utf-8"
    return json.dumps([event]).encode(), headers
