"""Decisions, published as CloudEvents to a custom topic of Event Grid, by the app's own identity.

Best effort: whatever becomes of it, the work goes on. What is not sent within the time is lost for
subscribers and stays on record.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import cached_property
from itertools import batched
from typing import TYPE_CHECKING, Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.messaging import CloudEvent
from azure.core.pipeline.transport import AsyncHttpTransport

from lanyard.notices.model import SCHEMA, Notice
from lanyard.telemetry import notices_lost

if TYPE_CHECKING:
    from azure.eventgrid.aio import EventGridPublisherClient

log = logging.getLogger("lanyard.notifications")

#: Seconds for all notices of one reconcile, the token and the first import included.
PUBLISH_SECONDS = 3.0
# Event Grid takes 1 MB a request, and a notice is some kilobytes at most.
_BATCH = 100


class Notifications:
    """One topic. `source` names the app in every event; `lost` counts what was not sent."""

    def __init__(
        self,
        endpoint: str,
        source: str,
        credential: AsyncTokenCredential,
        transport: AsyncHttpTransport[Any, Any],
    ) -> None:
        self._endpoint = endpoint
        self._source = source
        self._credential = credential
        self._transport = transport
        self.lost = 0

    async def publish(self, notices: Sequence[Notice]) -> None:
        """Send the notices within PUBLISH_SECONDS, each once, or lose them."""
        events = [self._event(notice) for notice in notices]
        sent = 0
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                for batch in batched(events, _BATCH, strict=False):
                    await self._client.send(list(batch))
                    sent += len(batch)
        except Exception as error:
            # Whatever it is, the work that it reports is done and on record.
            lost = len(events) - sent
            self.lost += lost
            notices_lost(lost)
            reason = f"{type(error).__name__} {error}".strip()
            log.warning("%d notices were not published: %s", lost, reason)

    @cached_property
    def _client(self) -> "EventGridPublisherClient":
        # Imported with the first notice: it takes as long as half of all other clients together.
        from azure.eventgrid.aio import EventGridPublisherClient

        return EventGridPublisherClient(
            self._endpoint, self._credential, transport=self._transport, retry_total=0
        )

    def _event(self, notice: Notice) -> CloudEvent[Any]:
        return CloudEvent(
            id=notice.id,
            source=self._source,
            type=notice.type.value,
            subject=notice.subject,
            time=notice.time,
            dataschema=SCHEMA,
            datacontenttype="application/json",
            data=notice.data.model_dump(mode="json", by_alias=True),
        )
