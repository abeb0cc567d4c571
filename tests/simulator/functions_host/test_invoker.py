"""The trace that a function is told of: its caller's over HTTP, none for queue, timer and hand."""

import re
from typing import cast

import pytest

from simulator.functions_host.functions import Binding, Function
from simulator.functions_host.invocation import Invocation, Result
from simulator.functions_host.invoker import Invoker
from simulator.functions_host.language_worker import LanguageWorker
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.queues import Queues

FUNCTION = Function("f", "1", Binding("m", "queueTrigger", {}), ())
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Worker:
    """Keeps the trace that it is given; its calls put nothing out."""

    parent = "not called"

    async def invoke(self, invocation: Invocation) -> Result:
        self.parent = invocation.parent
        return Result(False, error="on purpose")


@pytest.mark.parametrize(
    ("parent", "seen"),
    [
        (None, ""),
        ("", "00-[0-9a-f]{32}-[0-9a-f]{16}-01"),
        (f"00-{TRACE}-00f067aa0ba902b7-01", f"00-{TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01"),
    ],
    ids=["no request", "a request without one", "a request with one"],
)
async def test_the_trace_of_a_call_is_that_of_its_request(parent: str | None, seen: str) -> None:
    worker = Worker()
    invoker = Invoker(cast(LanguageWorker, worker), cast(Queues, None))
    await invoker.invoke(FUNCTION, TypedData(string=""), parent=parent)
    assert re.fullmatch(seen, worker.parent)
