"""One invocation, whatever triggered it: run the function, write its outputs, log how it went."""

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import Mapping

from azure.core.exceptions import AzureError

from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Invocation, Result
from simulator.functions_host.language_worker import LanguageWorker
from simulator.functions_host.logs import current_invocation
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.queues import Queues

log = logging.getLogger("host.invocations")


class Invoker:
    def __init__(self, worker: LanguageWorker, queues: Queues) -> None:
        self._worker = worker
        self._queues = queues

    async def invoke(
        self,
        function: Function,
        data: TypedData,
        metadata: Mapping[str, TypedData] | None = None,
        *,
        parent: str | None = None,
    ) -> Result:
        """Run `function` and write its outputs; a failure of either is a failed Result."""
        seen = "" if parent is None else _continued(parent)
        invocation = Invocation(str(uuid.uuid4()), function, data, metadata or {}, seen)
        # A task of its own: the invocation id of the log belongs to it alone.
        return await asyncio.create_task(self._invoke(invocation))

    async def _invoke(self, invocation: Invocation) -> Result:
        function = invocation.function
        current_invocation.set(invocation.id)
        log.info("Executing 'Functions.%s' (Id=%s)", function.name, invocation.id)
        started = time.monotonic()
        result = await self._worker.invoke(invocation)
        if result.succeeded:
            result = await self._write_outputs(function, result)
        milliseconds = (time.monotonic() - started) * 1000
        how = f"Id={invocation.id}, Duration={milliseconds:.0f}ms"
        if result.succeeded:
            log.info("Executed 'Functions.%s' (Succeeded, %s)", function.name, how)
        else:
            log.error("Executed 'Functions.%s' (Failed, %s): %s", function.name, how, result.error)
        return result

    async def _write_outputs(self, function: Function, result: Result) -> Result:
        try:
            await self._queues.write(function, result)
        except (AzureError, ValueError) as error:
            return Result(False, error=f"output binding: {type(error).__name__}: {error}")
        return result


def _continued(parent: str) -> str:
    """Of the host's own span: within the caller's trace, where it has one (W3C Trace Context)."""
    trace = parent.split("-")[1] if parent.count("-") == 3 else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"
