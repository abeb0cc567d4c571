"""Lanyard beside an in-process Azure: the handlers and the real SDKs, no socket, a clock that
stands still. Only the tables and the queue are in memory here; the end-to-end tests use Azurite.
"""

import json
import logging
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.compute.models import VirtualMachine
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from handlers import queued_events as queued_handler
from handlers import reconcile as reconcile_handler
from handlers import resource_events as event_handler
from lanyard.app.composition import App, composed
from lanyard.azure.connection import azure_over, notifications_over
from lanyard.policy.document import Policy
from lanyard.policy.load import parse_policy
from lanyard.ports.tables import Tables
from lanyard.queue.locks import Locks
from lanyard.queue.messages import unpacked
from lanyard.reconcile.services import assemble
from lanyard.record.decisions import Decision, app_name
from lanyard.settings import Settings
from lanyard.values.change import Change
from lanyard.values.clouds import Endpoint
from lanyard.values.resource_id import ResourceId
from simulator.azure import IN_PROCESS_URL, Azure
from simulator.event_grid.models import TopicType
from simulator.functions_host.messages import outgoing_texts
from simulator.functions_host.protocol import TypedData
from simulator.state import Resource, RoleDefinition
from simulator.tokens.credential import AsyncPrincipalCredential
from tests.support.memory_leases import MemoryLeases
from tests.support.memory_marks import MemoryMarks, as_swept
from tests.support.memory_poison import MemoryPoison
from tests.support.memory_table import MemoryTable
from tests.support.rights import every_action

#: Whose the app's role assignments are, and of another app.
INSTALLATION = "1a57a11a-0000-4000-8000-000000000001"
ANOTHER_INSTALLATION = "1a57a11a-0000-4000-8000-000000000002"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"

POLICY = """
version: 1
mode: full
identities:
  regional: {name: "id-lanyard-{location}", resourceGroup: rg-identities}
rules:
  - name: machines read blobs
    match: {types: [Microsoft.Compute/virtualMachines], exclude: {tags: {lanyard: ignore}}}
    attach: [regional]
    grant:
      - {role: Storage Blob Data Reader, scope: "{resourceGroup}", to: regional}
orphans: {graceMinutes: 0}
limits: {removals: {perHour: 50, graceMinutes: 0}}
"""

#: A machine that loses this tag is no longer what the rule is for. (Excluding one takes nothing.)
SERVED = {"served": "yes"}
SERVED_POLICY = POLICY.replace("exclude: {tags: {lanyard: ignore}}", 'tags: {served: "yes"}')


def limited(limits: str, policy: str = POLICY) -> str:
    """The policy with these limits of removals: "perHour: 1"."""
    return policy.replace("{perHour: 50, ", f"{{{limits}, ")


PROFILE = {"hardwareProfile": {"vmSize": "Standard_B1s"}}


@cache
def parsed(policy: str) -> Policy:
    """The same text is read once: a policy is never changed."""
    return parse_policy("lanyard.yaml", policy)


class _Loud(logging.Handler):
    """A fault of the product's own ends a test: nobody may take it for one of Azure's."""

    def emit(self, record: logging.LogRecord) -> None:
        assert record.exc_info is not None
        assert record.exc_info[1] is not None
        raise record.exc_info[1]


#: Whoever provokes a fault takes it off for the while.
LOUD = _Loud()
logging.getLogger("lanyard.faults").addHandler(LOUD)


class FakeQueue:
    """What was put on the queue, with its delay in seconds."""

    def __init__(self) -> None:
        self.messages: list[tuple[Change, float]] = []

    async def put(self, change: Change, delay: float = 0) -> None:
        self.messages.append((change, delay))


