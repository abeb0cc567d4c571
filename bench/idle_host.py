"""Megabytes an hour that Microsoft's own Functions host sends to Application Insights while nothing
happens: by the levels of `host.json`, and without them.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.figures import Figure, Tell
from bench.options import Options
from demo.hosts import PROJECT
from demo.stack import Stack, running
from simulator.functions_host.microsoft import MicrosoftHost, missing

#: A start has much to say: that is over by then.
_SETTLE_SECONDS = 30.0
_SECONDS = 90.0
_APP = ("function_app.py", "handlers", "lanyard")


def measure(_options: Options, tell: Tell) -> list[Figure]:
    """Nothing where Microsoft's host is not at hand, which `tell` says."""
    if reason := missing():
        tell(reason)
        return []
    host_json = json.loads((PROJECT / "host.json").read_text("utf-8"))
    tell(f"{_SECONDS:g} idle seconds with the levels of host.json")
    cut = asyncio.run(_sent(host_json))
    tell(f"{_SECONDS:g} idle seconds without them")
    del host_json["logging"]["OpenTelemetry"]
    whole = asyncio.run(_sent(host_json))
    return [
        Figure(
            "idle Microsoft's host, telemetry an hour",
            cut * 3600 / _SECONDS / 1e6,
            "MB",
            detail=f"without the OpenTelemetry levels of host.json: "
            f"{whole * 3600 / _SECONDS / 1e6:.1f} MB; timers off, {_SECONDS:g} s each",
        )
    ]


async def _sent(host_json: Mapping[str, object]) -> int:
    """Bytes of the envelopes that the host sent in the time, as JSON."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        app = Path(folder) / "app"
        _lay_out(app, host_json)

        def host(settings: Mapping[str, str], directory: Path) -> MicrosoftHost:
            return MicrosoftHost(app, settings, directory)

        async with running(
            Path(folder),
            _unseen,
            make_host=host,
            more={"LANYARD_TELEMETRY": "false"},
            telemetry_by_key=True,
        ) as stack:
            await asyncio.sleep(_SETTLE_SECONDS)
            before = _bytes(stack)
            await asyncio.sleep(_SECONDS)
            return _bytes(stack) - before


def _lay_out(app: Path, host_json: Mapping[str, object]) -> None:
    """The app as it is, beside a host.json of its own."""
    app.mkdir()
    for name in _APP:
        (app / name).symlink_to(PROJECT / name)
    (app / "host.json").write_text(json.dumps(host_json), "utf-8")


def _bytes(stack: Stack) -> int:
    taken = stack.azure.services.components.taken
    return sum(len(json.dumps(each.envelope, ensure_ascii=False).encode()) for each in taken)


@asynccontextmanager
async def _unseen(_title: str) -> AsyncIterator[None]:
    yield
