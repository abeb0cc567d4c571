"""One invocation, whatever triggered it: run the function, write its outputs, log how it went."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping

from azure.core.exceptions import AzureError

from simulator.functions_host import worker
from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Result
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.queues import Queues

log = logging.getLogger("host.invocations")


class Invoker:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def invoke(
        self,
        function: Function,
        data: TypedData,
        metadata: Mapping[str, TypedData] | None = None,
    ) -> Result:
        """Run `function` and write its outputs; a failure of either is a failed Result."""
        # A task of its own: the invocation id of the log belongs to it alone.
        return await asyncio.create_task(self._invoke(function, data, metadata or {}))

    async def _invoke(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData]
    ) -> Result:
        invocation_id = str(uuid.uuid4())
        worker.enter_invocation(invocation_id)
        log.info("Executing 'Functions.%s' (Id=%s)", function.name, invocation_id)
        started = time.monotonic()
        result = await worker.invoke(function, invocation_id, data, metadata)
        if result.succeeded:
            result = await self._write_outputs(function, result)
        milliseconds = (time.monotonic() - started) * 1000
        if result.succeeded:
            log.info("Executed 'Functions.%s' (Succeeded, %.0f ms)", function.name, milliseconds)
        else:
            log.error(
                "Executed 'Functions.%s' (Failed, %.0f ms): %s",
                function.name,
                milliseconds,
                result.error,
            )
        return result

    async def _write_outputs(self, function: Function, result: Result) -> Result:
        try:
            await self._queues.write(function, result)
        except (AzureError, ValueError) as error:
            return Result(False, error=f"output binding: {type(error).__name__}: {error}")
        return result