class Estate:
    """One subscription with a group for compute and one for identities, and Lanyard's identity.

    `azure` where it is to have another clock or behaviour, `table` what makes each of the tables.
    """

    def __init__(
        self,
        policy: str = POLICY,
        azure: Azure | None = None,
        table: Callable[[], MemoryTable] = MemoryTable,
    ) -> None:
        self.azure = azure or Azure(seed=7)
        self._make_table = table
        self.notices_url = ""
        self.installation = INSTALLATION
        state = self.azure.state
        self.platform = self.azure.services
        self.subscription = state.add_subscription("production").id
        self.scope = f"/subscriptions/{self.subscription}"
        self.operator = state.add_principal("operator", "User")
        self.azure.assign(self.operator.object_id, "Owner", self.scope)
        self.app = state.add_principal("id-lanyard-app")
        self.name = app_name(self.app.client_id)
        self._grant_rights()
        self.platform.directory.grant_permission(self.app.object_id)
        self.topic = self.platform.event_grid.add_topic(
            f"{self.scope}/resourceGroups/rg-lanyard/providers/Microsoft.EventGrid/systemTopics/t",
            self.scope,
            TopicType.SUBSCRIPTION,
        )
        self.compute = ComputeManagementClient(
            subscription_id=self.subscription, **self.azure.client_options(self.operator)
        )
        self._start_lanyard(policy)

    def another(self, policy: str) -> "Estate":
        """A second app that watches the same subscription, with storage and an installation of its
        own.
        """
        second = copy(self)
        second.installation = ANOTHER_INSTALLATION
        second.app = self.azure.state.add_principal("id-lanyard-another")
        second._grant_rights()
        second.platform.directory.grant_permission(second.app.object_id)
        second._start_lanyard(policy)
        return second

    def _grant_rights(self) -> None:
        state = self.azure.state
        role = RoleDefinition(
            state.ids.uuid(), "Lanyard", "", "CustomRole", every_action(), [], [], [], [self.scope]
        )
        state.role_definitions[role.guid] = role
        self.azure.assign(self.app.object_id, role.guid, self.scope)
        self.azure.assign(self.app.object_id, "Role Based Access Control Administrator", self.scope)

    def _start_lanyard(self, policy: str) -> None:
        self.tables = Tables.named(lambda _name: self._make_table())
        tables = self.tables
        as_swept(tables.control, tables.resources, tables.grants, tables.identities, tables.held)
        self.marks = MemoryMarks()
        self.queue, self.poison = FakeQueue(), MemoryPoison()
        self.leases = MemoryLeases(self.azure.clock.now)
        self.change_policy(policy)

    def change_policy(self, policy: str) -> None:
        """Another policy, over the same ledger."""
        self.policy = parsed(policy)
        self.restart()

    def open_topic(self) -> str:
        """A custom topic that the app publishes to from now on; returns its id."""
        group = f"{self.scope}/resourceGroups/rg-lanyard"
        topic = f"{group}/providers/Microsoft.EventGrid/topics/decisions"
        schema = {"inputSchema": "CloudEventSchemaV1_0"}
        self.azure.state.resources[topic.lower()] = Resource(
            topic, "Microsoft.EventGrid/topics", "decisions", "westeurope", {}, schema
        )
        self.azure.assign(self.app.object_id, "EventGrid Data Sender", topic)
        self.notices_url = f"{IN_PROCESS_URL}/eventgrid/decisions.westeurope-1/api/events"
        self.restart()
        return topic

    def restart(self) -> None:
        self.settings = Settings(
            policy=Path("lanyard.yaml"),
            client_id=self.app.client_id,
            principal_id=self.app.object_id,
            installation=self.installation,
            arm=Endpoint(IN_PROCESS_URL, "https://management.azure.com"),
            graph=Endpoint(f"{IN_PROCESS_URL}/graph", "https://graph.microsoft.com"),
            queue_url="",
            table_url="",
            notices_url=self.notices_url,
        )
        instance = self.instance()
        self.worker, self.sweeps = instance.worker, instance.sweeps
        self.lost_attempts = instance.lost_attempts
        self.services = self.worker.reconciler.services
        self.ledger = self.services.ledger
        self.identity_ledger = self.services.identity_ledger

    def instance(self) -> App:
        """One more instance of the app: clients of its own over the same tables and queue."""
        now, transport = self.azure.clock.now, self.azure.transport()
        credential = AsyncPrincipalCredential(self.azure.tokens, self.app)
        azure = azure_over(credential, self.settings, transport, now)
        notifications = notifications_over(credential, self.settings, transport)
        services = assemble(
            azure, self.tables, self.policy, self.name, now, notifications, self.marks
        )
        locks = Locks(self.leases)
        return composed(self.policy, services, self.queue, self.poison, locks)

    # What a person or a pipeline does.

    def vm_id(self, name: str, group: str = "rg-app") -> ResourceId:
        return ResourceId.parse(
            f"{self.scope}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        )

    async def create_vm(self, name: str, **more: Any) -> ResourceId:
        body = {"location": "westeurope", "properties": PROFILE, **more}
        poller = await self.compute.virtual_machines.begin_create_or_update(
            "rg-app", name, VirtualMachine(body), polling_interval=1
        )
        await poller.result()
        return self.vm_id(name)

    async def create_groups(self) -> None:
        client = ResourceManagementClient(
            subscription_id=self.subscription, **self.azure.client_options(self.operator)
        )
        for name in ("rg-app", "rg-identities"):
            await client.resource_groups.create_or_update(name, {"location": "westeurope"})

    async def delete_group(self, name: str = "rg-app") -> None:
        client = ResourceManagementClient(
            subscription_id=self.subscription, **self.azure.client_options(self.operator)
        )
        poller = await client.resource_groups.begin_delete(name, polling_interval=1)
        await poller.result()

    async def delete_vm(self, name: str) -> None:
        poller = await self.compute.virtual_machines.begin_delete(
            "rg-app", name, polling_interval=1
        )
        await poller.result()

    # What the Functions host does.

    def new_events(self) -> list[dict[str, Any]]:
        published = self.platform.event_grid.published
        events = [dict(entry.event) for entry in published]
        published.clear()
        return events

    async def deliver(self, event: dict[str, Any], traceparent: str = "") -> str | None:
        """One event through Microsoft's converter and the handler; the queue message, if any, as
        the app reads it.
        """
        datum = Datum(json.dumps(event), "json")
        message: Out = Out()
        trigger = EventGridEventInConverter.decode(datum, trigger_metadata={})
        await user_function(event_handler.resource_events)(
            trigger, message, invocation(traceparent)
        )
        return None if message.value is None else unpacked(message.value.encode()).decode()

    async def deliver_by_queue(self, content: str) -> list[str]:
        """One message of the queue of events, as it lies there, through the handler and the host's
        output binding; the messages for the queue of work, as the app reads them.
        """
        work = Out()
        await user_function(queued_handler.queued_events)(content, work, invocation())
        sent = [] if work.value is None else outgoing_texts(TypedData(string=work.value))
        return [unpacked(str(text).encode()).decode() for text in sent]

    async def work(
        self, message: str, dequeue_count: int | None = None, came: float | None = None
    ) -> str | None:
        """One queue message through the handler; what it puts on the queue anew, if anything.
        `came`: when it came to the queue (seconds since the epoch); None: nobody knows.
        """
        body, anew = Taken(message, dequeue_count, came), Out()
        await user_function(reconcile_handler.reconcile)(body, anew, invocation())
        return None if anew.value is None else unpacked(anew.value.encode()).decode()

    async def settle(self, *, deliveries: int = 1, rounds: int = 100) -> None:
        """Deliver all events and work on all messages until nothing is left, delays included."""
        for _ in range(rounds):
            events, messages = self.new_events(), self.queue.messages
            self.queue.messages = []
            if not events and not messages:
                return
            for event in events * deliveries:
                if message := await self.deliver(event):
                    await self.work(message)
            for change, delay in messages:
                self.azure.clock.advance(delay)
                await self.worker.process(change)
        raise AssertionError("it never settles")

    # What is really there, by ARM's own account.

    async def identity_of(self, name: str) -> dict[str, str]:
        """The user-assigned identities of a machine: name → principal."""
        machine = await self.compute.virtual_machines.get("rg-app", name)
        attached = (machine.identity and machine.identity.user_assigned_identities) or {}
        return {key.rpartition("/")[2]: str(value.principal_id) for key, value in attached.items()}

    async def attached(self, name: str) -> list[str]:
        """The ids (lower case) of the user-assigned identities of a machine, sorted."""
        machine = await self.compute.virtual_machines.get("rg-app", name)
        identity = machine.identity
        return sorted(key.lower() for key in (identity and identity.user_assigned_identities) or {})

    def assignments(self, *, of: str | None = None) -> list[tuple[str, str, str]]:
        """(role, scope, principal) of what stands, besides the estate's own rights."""
        own = {self.operator.object_id, self.app.object_id}
        return sorted(
            (a.role_definition_id.rpartition("/")[2], a.scope, a.principal_id)
            for a in self.azure.state.role_assignments.values()
            if a.principal_id not in own and a.deleted_at is None and of in (None, a.principal_id)
        )

    async def decisions(self) -> list[tuple[str, str, str]]:
        """(action, outcome, reason) of every decision of today, in order."""
        return [(d.action, d.outcome, d.reason) for d in await self.recorded()]

    async def recorded(self) -> list[Decision]:
        """Every decision of today and yesterday, in order."""
        now = datetime.fromtimestamp(self.azure.clock.now(), UTC)
        day = timedelta(days=1)
        found = self.services.decisions.between(now - day, now + day)
        return [recorded.decision async for recorded in found]

    def app_calls(self) -> list[str]:
        """Lanyard's ARM calls so far, as "METHOD last-two-segments"; forgets them."""
        calls = self.azure.calls_of(self.app.object_id)
        self.azure.calls.clear()
        return [f"{call.method} {'/'.join(call.path.split('/')[-2:])}" for call in calls]


def invocation(traceparent: str = "") -> Any:
    """What the worker tells a function of its invocation, as far as the handlers look."""
    return SimpleNamespace(trace_context=SimpleNamespace(trace_parent=traceparent))


# Each message has an id of its own.
_MESSAGES = count()


class Taken(func.QueueMessage):
    """As the worker hands it over; the library's own class knows no count."""

    def __init__(self, body: str, dequeue_count: int | None, came: float | None = None) -> None:
        super().__init__(id=str(next(_MESSAGES)), body=body)
        self._count = dequeue_count
        self._came = None if came is None else datetime.fromtimestamp(came, UTC)

    @property
    def insertion_time(self) -> datetime | None:
        return self._came

    @property
    def dequeue_count(self) -> int | None:
        return self._count


class Out:
    """Stands where the worker's Out does."""

    value: str | None = None

    def set(self, value: str) -> None:
        self.value = value


def user_function(builder: Any) -> Callable[..., Any]:
    """The function itself, without what the worker needs around it."""
    function: Callable[..., Any] = builder._function.get_user_function()
    return function
