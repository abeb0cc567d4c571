"""The baseline beside the same Azure, on a clock that its own waiting moves."""

import asyncio
from typing import Any

from azure.mgmt.msi.aio import ManagedServiceIdentityClient

from bench.baseline import Baseline
from bench.timed_estate import machine_events, timed_azure
from simulator.arm.calls import Call
from simulator.clock import Clock
from tests.support.estate import BLOB_READER, POLICY, Estate

_SHARED = "id-shared"


class BaselineEstate:
    """As many machines as asked for, an identity for them, and the baseline to serve them."""

    def __init__(self, machines: int) -> None:
        self.estate = Estate(POLICY, timed_azure(Clock()))
        self.azure = self.estate.azure
        identity = asyncio.run(self._prepare(machines))
        self.events = machine_events(self.estate)
        self._baseline = Baseline(
            self.estate.subscription,
            identity.id,
            identity.principal_id,
            BLOB_READER,
            **self.azure.sync_client_options(self.estate.app),
        )
        self.azure.calls.clear()

    def handle(self, *events: dict[str, Any]) -> float:
        """Work on the events, one after the other; returns the seconds that passed."""
        started = self.azure.clock.now()
        for event in events:
            self._baseline.handle(event)
        return self.azure.clock.now() - started

    def take_calls(self) -> list[Call]:
        """The baseline's ARM calls since they were last taken."""
        calls = self.azure.calls_of(self.estate.app.object_id)
        self.azure.calls.clear()
        return calls

    def new_machine(self, name: str) -> list[dict[str, Any]]:
        """Make a machine; the events of it."""
        asyncio.run(self.estate.create_vm(name))
        return self.new_events()

    def deleted_machine(self, name: str) -> list[dict[str, Any]]:
        """Delete a machine; the events of it."""
        asyncio.run(self.estate.delete_vm(name))
        return self.new_events()

    def new_events(self) -> list[dict[str, Any]]:
        """What machines raised since they were last asked for."""
        self.azure.calls.clear()
        return machine_events(self.estate)

    async def _prepare(self, machines: int) -> Any:
        estate = self.estate
        await estate.create_groups()
        await asyncio.gather(*(estate.create_vm(f"vm-{n:05d}") for n in range(machines)))
        client = ManagedServiceIdentityClient(
            subscription_id=estate.subscription, **self.azure.client_options(estate.operator)
        )
        return await client.user_assigned_identities.create_or_update(
            "rg-identities", _SHARED, {"location": "westeurope"}
        )
