"""Events a second through the Event Grid webhook: real host processes, Azurite, real time."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from bench.figures import Budget, Figure, Tell
from bench.latencies import MACHINE_OPERATION
from bench.options import Options
from bench.timed_estate import machine_events
from demo.operator import Operator
from simulator.azure import Azure
from simulator.azurite import Azurite
from simulator.behaviour import Behaviour
from simulator.certificates import make_certificates
from simulator.clock import Clock
from simulator.functions_host.process import HostProcess
from simulator.serve import Addresses, serve
from tests.support.estate import BLOB_READER, Estate

_PROJECT = Path(__file__).parents[1]
_APPS = _PROJECT / "bench" / "apps"
_LANYARD, _EMPTY, _QUEUE, _TUTORIAL = "events_only", "empty", "event_to_queue", "tutorial"
#: POSTs under way at a time; Event Grid sends side by side, too, one event each unless told else.
_AT_ONCE = 16
#: Seconds of load a turn.
_TURN = 2.0
#: Machines that the baseline gets: it needs seconds for each.
_BASELINE_MACHINES = 12

type Event = dict[str, Any]


@dataclass(frozen=True)
class _Rates:
    """Events a second, one entry a turn; `baseline` of the tutorial's app, once."""

    turns: Mapping[str, list[float]]
    baseline: float

    def of(self, app: str) -> float:
        return median(self.turns[app])

    def ratio(self, app: str, to: str) -> float:
        """Median over the turns: both had the same moment of this computer."""
        pairs = zip(self.turns[app], self.turns[to], strict=True)
        return median(one / other for one, other in pairs)


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Medians over the turns. Raises AzuriteError where Azurite is not installed."""
    rates = asyncio.run(_measure(options.runs, tell))
    shown = (
        f"events/s: Lanyard {rates.of(_LANYARD):,.0f}, empty {rates.of(_EMPTY):,.0f}, "
        f"baseline {rates.baseline:.1f}"
    )
    return [
        Figure(
            "ingest: events a second ÷ an empty Event Grid function",
            rates.ratio(_LANYARD, _EMPTY),
            "",
            rates.baseline / rates.of(_EMPTY),
            detail=f"{shown}; {_AT_ONCE} requests at once, one event each",
        ),
        Figure(
            "ingest: events a second ÷ a function that only puts to a queue",
            rates.ratio(_LANYARD, _QUEUE),
            "",
            rates.baseline / rates.of(_QUEUE),
            Budget(0.9, at_least=True),
            f"events/s of that one: {rates.of(_QUEUE):,.0f}",
        ),
    ]


async def _measure(turns: int, tell: Tell) -> _Rates:
    event = await _sample()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with _platform(Path(folder)) as platform:
            tell("three apps in hosts of their own")
            rates = await _take_turns(platform, event, turns, tell)
            tell(f"the baseline with {_BASELINE_MACHINES} machines")
            return _Rates(rates, await _baseline(platform))


async def _sample() -> Event:
    """A machine's write event, as Event Grid sends it."""
    estate = Estate()
    await estate.create_groups()
    await estate.create_vm("vm-0")
    return machine_events(estate)[0]


@dataclass(frozen=True)
class _Platform:
    """What every app needs, and where its host keeps its files."""

    azure: Azure
    addresses: Addresses
    operator: Operator
    settings: dict[str, str]
    directory: Path

    def host(self, app: str, **more: str) -> HostProcess:
        return HostProcess(_APPS / app, {**self.settings, **more}, self.directory / app)


@asynccontextmanager
async def _platform(directory: Path) -> AsyncIterator[_Platform]:
    certificates = make_certificates(directory / "tls")
    behaviour = Behaviour(operation_seconds=MACHINE_OPERATION)
    azure = Azure(clock=Clock(running=True), behaviour=behaviour)
    azure.state.add_subscription("bench")
    async with (
        Azurite(certificates) as azurite,
        serve(azure, certificates) as addresses,
        Operator(addresses) as operator,
    ):
        yield _Platform(azure, addresses, operator, _settings(addresses, azurite), directory)


