"""An Event Grid function that does nothing: what the host itself costs."""

import azure.functions as func

app = func.FunctionApp()


@app.event_grid_trigger(arg_name="event")
async def resource_events(event: func.EventGridEvent) -> None:
    """One event, dropped."""
    _ = event
