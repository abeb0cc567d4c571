"""What triggers and the worker say to each other about one invocation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from simulator.functions_host.functions import Function
from simulator.functions_host.protocol import TypedData


@dataclass(frozen=True)
class Result:
    """What the function did. `error` is the exception with its traceback: for the log only."""

    succeeded: bool
    error: str = ""
    return_value: TypedData | None = None
    outputs: Mapping[str, TypedData] = field(default_factory=dict)

    def output(self, binding_name: str) -> TypedData | None:
        """What the function gave to an output binding; `$return` is its return value."""
        if binding_name == "$return":
            return self.return_value
        return self.outputs.get(binding_name)


class Invoke(Protocol):
    """Runs a function and writes its outputs. A failure is a failed Result, never raised."""

    async def __call__(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> Result: ...
