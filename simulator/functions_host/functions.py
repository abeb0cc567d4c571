"""What the app declares: functions, each with one trigger and its outputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.functions_host.errors import StartError
from simulator.functions_host.settings import Settings

TRIGGERS = ("eventGridTrigger", "queueTrigger", "timerTrigger", "httpTrigger")
OUTPUTS = ("queue", "http")


@dataclass(frozen=True)
class Binding:
    """One binding; `values` are its properties in camelCase with every %SETTING% resolved."""

    name: str
    type: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """`function_id` is the worker's; `name` is the one that people and Event Grid use.

    `enabled`: whether timers and queues start it; the admin API always can, as in Azure.
    """

    name: str
    function_id: str
    trigger: Binding
    outputs: tuple[Binding, ...]
    enabled: bool = True


@dataclass(frozen=True)
class Indexed:
    """A function as the worker found it; `bindings`: each as JSON, its %SETTINGS% as written."""

    name: str
    function_id: str
    bindings: tuple[str, ...]


def declared(indexed: Indexed, settings: Settings) -> Function:
    """Raises StartError for a binding that this host does not serve."""
    name = indexed.name
    bindings = [_binding(name, json.loads(raw), settings) for raw in indexed.bindings]
    triggers = [binding for binding in bindings if binding.type in TRIGGERS]
    outputs = tuple(binding for binding in bindings if binding.type in OUTPUTS)
    if len(triggers) != 1:
        raise StartError(f"function {name}: exactly one trigger is needed, found {len(triggers)}")
    return Function(name, indexed.function_id, triggers[0], outputs, not settings.disables(name))


def _binding(function: str, values: Mapping[str, Any], settings: Settings) -> Binding:
    kind = values["type"]
    if kind not in (*TRIGGERS, *OUTPUTS):
        served = ", ".join((*TRIGGERS, *OUTPUTS))
        raise StartError(
            f"function {function}: binding type {kind!r} is not served here ({served})"
        )
    try:
        resolved = {key: settings.resolve(value) for key, value in values.items()}
    except StartError as error:
        raise StartError(f"function {function}, binding {values['name']}: {error}") from None
    return Binding(values["name"], kind, resolved)
