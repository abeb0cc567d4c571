"""The Azure Functions app: registers the blueprints of handlers/, nothing else.

A new instance has to answer its first event at once, so nothing is imported here that only the
work itself needs: the handlers do that
(docs/dev/adr/0010-the-policy-is-read-with-the-first-work.md).
"""

import azure.functions as func

from handlers import dead_letters, policy_changes, reconcile, resource_events, sweep
from lanyard.settings import settings

# A missing setting stops the start and is named, not the first event.
settings()

app = func.FunctionApp()
app.register_functions(resource_events.blueprint)
app.register_functions(reconcile.blueprint)
app.register_functions(sweep.blueprint)
app.register_functions(policy_changes.blueprint)
app.register_functions(dead_letters.blueprint)
