"""The queue of work: one message, one resource brought to what the policy says."""

from typing import TYPE_CHECKING

import azure.functions as func

from lanyard.queue.messages import QUEUE, decode
from lanyard.queue.retry import MAX_DELIVERIES

if TYPE_CHECKING:
    from lanyard.queue.locks import Arrival

blueprint = func.Blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
async def reconcile(message: func.QueueMessage, context: func.Context) -> None:
    """Work on one message; what raises here goes back to the queue, in the end to its poison.

    So does every message while the policy cannot be used: the error names its file and line.
    """
    from lanyard.app.composition import app, decisions
    from lanyard.app.giving_up import recorded
    from lanyard.telemetry import within

    body, arrival = message.get_body(), _arrival(message)
    with within(context.trace_context.trace_parent):
        async with recorded(body, arrival, decisions):
            change, worker = decode(body), (await app()).worker
        await worker.process(change, arrival)


def _arrival(message: func.QueueMessage) -> "Arrival":
    from lanyard.queue.locks import Arrival

    inserted, taken = message.insertion_time, message.dequeue_count
    return Arrival(
        inserted.timestamp() if inserted is not None else None,
        redelivered=(taken or 1) > 1,
        is_last=(taken or MAX_DELIVERIES) >= MAX_DELIVERIES,
    )
