"""The queue of work, for messages that must wait: the Functions binding cannot delay one."""

import math

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
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
        """Enqueue `change`, visible after `delay` seconds. It never expires: nothing is lost.
        Raises Temporary, Permanent.
        """
        seconds = math.ceil(min(delay, self._longest_delay))
        with stored("enqueue"):
            await self._send(encode(stamped(change)), seconds)

    async def _send(self, message: str, seconds: int) -> None:
        """Once more where the connection broke: one that was idle may be closed at the other end,
        and a message that comes twice changes nothing.
        """
        for last in (False, False, True):
            try:
                await self._client.send_message(
                    message, visibility_timeout=seconds, time_to_live=-1
                )
            except (ServiceRequestError, ServiceResponseError):
                if last:
                    raise
            else:
                return
