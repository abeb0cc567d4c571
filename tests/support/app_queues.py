"""The app's queues on Azurite, past the app."""

import base64

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from demo.stack import QUEUE, Stack


async def put_raw(stack: Stack, body: str) -> None:
    """Put any text on the queue of work."""
    operator = stack.operator
    async with QueueClient(
        stack.azurite.queue_url, QUEUE, credential=operator.credential, **operator.options
    ) as queue:
        await queue.send_message(base64.b64encode(body.encode()).decode())


async def poisoned(stack: Stack) -> int:
    """How many messages lie in the poison queue."""
    operator = stack.operator
    async with QueueClient(
        stack.azurite.queue_url,
        f"{QUEUE}-poison",
        credential=operator.credential,
        **operator.options,
    ) as queue:
        try:
            found = (await queue.get_queue_properties()).approximate_message_count
        except ResourceNotFoundError:
            return 0
    return found or 0
