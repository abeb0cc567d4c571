"""The queue of work: one message, one resource brought to what the policy says."""

import azure.functions as func

from lanyard.queue.messages import QUEUE, decode

blueprint = func.Blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
async def reconcile(message: func.QueueMessage, context: func.Context) -> None:
    """Work on one message; what raises here goes back to the queue, in the end to its poison.

    So does every message while the policy cannot be used: the error names its file and line.
    """
    from lanyard.app.composition import app
    from lanyard.queue.locks import Arrival
    from lanyard.telemetry import within

    inserted = message.insertion_time
    arrival = Arrival(
        inserted.timestamp() if inserted is not None else None, (message.dequeue_count or 1) > 1
    )
    with within(context.trace_context.trace_parent):
        await (await app()).worker.process(decode(message.get_body()), arrival)
