"""The `$filter` of the list of virtual machines: those of one flexible scale set."""

import re
from collections.abc import Callable

from simulator.compute.scale_sets import scale_set_of
from simulator.errors import AzureError
from simulator.state import Resource

_OF_SCALE_SET = re.compile(r"\s*'virtualMachineScaleSet/id'\s+eq\s+'([^']+)'\s*", re.IGNORECASE)


def machine_filter(text: str | None) -> Callable[[Resource], bool]:
    """A predicate. Raises AzureError 400 for every other filter."""
    if not text:
        return lambda _machine: True
    match = _OF_SCALE_SET.fullmatch(text)
    if match is None:
        raise AzureError(400, "InvalidParameter", f"The filter '{text}' is not supported.")
    return lambda machine: scale_set_of(machine) == match[1].lower()
