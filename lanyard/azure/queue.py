"""The queue of work, for messages that must wait: the Functions binding cannot delay one."""

import math

from azure.storage.queue.aio import QueueClient

from lanyard.azure.failures import stored
from lanyard.messages import encode
from lanyard.model import Change

#: Azure's longest visibility delay is 7 days.
MAX_DELAY = 7 * 24 * 3600 - 60


class WorkQueue:
    """Puts changes on the queue that `handlers/reconcile.py` reads (base64, as host.json says)."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    async def put(self, change: Change, delay: float = 0) -> None:
        """Enqueue `change`, visible after `delay` seconds. It never expires: nothing is lost."""
        seconds = min(math.ceil(delay), MAX_DELAY)
        with stored("enqueue"):
            await self._client.send_message(
                encode(change), visibility_timeout=seconds, time_to_live=-1
            )
