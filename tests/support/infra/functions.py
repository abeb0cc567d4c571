"""The app's functions, as the Bicep files name them."""

from handlers.resource_events import blueprint


def event_function() -> str:
    (builder,) = blueprint._function_builders
    return str(builder._function.get_function_name())
