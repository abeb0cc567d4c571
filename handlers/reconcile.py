"""The queue of work: one message, one resource brought to what the policy says."""

import logging
from typing import TYPE_CHECKING

import azure.functions as func

from lanyard.queue.messages import QUEUE, fresh, packed, unpacked
from lanyard.queue.retry import PUT_ANEW

if TYPE_CHECKING:
    from lanyard.queue.locks import Arrival

blueprint = func.Blueprint()
log = logging.getLogger("lanyard")


@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
@blueprint.queue_output(arg_name="anew", queue_name=QUEUE, connection="AzureWebJobsStorage")
async def reconcile(message: func.QueueMessage, anew: func.Out[str], context: func.Context) -> None:
    """Work on one message. What fails is counted in the message, and put back by the app itself.

    What raises here is no fault of the message: a setting is missing, the policy cannot be used,
    the storage is away. Then the host hands it over again, and well before it would not any more
    the message is put on the queue anew by the host's own connection, which needs no setting of
    Lanyard's.
    """
    from lanyard.telemetry import within

    body = unpacked(message.get_body())
    with within(context.trace_context.trace_parent):
        try:
            await _work(body, message)
        except Exception as error:
            if (message.dequeue_count or PUT_ANEW) < PUT_ANEW:
                raise
            log.exception("a message is put on the queue anew: %s", error)
            anew.set(packed(fresh(body)))


async def _work(body: bytes, message: func.QueueMessage) -> None:
    from lanyard.app.composition import app

    await (await app()).worker.take(body, _arrival(message))


def _arrival(message: func.QueueMessage) -> "Arrival":
    from lanyard.queue.locks import Arrival

    inserted = message.insertion_time
    return Arrival(
        inserted.timestamp() if inserted is not None else None,
        redelivered=(message.dequeue_count or 1) > 1,
        message_id=message.id or "",
    )
