"""The Azure Functions app: registers the blueprints of handlers/, nothing else."""

import azure.functions as func

from handlers import reconcile, resource_events, sweep
from lanyard.runtime import policy

# A missing or invalid policy stops the start, with file, line and reason, not the first event.
policy()

app = func.FunctionApp()
app.register_functions(resource_events.blueprint)
app.register_functions(reconcile.blueprint)
app.register_functions(sweep.blueprint)
