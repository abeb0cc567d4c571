"""What runs in the storm: the local Azure, Azurite behind a front that fails, and the host."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.data.tables.aio import TableClient
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from chaos.policy import Edition, policy_text
from chaos.storage import StorageFront
from demo.events import BY_WEBHOOK, EVENTS, make_queues, subscribe, webhook_of
from demo.hosts import MICROSOFT, OURS, PROJECT
from demo.operator import Operator
from demo.stack import QUEUE, TIMERS_OFF, deploy, settings_of
from demo.timers import run_now
from simulator.azure import Azure
from simulator.azurite import Azurite
from simulator.behaviour import Behaviour
from simulator.certificates import make_certificates
from simulator.clock import Clock
from simulator.functions_host.microsoft import MicrosoftHost, free_port
from simulator.functions_host.process import HostProcess, HostStartError
from simulator.serve import Addresses, serve

#: What differs from a deployment, so that a run takes minutes: nothing waits longer than that.
SETTINGS = {
    "LANYARD_LONGEST_DELAY_SECONDS": "12",
    "LANYARD_QUOTA_RESERVE": "0",  # nobody else calls here
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:03",
    "AzureFunctionsJobHost__logging__logLevel__default": "Information",
}
#: The app's queues, in the order in which a change comes by.
QUEUES = (EVENTS, QUEUE)
_OPERATION_SECONDS = 0.4
_STARTS = 10


@dataclass(frozen=True)
class Stack:
    """What is running. `app` is the principal id of Lanyard's own identity; `policy` the file."""

    azure: Azure
    addresses: Addresses
    front: StorageFront
    host: HostProcess
    operator: Operator
    app: str
    policy: Path
    teams: int

    async def kill_host(self, away: float) -> None:
        """SIGKILL, and a new start after so many seconds."""
        await self.host.kill()
        await self.azure.clock.sleep_until(self.azure.clock.now() + away)
        await start(self.host)

    async def restart_under(self, edition: Edition) -> None:
        """As a deployment of another policy does. The host is dead, and starts."""
        self.policy.write_text(policy_text(self.teams, edition))
        await start(self.host)

    async def waiting(self, *, poison: bool = False) -> int:
        """The messages of the queues, those that are hidden or being worked on included."""
        # Events first: what is taken from there lies on the queue of work before it goes.
        return sum([await self._waiting(name, poison=poison) for name in QUEUES])

    async def _waiting(self, name: str, *, poison: bool) -> int:
        async with self.queue(name, poison=poison) as queue:
            try:
                return (await queue.get_queue_properties()).approximate_message_count or 0
            except Exception as error:
                if getattr(error, "status_code", None) == 404:
                    return 0
                raise

    async def leases(self) -> list[str]:
        """The blobs whose leases are held, in the container that Lanyard keeps them in."""
        container = ContainerClient(
            self.front.azurite.blob_url,
            "lanyard-leases",
            credential=self.operator.credential,
            **self.operator.options,
        )
        async with container:
            blobs = [blob async for blob in container.list_blobs()]
        return [str(blob.name) for blob in blobs if blob.lease.state == "leased"]

    def table(self, name: str) -> TableClient:
        """One of Lanyard's tables, past the front."""
        return TableClient(
            self.front.azurite.table_url,
            name,
            credential=self.operator.credential,
            **self.operator.options,
        )

    def queue(self, name: str, *, poison: bool = False) -> QueueClient:
        """A queue of the app or its poison queue, past the front."""
        return QueueClient(
            self.front.azurite.queue_url,
            name + ("-poison" if poison else ""),
            credential=self.operator.credential,
            **self.operator.options,
        )

    async def sweep(self) -> bool:
        """Run the sweep by the host's admin API; whether it ended well."""
        return await run_now(self.host, "sweep", self.azure.clock)


async def start(host: HostProcess) -> None:
    """Storage fails at a start, too: then the platform starts the host again."""
    for _ in range(_STARTS):
        try:
            return await host.start()
        except HostStartError as error:
            problem = error
    raise problem


@asynccontextmanager
async def running(
    directory: Path,
    *,
    seed: int,
    teams: int,
    app: Path = PROJECT,
    message_seconds: int,
    host_name: str = OURS,
    way: str = BY_WEBHOOK,
) -> AsyncIterator[Stack]:
    """Start everything in `directory`; `app` is the folder of the function app to run, in the host
    of this name; `way`: how events come to it. Raises NoMicrosoftHost.
    """
    certificates = make_certificates(directory / "tls")
    policy = directory / "lanyard.yaml"
    policy.write_text(policy_text(teams))
    async with AsyncExitStack() as stack:
        azurite = await stack.enter_async_context(Azurite(certificates))
        front = await stack.enter_async_context(StorageFront(azurite, certificates, seed))
        behaviour = Behaviour(operation_seconds=_OPERATION_SECONDS, group_delete_seconds=1.0)
        azure = Azure(seed=seed, clock=Clock(running=True), behaviour=behaviour)
        azure.state.add_subscription("Lanyard in the storm")
        addresses = await stack.enter_async_context(
            serve(azure, certificates, azurite_queue_url=azurite.queue_url)
        )
        operator = await stack.enter_async_context(Operator(addresses))
        identity = await deploy(azure, operator, policy)
        await make_queues(operator, azurite.queue_url, *QUEUES)
        settings: Mapping[str, str] = {
            **settings_of(azure, addresses, front, identity, policy),
            **SETTINGS,
            **TIMERS_OFF,
            "PYTHONPATH": str(PROJECT),
        }
        host: HostProcess
        if host_name == MICROSOFT:
            front.hidden_seconds = message_seconds
            host = MicrosoftHost(app, settings, directory, port=free_port())
        else:
            host = HostProcess(
                app, settings, directory, port=free_port(), message_seconds=message_seconds
            )
        await stack.enter_async_context(host)
        await subscribe(operator, way, webhook_of(host))
        # The first look at everything: nothing is taken before it.
        assert await run_now(host, "policy_changes", azure.clock), host.log_file
        principal = identity["principalId"]
        yield Stack(azure, addresses, front, host, operator, principal, policy, teams)
