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


@dataclass(frozen=True)
class Invocation:
    """What the worker is asked to run: a function of the app, once.

    `parent`: the traceparent that the function sees (W3C Trace Context), "" where there is none.
    """

    id: str
    function: Function
    data: TypedData
    metadata: Mapping[str, TypedData]
    parent: str


class Invoke(Protocol):
    """Runs a function and writes its outputs. A failure is a failed Result, never raised.

    `parent`: that of the request that caused it; None where nothing over HTTP did, so that the
    function sees none.
    """

    async def __call__(
        self,
        function: Function,
        data: TypedData,
        metadata: Mapping[str, TypedData] | None = None,
        /,
        *,
        parent: str | None = None,
    ) -> Result: ...
