"""What becomes of an event that could not be delivered."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import httpx

from simulator.event_grid.models import DeadLetterDestination, EventSubscription, Schema
from simulator.state import Json, Principal
from simulator.times import utc_z
from simulator.tokens.jwt import TokenIssuer

#: The service principal that Event Grid has in every tenant.
EVENT_GRID_APP_ID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"


@dataclass(frozen=True)
class Undelivered:
    """The end of one event for one event subscription. Times in seconds since the epoch."""

    subscription: EventSubscription
    event: Json
    reason: str
    attempts: int
    last_outcome: str
    published_at: float
    last_attempt_at: float


class DestinationMissing(Exception):
    """There is no such container: Azure drops the event."""


class DestinationUnavailable(Exception):
    """The container cannot be written to now: Azure tries for four hours."""


class DeadLetterStore(Protocol):
    """Where dead letters are written. Raises DestinationMissing or DestinationUnavailable."""

    async def write(self, destination: DeadLetterDestination, path: str, record: Json) -> None: ...


def record_of(undelivered: Undelivered) -> Json:
    """The event with what is known of its failure (azure-facts §2); CloudEvents in lower case."""
    facts: Json = {
        "deadLetterReason": undelivered.reason,
        "deliveryAttempts": undelivered.attempts,
        "lastDeliveryOutcome": undelivered.last_outcome,
        "publishTime": utc_z(undelivered.published_at),
        "lastDeliveryAttemptTime": utc_z(undelivered.last_attempt_at),
    }
    if undelivered.subscription.schema is Schema.CLOUD_EVENTS:
        facts = {name.lower(): value for name, value in facts.items()}
    return undelivered.event | facts


def path_of(subscription: EventSubscription, now: float, guid: str) -> str:
    """`{topic}/{SUBSCRIPTION}/{year}/{month}/{day}/{hour}/{guid}.json`: undocumented in Azure."""
    topic = subscription.topic_id.rpartition("/")[2]
    when = datetime.fromtimestamp(now, UTC)
    hour = f"{when.year}/{when.month}/{when.day}/{when.hour}"
    return f"{topic}/{subscription.name.upper()}/{hour}/{guid}.json"


class BlobDeadLetters:
    """Writes block blobs into the blob service at `blob_url`, whichever account was named.

    `blob_url` has the account in its path, as Azurite's: "https://127.0.0.1:PORT/account".
    """

    def __init__(
        self, http: httpx.AsyncClient, blob_url: str, issuer: TokenIssuer, principal: Principal
    ) -> None:
        self._http = http
        self._blob_url = blob_url.rstrip("/")
        self._issuer = issuer
        self._principal = principal

    async def write(self, destination: DeadLetterDestination, path: str, record: Json) -> None:
        """A blob with an array of one record. Raises as DeadLetterStore says."""
        token = self._issuer.issue(self._principal, "https://storage.azure.com")
        headers = {
            "authorization": f"Bearer {token.access_token}",
            "x-ms-version": "2021-12-02",
            "x-ms-blob-type": "BlockBlob",
        }
        url = f"{self._blob_url}/{destination.container}/{path}"
        try:
            answer = await self._http.put(url, json=[record], headers=headers)
        except httpx.HTTPError as error:
            raise DestinationUnavailable(str(error)) from error
        if answer.status_code == 404:
            raise DestinationMissing(destination.container)
        if not answer.is_success:
            raise DestinationUnavailable(f"status {answer.status_code}")
