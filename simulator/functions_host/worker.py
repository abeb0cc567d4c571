"""The only file that knows Microsoft's worker library (azure-functions-runtime).

The library keeps the app in module globals, so a process runs one app. The order of calls is the
host's: init (which imports and indexes the app), metadata, then invocations.
"""

import builtins
import logging
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from simulator.functions_host.errors import StartError
from simulator.functions_host.functions import Function, function_from_metadata
from simulator.functions_host.invocation import Result
from simulator.functions_host.protocol import PROTOS, ParameterBinding, StatusResult, TypedData
from simulator.functions_host.settings import Settings

log = logging.getLogger("host.worker")

# Exceptions that Python itself raises for mistakes in the code: their message alone helps nobody.
_MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    SyntaxError,
    TypeError,
)


async def load_app(script_root: Path, settings: Settings) -> list[Function]:
    """Import and index the app in `script_root`. Raises StartError with the app's own message."""
    library_log = logging.getLogger("azure.functions")
    if not log.isEnabledFor(logging.DEBUG):
        library_log.setLevel(logging.CRITICAL)  # it prints the traceback that we report ourselves
    sys.path.insert(0, str(script_root))
    await _index(script_root)
    response = await runtime.functions_metadata_request(_request())
    if response.function_metadata_results is None:
        raise StartError(f"no function_app.py with functions in {script_root}")
    runtime.start_threadpool_executor()
    return [
        function_from_metadata(found.name, found.function_id, found.raw_bindings, settings)
        for found in response.function_metadata_results
    ]


async def _index(script_root: Path) -> None:
    init = SimpleNamespace(capabilities={}, function_app_directory=str(script_root))
    try:
        response = await runtime.worker_init_request(_request(worker_init_request=init))
    except SystemExit as error:  # the library lets it through: an app may refuse to start that way
        raise StartError(str(error.code)) from None
    if response.result.status != StatusResult.Success:
        raise StartError(_start_message(response.result.exception))


def _start_message(exception: Any) -> str:
    """`Type: text` and a traceback become the text; of a mistake in the code, both."""
    message: str = exception.message
    kind, _, text = message.partition(": ")
    known = getattr(builtins, kind, None)
    mistake = isinstance(known, type) and issubclass(known, _MISTAKES)
    if not text or mistake or log.isEnabledFor(logging.DEBUG):
        return f"{message}\n{exception.stack_trace}".rstrip()
    return text


async def invoke(
    function: Function, invocation_id: str, data: TypedData, metadata: Mapping[str, TypedData]
) -> Result:
    """Run the function once in the worker; its exceptions come back as a failed Result."""
    invocation = SimpleNamespace(
        invocation_id=invocation_id,
        function_id=function.function_id,
        input_data=[ParameterBinding(name=function.trigger.name, data=data)],
        trigger_metadata=dict(metadata),
        trace_context=_trace_context(),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    response = await runtime.invocation_request(_request(invocation_request=invocation))
    if response.result.status != StatusResult.Success:
        return Result(False, error=response.result.exception.stack_trace.rstrip())
    outputs = {output.name: output.data for output in response.output_data}
    return Result(True, return_value=response.return_value, outputs=outputs)


def _trace_context() -> SimpleNamespace:
    """The host's own span of an invocation (W3C Trace Context, sampled)."""
    parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    return SimpleNamespace(trace_parent=parent, trace_state="", attributes={})


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
