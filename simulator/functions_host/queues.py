"""All queues of the app: triggers and output bindings over the same connections."""

import asyncio
from collections.abc import Iterable
from functools import partial

from simulator.functions_host.connections import Connections
from simulator.functions_host.functions import Binding, Function
from simulator.functions_host.host_json import QueueOptions
from simulator.functions_host.invocation import Invoke, Result
from simulator.functions_host.messages import (
    Message,
    encode_content,
    outgoing_texts,
    trigger_metadata,
)
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.queue_listener import QueueListener
from simulator.functions_host.storage_queue import StorageQueue

type _Key = tuple[str, str]
"""Connection and name of a queue."""


class Queues:
    """Holds a listener a queue trigger and writes what functions put out."""

    def __init__(
        self, connections: Connections, options: QueueOptions, *, message_seconds: int
    ) -> None:
        self._connections = connections
        self._message_seconds = message_seconds
        self._options = options
        self.listeners: list[QueueListener[StorageQueue]] = []
        self._queues: dict[_Key, StorageQueue] = {}

    async def prepare(self, functions: Iterable[Function], invoke: Invoke) -> None:
        """Open every connection: a bad setting shows at start. Queues are made by nobody here.

        Raises StartError for a connection that cannot be used.
        """
        for function in functions:
            for output in function.outputs:
                if output.type == "queue":
                    await self._queue(output)
            if function.enabled and function.trigger.type == "queueTrigger":
                await self._listen(function, invoke)

    async def _listen(self, function: Function, invoke: Invoke) -> None:
        queue = await self._queue(function.trigger)
        run = partial(_invoke_with_message, function, invoke)
        listener = QueueListener(queue, self._options, run, visibility=self._message_seconds)
        self.listeners.append(listener)

    async def write(self, function: Function, result: Result) -> None:
        """Write the outputs of a succeeded invocation. Raises AzureError where storage refuses."""
        outputs = [binding for binding in function.outputs if binding.type == "queue"]
        await asyncio.gather(*(self._write(binding, result) for binding in outputs))

    async def _write(self, binding: Binding, result: Result) -> None:
        value = result.output(binding.name)
        if value is None:
            return
        queue = await self._queue(binding)
        for text in outgoing_texts(value):
            await queue.send(encode_content(text, self._options.message_encoding))

    async def _queue(self, binding: Binding) -> StorageQueue:
        """One client a queue: making one costs a part of a millisecond, and events are many."""
        connection, name = _key(binding)
        service = await self._connections.queue_service(connection)
        if (connection, name) not in self._queues:
            self._queues[connection, name] = StorageQueue(service, name)
        return self._queues[connection, name]


def _key(binding: Binding) -> _Key:
    return binding.values.get("connection") or "", binding.values["queueName"]


async def _invoke_with_message(
    function: Function, invoke: Invoke, message: Message, text: str
) -> bool:
    data = TypedData(string=text)
    result = await invoke(function, data, trigger_metadata(message, text))
    return result.succeeded
