"""An Event Grid function that puts the subject on a queue: what the host and the queue cost."""

import azure.functions as func

app = func.FunctionApp()


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="message", queue_name="subjects", connection="AzureWebJobsStorage")
async def resource_events(event: func.EventGridEvent, message: func.Out[str]) -> None:
    """One event onto the queue, nothing looked at."""
    message.set(event.subject)