def _settings(addresses: Addresses, azurite: Azurite) -> dict[str, str]:
    return {
        "AzureWebJobsStorage__blobServiceUri": azurite.blob_url,
        "AzureWebJobsStorage__queueServiceUri": azurite.queue_url,
        "AzureWebJobsStorage__tableServiceUri": azurite.table_url,
        "AzureWebJobsStorage__credential": "managedidentity",
        "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000001",
        "LANYARD_PRINCIPAL_ID": "00000000-0000-0000-0000-000000000002",
        "LANYARD_INSTALLATION": "00000000-0000-0000-0000-000000000003",
        "LANYARD_POLICY": str(_PROJECT / "demo" / "lanyard.yaml"),
        "IDENTITY_ENDPOINT": addresses.identity_endpoint,
        "IDENTITY_HEADER": addresses.operator.identity_header,
        "SSL_CERT_FILE": str(addresses.certificates.ca_file),
    }


async def _take_turns(
    platform: _Platform, event: Event, turns: int, tell: Tell
) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {app: [] for app in (_EMPTY, _LANYARD, _QUEUE)}
    async with AsyncExitStack() as stack:
        hosts = {app: await stack.enter_async_context(platform.host(app)) for app in rates}
        for turn in range(turns + 1):
            tell(f"turn {turn} of {turns}, {_TURN:g} s an app" if turn else "once to warm up")
            for app, host in hosts.items():
                rate = await _load(host, _copies(event))
                if turn:
                    rates[app].append(rate)
    return rates


def _copies(event: Event) -> Iterator[Event]:
    """The event of one machine after the other."""
    for number in itertools.count():
        subject = f"{event['subject']}-{number}"
        data = {**event["data"], "resourceUri": subject}
        yield {**event, "id": f"{event['id']}-{number}", "subject": subject, "data": data}


async def _load(host: HostProcess, events: Iterator[Event]) -> float:
    """Send for a turn; events a second that were taken."""
    async with aiohttp.ClientSession() as session:
        started = time.perf_counter()
        until = started + _TURN

        async def send() -> int:
            count = 0
            while time.perf_counter() < until:
                await _post(session, host, next(events))
                count += 1
            return count

        counts = await asyncio.gather(*(send() for _ in range(_AT_ONCE)))
        return sum(counts) / (time.perf_counter() - started)


async def _post(session: aiohttp.ClientSession, host: HostProcess, event: Event) -> None:
    """One delivery. Raises RuntimeError where the app fails."""
    query = {"functionName": "resource_events", "code": host.keys["eventgrid_extension"]}
    url = f"{host.url}/runtime/webhooks/eventgrid"
    headers = {"aeg-event-type": "Notification"}
    async with session.post(url, params=query, headers=headers, json=[event]) as response:
        if response.status != 202:
            log = host.log_file.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the webhook answered {response.status}:\n{log}")


async def _baseline(platform: _Platform) -> float:
    """Events a second of new machines, all sent at once, each answered when it is worked on."""
    operator = platform.operator
    await operator.create_group("rg-app", "westeurope")
    identity = await operator.create(
        "rg-app/Microsoft.ManagedIdentity/userAssignedIdentities/id-shared",
        "2024-11-30",
        {"location": "westeurope"},
    )
    settings = {
        "ARM": platform.addresses.arm,
        "SUBSCRIPTION": operator.subscription,
        "IDENTITY": identity["id"],
        "PRINCIPAL": identity["properties"]["principalId"],
        "ROLE": BLOB_READER,
    }
    names = [f"vm-{number}" for number in range(_BASELINE_MACHINES)]
    made = await asyncio.gather(*(operator.create_vm("rg-app", n, "westeurope") for n in names))
    async with platform.host(_TUTORIAL, **settings) as host, aiohttp.ClientSession() as session:
        started = time.perf_counter()
        await asyncio.gather(*(_post(session, host, _written(machine)) for machine in made))
        return len(made) / (time.perf_counter() - started)


def _written(machine: str) -> Event:
    return {
        "id": machine,
        "topic": "/subscriptions/0",
        "subject": machine,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-11-02T09:00:00Z",
        "data": {},
        "dataVersion": "2",
        "metadataVersion": "1",
    }
