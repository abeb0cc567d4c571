"""The host's story: read what the app declares, prepare its triggers, serve them, stop in order."""

import asyncio
import json
import os
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from simulator.functions_host.admin import Admin
from simulator.functions_host.connections import Connections
from simulator.functions_host.event_grid import EventGridWebhook
from simulator.functions_host.functions import Function, declared
from simulator.functions_host.host_json import HostJson, read_host_json
from simulator.functions_host.http import http_routes
from simulator.functions_host.invocation import Invoke
from simulator.functions_host.invoker import Invoker
from simulator.functions_host.keys import Keys, load_keys
from simulator.functions_host.language_worker import LanguageWorker
from simulator.functions_host.logs import parse_level, set_up_logging
from simulator.functions_host.queue_listener import VISIBILITY
from simulator.functions_host.queues import Queues
from simulator.functions_host.server import Server, listen
from simulator.functions_host.serving import Listener, serve
from simulator.functions_host.settings import read_settings
from simulator.functions_host.timer_state import BlobState
from simulator.functions_host.timers import TimerListener, timer_listener

_HOST_ID = "AzureFunctionsWebHost__hostid"


@dataclass(frozen=True)
class Options:
    """What the command line says. `stop_at_eof`: the end of stdin means stop, as SIGTERM does.

    `message_seconds`: a queue message is taken so long, and renewed at half of it.
    """

    script_root: Path
    port: int = 0
    keys_file: Path | None = None
    stop_at_eof: bool = False
    message_seconds: int = VISIBILITY


async def run_host(options: Options, ready: TextIO) -> None:
    """Serve the app until a signal. One JSON line goes to `ready` when it can be called.

    Raises StartError where its settings do not let it start, HostFailure where it ends as the real
    host does: the app cannot be imported, its queue fails.
    """
    settings = read_settings(options.script_root, os.environ)
    host_json = read_host_json(options.script_root, settings.values)
    level = parse_level(host_json.logging.log_level.get("default", "Information"))
    set_up_logging(level)
    keys = load_keys(options.keys_file)
    os.environ.update(settings.values)  # the host's own credentials read them, too
    worker = LanguageWorker(
        options.script_root, dict(os.environ), level, host_json.function_timeout
    )
    try:
        indexed = await worker.start()
        functions = [declared(each, settings) for each in indexed]
        async with Connections(settings) as connections:
            await _run(options, ready, worker, functions, connections, host_json, keys)
    finally:
        worker.kill()


async def _run(
    options: Options,
    ready: TextIO,
    worker: LanguageWorker,
    functions: list[Function],
    connections: Connections,
    host_json: HostJson,
    keys: Keys,
) -> None:
    queues = Queues(
        connections, host_json.extensions.queues, message_seconds=options.message_seconds
    )
    invoke = Invoker(worker, queues).invoke
    await queues.prepare(functions, invoke)
    timers = await _timers(connections, functions, invoke)
    admin = Admin({f.name: f for f in functions}, keys, invoke, timers)
    app = _web_app(functions, host_json, keys, invoke, admin)
    with listen(options.port) as listening:
        stop = _stop_event(stop_at_eof=options.stop_at_eof)
        print(_ready_line(listening, functions, keys), file=ready, flush=True)
        listeners: list[Listener] = [*queues.listeners, *timers.values()]
        await serve(Server(app), listening, listeners, worker, stop)


async def _timers(
    connections: Connections, functions: list[Function], invoke: Invoke
) -> dict[str, TimerListener]:
    timed = [f for f in functions if f.enabled and f.trigger.type == "timerTrigger"]
    if not timed:
        return {}
    blobs = await connections.host_blobs()
    host_id = os.environ.get(_HOST_ID, "local")
    return {
        function.name: timer_listener(function, invoke, BlobState(blobs, host_id, function.name))
        for function in timed
    }


def _web_app(
    functions: list[Function], host_json: HostJson, keys: Keys, invoke: Invoke, admin: Admin
) -> Starlette:
    webhook = EventGridWebhook({f.name: f for f in functions}, keys, invoke)
    prefix = host_json.extensions.http.route_prefix
    return Starlette(
        routes=[*webhook.routes, *admin.routes, *http_routes(functions, prefix, keys, invoke)],
        exception_handlers={405: _not_found},
    )


async def _not_found(_request: Request, _error: Exception) -> Response:
    """The real host knows no 405: a method that no function declares is not found."""
    return Response(status_code=404)


def _ready_line(listening: socket.socket, functions: list[Function], keys: Keys) -> str:
    return json.dumps(
        {
            "url": f"http://127.0.0.1:{listening.getsockname()[1]}",
            "functions": [{"name": f.name, "type": f.trigger.type} for f in functions],
            "keys": asdict(keys),
            "pid": os.getpid(),
        }
    )


def _stop_event(*, stop_at_eof: bool) -> asyncio.Event:
    """Set by SIGTERM and SIGINT and, where asked for, by the end of stdin."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.set()

    if stop_at_eof:
        loop.add_reader(0, read)
    return stop
