"""The Azure Functions app: registers the blueprints of handlers/, nothing else.

A new instance has to answer its first event at once, so nothing is imported here that only the
work itself needs: the handlers do that
(docs/dev/adr/0010-the-policy-is-read-with-the-first-work.md).

The functions are there whatever is missing: an app that raises while it is imported has none in
Azure, and nothing says why (docs/dev/adr/0018-functions-always-register.md).
"""

import logging

import azure.functions as func

from handlers import (
    dead_letters,
    policy_changes,
    queued_events,
    reconcile,
    resource_events,
    sweep,
)
from lanyard.settings import unusable

if problem := unusable():
    logging.getLogger("lanyard").error("not configured, nothing is done: %s", problem)

app = func.FunctionApp()
app.register_functions(resource_events.blueprint)
app.register_functions(queued_events.blueprint)
app.register_functions(reconcile.blueprint)
app.register_functions(sweep.blueprint)
app.register_functions(policy_changes.blueprint)
app.register_functions(dead_letters.blueprint)
