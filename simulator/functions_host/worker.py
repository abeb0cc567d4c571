"""The only file that knows Microsoft's worker library (azure-functions-runtime).

The library keeps the app in module globals, so a process runs one app. The order of calls is the
host's: init (which imports and indexes the app), metadata, then invocations.
"""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from simulator.functions_host.functions import Indexed
from simulator.functions_host.invocation import Invocation, Result
from simulator.functions_host.protocol import PROTOS, ParameterBinding, StatusResult


class AppError(Exception):
    """The app cannot be imported or indexed; the text is its own, with the traceback."""


async def load_app(script_root: Path) -> list[Indexed]:
    """Import and index the app in `script_root`. Raises AppError, or what the app ends itself by
    (SystemExit).
    """
    # It prints the traceback; the real host shows it nowhere.
    logging.getLogger("azure.functions").setLevel(logging.CRITICAL)
    sys.path.insert(0, str(script_root))
    init = SimpleNamespace(capabilities={}, function_app_directory=str(script_root))
    response = await runtime.worker_init_request(_request(worker_init_request=init))
    if response.result.status != StatusResult.Success:
        exception = response.result.exception
        raise AppError(f"{exception.message}\n{exception.stack_trace}".rstrip())
    response = await runtime.functions_metadata_request(_request())
    runtime.start_threadpool_executor()
    return [
        Indexed(found.name, found.function_id, tuple(found.raw_bindings))
        for found in response.function_metadata_results or ()
    ]


async def invoke(invocation: Invocation) -> Result:
    """Run the function once in the worker; its exceptions come back as a failed Result."""
    function = invocation.function
    request = SimpleNamespace(
        invocation_id=invocation.id,
        function_id=function.function_id,
        input_data=[ParameterBinding(name=function.trigger.name, data=invocation.data)],
        trigger_metadata=dict(invocation.metadata),
        trace_context=SimpleNamespace(
            trace_parent=invocation.parent, trace_state="", attributes={}
        ),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    response = await runtime.invocation_request(_request(invocation_request=request))
    if response.result.status != StatusResult.Success:
        return Result(False, error=response.result.exception.stack_trace.rstrip())
    outputs = {output.name: output.data for output in response.output_data}
    return Result(True, return_value=response.return_value, outputs=outputs)


def enter_invocation(invocation_id: str) -> None:
    """Name the current task's invocation, for the log; the library does it for threads only."""
    runtime.invocation_id_cv.set(invocation_id)


def current_invocation() -> str | None:
    invocation_id: str | None = runtime.invocation_id_cv.get()
    return invocation_id


def _request(**content: Any) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(**content), properties={"host": "127.0.0.1", "protos": PROTOS}
    )
