"""The queue of work, for messages that must wait: the Functions binding cannot delay one."""

import math

from azure.storage.queue.aio import QueueClient

from lanyard.azure.arm.failures import stored
from lanyard.queue.messages import encode
from lanyard.settings import MAX_DELAY
from lanyard.telemetry import stamped
from lanyard.values.change import Change


class WorkQueue:
    """Puts changes on the queue that `handlers/reconcile.py` reads (base64, as host.json says).

    `longest_delay`: seconds; who asks for more gets that.
    """

    def __init__(self, client: QueueClient, longest_delay: float = MAX_DELAY) -> None:
        self._client = client
        self._longest_delay = longest_delay

    async def put(self, change: Change, delay: float = 0) -> None:
        """Enqueue `change`, visible after `delay` seconds. It never expires: nothing is lost."""
        seconds = math.ceil(min(delay, self._longest_delay))
        with stored("enqueue"):
            await self._client.send_message(
                encode(stamped(change)), visibility_timeout=seconds, time_to_live=-1
            )
