"""A person at the command line, beside an in-process Azure: they may read the subscription, and
nothing else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.cli import main
from lanyard.cli.frame import connect
from lanyard.desk.azure.connection import Reading, reading_over
from lanyard.ports.queue import WaitingEvents
from lanyard.values.change import Change
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import ResourceId
from simulator.tokens.credential import AsyncPrincipalCredential
from tests.support.dead_letters import Lying
from tests.support.estate import POLICY, Estate, FakeQueue

STORAGE = "stlanyard"


@dataclass(frozen=True)
class Ran:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Desk:
    """The estate is Lanyard's too: `estate.settle()` lets it do its work."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        policy: str = POLICY,
        estate: Estate | None = None,
    ) -> None:
        self.estate = estate or Estate(policy)
        azure = self.estate.azure
        self.person = azure.state.add_principal("engineer", "User")
        azure.assign(self.person.object_id, "Reader", self.estate.scope)
        self.group = f"{self.estate.scope}/resourceGroups/rg-app"
        self.dead_letters, self.poison = Lying(), Lying()
        self.events = Waiting()
        self._capsys = capsys
        self.policy = folder / "lanyard.yaml"
        self.write_policy(policy)
        monkeypatch.setattr(connect, "reading", self._reading)
        monkeypatch.setattr(connect, "app", self._app)

    def write_policy(self, policy: str) -> None:
        self.policy.write_text(policy)

    async def lanyard(self, *arguments: str) -> Ran:
        """The command, as its process would run it: with an event loop of its own."""
        self._capsys.readouterr()
        code = await asyncio.to_thread(main, arguments)
        written = self._capsys.readouterr()
        return Ran(code, written.out, written.err)

    async def plan(self, *arguments: str) -> Ran:
        return await self.lanyard("plan", "--policy", str(self.policy), *arguments)

    async def plan_in_full(self, *arguments: str) -> Ran:
        """Each resource by itself."""
        return await self.plan("--full", *arguments)

    async def app(self, *arguments: str) -> Ran:
        """A command that reaches the deployed app."""
        principal = self.estate.app.object_id
        which = ["--storage", STORAGE, "--installation", self.estate.installation]
        return await self.lanyard(*arguments, *which, "--app-principal", principal)

    async def put(self, path: str, body: dict[str, Any]) -> ResourceId:
        """Make `TYPE/NAME…` in the group, as the operator."""
        resource = ResourceId.parse(f"{self.group}/providers/{path}")
        kind = compute_type(resource.type)
        assert kind is not None
        poller = await self._owner.resources.begin_create_or_update_by_id(
            resource.text, body, api_version=kind.api_version, polling_interval=1
        )
        await poller.wait()
        return resource

    def calls(self) -> list[str]:
        """The person's ARM calls so far, as "METHOD last-two-segments"; forgets them."""
        azure = self.estate.azure
        calls = azure.calls_of(self.person.object_id)
        azure.calls.clear()
        return [f"{call.method} {'/'.join(call.path.split('/')[-2:])}" for call in calls]

    async def gone(self, resource: ResourceId) -> None:
        """The delete event of a resource, worked on."""
        change = Change(resource, "test", deleted=self.estate.azure.clock.now())
        await self.estate.worker.process(change)

    async def started(self) -> None:
        """The app is deployed and has swept once; the person's calls so far are forgotten."""
        await self._owner.resource_groups.create_or_update("rg-lanyard", {"location": "westeurope"})
        await self.estate.settle()
        await self.estate.sweeps.run()
        await self.estate.settle()
        self.calls()

    @property
    def _owner(self) -> ResourceManagementClient:
        return ResourceManagementClient(
            subscription_id=self.estate.subscription,
            **self.estate.azure.client_options(self.estate.operator),
        )

    @asynccontextmanager
    async def _reading(self, options: connect.AzureOptions) -> AsyncIterator[Reading]:
        connect.chosen_cloud(options.cloud)
        azure, settings = self.estate.azure, self.estate.settings
        credential = AsyncPrincipalCredential(azure.tokens, self.person)
        async with reading_over(
            credential, settings.arm, settings.graph, azure.transport()
        ) as reading:
            yield reading

    @asynccontextmanager
    async def _app(
        self, options: connect.AzureOptions, where: connect.AppOptions
    ) -> AsyncIterator[connect.App]:
        estate = self.estate
        address = connect.storage_address(where.storage, connect.chosen_cloud(options.cloud), {})
        async with self._reading(options) as reading:
            yield connect.App(
                who=f"{self.person.display_name}@example.com",
                account=address.account,
                tables=estate.tables,
                queue=DeskQueue(estate.queue),
                events=self.events,
                dead_letters=self.dead_letters,
                poison=self.poison,
                reading=reading,
                azure=reading.ports(
                    where.app_principal or "", await connect.installation_of(estate.tables, where)
                ),
                now=estate.azure.clock.now,
            )


class Waiting:
    """The queues of events, of which a person sees when the oldest message came: `since` by the
    name of their account.
    """

    def __init__(self) -> None:
        self.since: dict[str, datetime | None] = {}

    async def waiting(self, account: str) -> WaitingEvents | None:
        return WaitingEvents(self.since[account]) if account in self.since else None


class DeskQueue:
    """The estate's queue as a person sees it."""

    def __init__(self, queue: FakeQueue) -> None:
        self._queue = queue

    async def put(self, change: Change, delay: float = 0) -> None:
        await self._queue.put(change, delay)

    async def waiting(self) -> int:
        return len(self._queue.messages)
