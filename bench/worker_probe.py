"""`python -m bench.worker_probe FUNCTION COUNT`: what an event that is none of ours costs the
worker, in the function of one of both ways.

Prints one line of JSON: `milliseconds` of processor time for one invocation in Microsoft's worker
library, which has the event's conversion and the function in it. It is a process of its own
because the library runs one app. The first tenth counts for nothing.
"""

import asyncio
import base64
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from simulator.functions_host import newtonsoft, worker
from simulator.functions_host.functions import Function, declared
from simulator.functions_host.invocation import Invocation
from simulator.functions_host.messages import Message, trigger_metadata
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.settings import Settings

_PROJECT = Path(__file__).parents[1]
#: As Azure reports the write of something that nobody gives identities to.
_EVENT = {
    "id": "2a7b1c4e-0000-4000-8000-000000000001",
    "topic": "/subscriptions/11111111-1111-1111-1111-111111111111",
    "subject": "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/"
    "Microsoft.Network/networkInterfaces/nic-1",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "eventTime": "2026-11-02T09:00:00Z",
    "data": {
        "operationName": "Microsoft.Network/networkInterfaces/write",
        "status": "Succeeded",
        "claims": {"appid": "22222222-2222-2222-2222-222222222222"},
        "correlationId": "33333333-3333-3333-3333-333333333333",
        "authorization": {"action": "Microsoft.Network/networkInterfaces/write"},
    },
    "dataVersion": "2",
    "metadataVersion": "1",
}


def main() -> int:
    """0; whatever fails is raised."""
    name, count = sys.argv[1], int(sys.argv[2])
    os.chdir(_PROJECT)
    spent = asyncio.run(_spent(name, count))
    sys.stdout.write(json.dumps({"milliseconds": spent * 1000 / count}) + "\n")
    return 0


async def _spent(name: str, count: int) -> float:
    """Seconds of processor time that so many invocations took."""
    (found,) = [each for each in await worker.load_app(_PROJECT) if each.name == name]
    function = declared(found, Settings(dict(os.environ)))
    invocations = [_invocation(function, number) for number in range(count + count // 10)]
    started = 0.0
    for number, invocation in enumerate(invocations):
        if number == count // 10:
            started = time.process_time()
        done = await worker.invoke(invocation)
        if not done.succeeded or done.outputs.get("work") or done.outputs.get("message"):
            raise RuntimeError(f"the event was not dropped: {done}")
    return time.process_time() - started


def _invocation(function: Function, number: int) -> Invocation:
    """As the host hands it over: parsed by it, or as it lies in the queue."""
    if function.trigger.type == "eventGridTrigger":
        data = TypedData(json=newtonsoft.compact(_EVENT))
        return Invocation(str(number), function, data, {}, "")
    text = base64.b64encode(json.dumps(_EVENT).encode()).decode()
    now = datetime.now(UTC)
    message = Message(str(number), text, "", 1, now, now, now)
    metadata = trigger_metadata(message, text)
    return Invocation(str(number), function, TypedData(string=text), metadata, "")


if __name__ == "__main__":
    # Threads of the worker library would keep the process.
    code = main()
    sys.stdout.flush()
    os._exit(code)
