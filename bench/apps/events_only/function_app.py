"""Lanyard's event function alone, as an instance of Flex Consumption has it: every function that
is not triggered by HTTP has instances of its own there, so no reconcile shares its processor.
"""

import azure.functions as func

from handlers import resource_events

app = func.FunctionApp()
app.register_functions(resource_events.blueprint)
