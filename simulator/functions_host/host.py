"""The host's story: read what the app declares, prepare its triggers, serve them, stop in order."""

import asyncio
import json
import logging
import os
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TextIO

from azure.core.exceptions import AzureError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from simulator.functions_host import worker
from simulator.functions_host.admin import Admin
from simulator.functions_host.connections import Connections
from simulator.functions_host.errors import StartError
from simulator.functions_host.event_grid import EventGridWebhook
from simulator.functions_host.functions import Function
from simulator.functions_host.host_json import HostJson, read_host_json
from simulator.functions_host.http import http_routes
from simulator.functions_host.invocation import Invoke
from simulator.functions_host.invoker import Invoker
from simulator.functions_host.keys import Keys, load_keys
from simulator.functions_host.logs import parse_level, set_up_logging
from simulator.functions_host.queue_listener import VISIBILITY
from simulator.functions_host.queues import Queues
from simulator.functions_host.server import STOP_SECONDS, Server, listen
from simulator.functions_host.settings import Settings, read_settings
from simulator.functions_host.timers import timer_listener

log = logging.getLogger("host")

STORAGE_SECONDS = 15
"""How long storage and the token endpoint may take at start."""


class Listener(Protocol):
    """A trigger that looks for work by itself."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


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

    Raises StartError where the app, its settings or its storage do not let it start.
    """
    settings = read_settings(options.script_root, os.environ)
    host_json = read_host_json(options.script_root, settings.values)
    level = parse_level(host_json.logging.log_level.get("default", "Information"))
    set_up_logging(level, worker.current_invocation)
    keys = load_keys(options.keys_file)
    _enter(options.script_root, settings)
    functions = await worker.load_app(options.script_root, settings)
    async with Connections(settings) as connections:
        queues = Queues(
            connections, host_json.extensions.queues, message_seconds=options.message_seconds
        )
        invoke = Invoker(queues).invoke
        await _prepare_queues(queues, functions, invoke)
        timed = (f for f in functions if f.enabled and f.trigger.type == "timerTrigger")
        timers = [timer_listener(function, invoke) for function in timed]
        admin = Admin({f.name: f for f in functions}, keys, invoke)
        app = _web_app(functions, host_json, keys, invoke, admin)
        with listen(options.port) as listening:
            stop = _stop_event(stop_at_eof=options.stop_at_eof)
            print(_ready_line(listening, functions, keys), file=ready, flush=True)
            await _serve(Server(app), listening, [*queues.listeners, *timers], admin, stop)


def _enter(script_root: Path, settings: Settings) -> None:
    """The app sees its settings as environment variables and its folder as the current one."""
    os.environ.update(settings.values)
    os.chdir(script_root)


async def _prepare_queues(queues: Queues, functions: list[Function], invoke: Invoke) -> None:
    try:
        async with asyncio.timeout(STORAGE_SECONDS):
            await queues.prepare(functions, invoke)
    except AzureError as error:
        raise StartError(f"the app's queues cannot be created: {error}") from None
    except TimeoutError:
        raise StartError(f"storage or its tokens: no answer within {STORAGE_SECONDS} s") from None


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


async def _serve(
    server: Server,
    listening: socket.socket,
    listeners: list[Listener],
    admin: Admin,
    stop: asyncio.Event,
) -> None:
    """Run until `stop`, then let running invocations end. Raises what broke a listener."""
    work = [asyncio.create_task(server.serve([listening]))]
    work += [asyncio.create_task(listener.run()) for listener in listeners]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([stopped, *work], return_when=asyncio.FIRST_COMPLETED)
    log.info("Stopping: no new work is taken")
    server.should_exit = True
    for listener in listeners:
        listener.stop()
    work.append(asyncio.create_task(admin.finish()))
    done, unfinished = await asyncio.wait(work, timeout=STOP_SECONDS)
    if unfinished:
        log.warning("Stopped with work still running after %d s", STOP_SECONDS)
    for task in (stopped, *unfinished):
        task.cancel()
    for task in done:
        task.result()
