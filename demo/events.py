"""The events of the subscription on their way to the app: by webhook, or by queue."""

from azure.storage.queue.aio import QueueClient

from demo.operator import Operator
from simulator.functions_host.process import HostProcess

BY_WEBHOOK, BY_QUEUE = "webhook", "queue"
#: The ways that Event Grid brings them.
WAYS = (BY_WEBHOOK, BY_QUEUE)
#: The queue of events (lanyard/queue/messages.py).
EVENTS = "lanyard-events"
TOPIC = "rg-lanyard/Microsoft.EventGrid/systemTopics/subscription-events"
_ACCOUNT = "rg-lanyard/Microsoft.Storage/storageAccounts/stlanyard"
_SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"  # Storage Queue Data Message Sender
_EVENT_GRID = "2022-06-15"


def webhook_of(host: HostProcess) -> str:
    """The address that Event Grid calls, with its key."""
    key = host.keys["eventgrid_extension"]
    return f"{host.url}/runtime/webhooks/eventgrid?functionName=resource_events&code={key}"


async def make_queues(operator: Operator, queue_url: str, *names: str) -> None:
    """The host polls its queues, and makes them nowhere."""
    for name in names:
        async with QueueClient(
            queue_url, name, credential=operator.credential, **operator.options
        ) as queue:
            await queue.create_queue()


async def subscribe(operator: Operator, way: str, webhook: str) -> None:
    """A system topic of the subscription, and its events to the app."""
    source = f"/subscriptions/{operator.subscription}"
    topic = await operator.create(
        TOPIC,
        _EVENT_GRID,
        {
            "location": "global",
            "identity": {"type": "SystemAssigned"},
            "properties": {"source": source, "topicType": "Microsoft.Resources.Subscriptions"},
        },
    )
    if way == BY_QUEUE:
        delivered = await _into_queue(operator, topic["identity"]["principalId"])
    else:
        properties = {"endpointUrl": webhook}
        delivered = {"destination": {"endpointType": "WebHook", "properties": properties}}
    kinds = [f"Microsoft.Resources.Resource{verb}Success" for verb in ("Write", "Delete")]
    await operator.create(
        f"{TOPIC}/eventSubscriptions/lanyard",
        _EVENT_GRID,
        {
            "properties": {
                **delivered,
                "filter": {"includedEventTypes": kinds},
                "eventDeliverySchema": "EventGridSchema",
            }
        },
    )


async def _into_queue(operator: Operator, principal: str) -> dict[str, object]:
    """As the topic's own identity, which may do nothing else; no message ends by itself."""
    account = await operator.create(
        _ACCOUNT,
        "2024-01-01",
        {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
    )
    scope = f"{account['id']}/queueServices/default/queues/{EVENTS}"
    await operator.assign(_SENDER, principal, scope)
    properties = {
        "resourceId": account["id"],
        "queueName": EVENTS,
        "queueMessageTimeToLiveInSeconds": -1,
    }
    return {
        "deliveryWithResourceIdentity": {
            "identity": {"type": "SystemAssigned"},
            "destination": {"endpointType": "StorageQueue", "properties": properties},
        }
    }
