"""The app stopped for an hour while a hundred machines come and go: by queue all is as the policy
says once it has taken in what waits; by webhook, whose events Event Grid drops at once where a
stopped app answers 403, after the next sweep.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from simulator.event_grid.delivery import Delivery
from simulator.event_grid.models import QueueDestination, event_subscription
from simulator.event_grid.queues import Queues
from simulator.state import Principal
from tests.support.estate import Estate

MACHINES, STAY = 100, 40
HOUR = 3600.0
SENDER = "Storage Queue Data Message Sender"


class Waiting:
    """The queue of events, of which nobody takes."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def put(self, _destination: QueueDestination, text: str, _sender: Principal) -> int:
        self.texts.append(text)
        return 201


@asynccontextmanager
async def delivering(estate: Estate, *, by_queue: bool) -> AsyncIterator[tuple[Delivery, Waiting]]:
    """Event Grid at work on the estate's topic."""
    state, grid, waiting = estate.azure.state, estate.platform.event_grid, Waiting()
    account = f"{estate.scope}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
    principal = state.add_principal("topic").object_id
    estate.azure.assign(principal, SENDER, account)
    topic = state.resources[estate.topic.id.lower()]
    topic.identity = {"type": "SystemAssigned", "principalId": principal}
    queue = {
        "identity": {"type": "SystemAssigned"},
        "destination": {
            "endpointType": "StorageQueue",
            "properties": {"resourceId": account, "queueName": "lanyard-events"},
        },
    }
    webhook = {"endpointType": "WebHook", "properties": {"endpointUrl": "https://app.example/"}}
    properties = {"deliveryWithResourceIdentity": queue} if by_queue else {"destination": webhook}
    name = f"{estate.topic.id}/eventSubscriptions/lanyard"
    grid.put_subscription(event_subscription(name, properties))
    queues = Queues(state, estate.azure.access, grid.behaviour, waiting)
    async with httpx.AsyncClient() as http, Delivery(state, grid, http, queues=queues) as delivery:
        yield delivery, waiting


async def an_hour_passes(estate: Estate, delivery: Delivery) -> None:
    """Machines come, and most of them go; nobody looks."""
    estate.platform.event_grid.behaviour.app_stopped = True
    for number in range(MACHINES):
        await estate.create_vm(f"vm{number}")
        if number >= STAY:
            await estate.delete_vm(f"vm{number}")
        await delivery.settled()
    estate.azure.clock.advance(HOUR)
    await delivery.settled()
    estate.new_events()
    estate.platform.event_grid.behaviour.app_stopped = False


async def served(estate: Estate) -> int:
    """How many of the machines have their identity."""
    return sum([bool(await estate.identity_of(f"vm{number}")) for number in range(STAY)])


async def test_by_queue_all_is_as_the_policy_says_when_what_waited_is_taken_in(
    estate: Estate,
) -> None:
    async with delivering(estate, by_queue=True) as (delivery, waiting):
        await an_hour_passes(estate, delivery)
        assert (delivery.dropped, await served(estate)) == ([], 0)
        for text in waiting.texts:
            for message in await estate.deliver_by_queue(text):
                await estate.work(message, came=estate.azure.clock.now())
    assert await served(estate) == STAY
    # What came and went meanwhile is no failure.
    assert {decision.outcome for decision in await estate.recorded()} == {"intended", "done"}


async def test_by_webhook_it_is_so_after_the_next_sweep(estate: Estate) -> None:
    async with delivering(estate, by_queue=False) as (delivery, _):
        await an_hour_passes(estate, delivery)
        assert len(delivery.dropped) >= MACHINES
        assert delivery.outstanding == 0
    assert await served(estate) == 0
    await estate.sweeps.run()
    await estate.settle()
    assert await served(estate) == STAY
