"""Events put into storage queues, as the topic's own identity.

Sources: azure-facts-2, section 6: the role is asked at each delivery, a message has 64 KiB, each
event is a message of its own, and what was seen of it is base64.
"""

import base64
import json
from typing import Protocol
from xml.sax.saxutils import escape

import httpx

from simulator.authorization.access import Access
from simulator.event_grid.behaviour import EventGridBehaviour
from simulator.event_grid.models import EventSubscription, QueueDestination
from simulator.state import Json, Principal, State
from simulator.tokens.jwt import TokenIssuer

ADD_MESSAGE = "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action"
#: Of the text as it is stored.
MOST_BYTES = 64 * 1024


class QueueStore(Protocol):
    """Where the messages are put. Raises httpx.HTTPError where it cannot be reached."""

    async def put(self, destination: QueueDestination, text: str, sender: Principal) -> int:
        """The storage's status."""


class Queues:
    """Queues over one store, guarded by the roles of the local Azure."""

    def __init__(
        self, state: State, access: Access, behaviour: EventGridBehaviour, store: QueueStore
    ) -> None:
        self._state = state
        self._access = access
        self._behaviour = behaviour
        self._store = store

    async def put(self, subscription: EventSubscription, event: Json) -> int:
        """Try once; the status that the storage answers Event Grid with."""
        destination = subscription.queue
        assert destination is not None, "only a subscription to a queue comes here"
        sender = self._identity_of(subscription.topic_id)
        if sender is None:
            return 401
        if not self._access.allowed(sender.object_id, ADD_MESSAGE, destination.scope, data=True):
            return 403
        text = json.dumps(event)
        if not self._behaviour.queue_messages_plain:
            text = base64.b64encode(text.encode()).decode()
        if len(text.encode()) > MOST_BYTES:
            return 413
        return await self._store.put(destination, text, sender)

    def _identity_of(self, topic_id: str) -> Principal | None:
        topic = self._state.resources.get(topic_id.lower())
        identity = (topic.identity if topic else None) or {}
        return self._state.principals.get(identity.get("principalId") or "")


class StorageQueues:
    """The queue service at `queue_url`, whichever account was named; that has the account in its
    path, as Azurite's: "https://127.0.0.1:PORT/account".
    """

    def __init__(self, http: httpx.AsyncClient, queue_url: str, issuer: TokenIssuer) -> None:
        self._http = http
        self._queue_url = queue_url.rstrip("/")
        self._issuer = issuer

    async def put(self, destination: QueueDestination, text: str, sender: Principal) -> int:
        """`Put Message` of the queue service."""
        token = self._issuer.issue(sender, "https://storage.azure.com")
        headers = {
            "authorization": f"Bearer {token.access_token}",
            "x-ms-version": "2021-12-02",
            "content-type": "application/xml",
        }
        body = f"<QueueMessage><MessageText>{escape(text)}</MessageText></QueueMessage>"
        answer = await self._http.post(
            f"{self._queue_url}/{destination.name}/messages",
            params={"messagettl": destination.time_to_live},
            content=body.encode(),
            headers=headers,
        )
        return answer.status_code
