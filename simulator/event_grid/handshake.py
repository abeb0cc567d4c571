"""Proof that an endpoint wants events, asked before the first one is sent.

Sources: azure-facts §2; the CloudEvents webhook specification, "Abuse Protection".
"""

import json

import httpx

from simulator.clock import Clock
from simulator.errors import AzureError
from simulator.event_grid.models import EventSubscription, Schema
from simulator.state import Json
from simulator.times import utc_z

ORIGIN = "eventgrid.azure.net"
TIMEOUT_SECONDS = 30.0


async def validate(
    http: httpx.AsyncClient, url: str, subscription: EventSubscription, code: str, now: float
) -> None:
    """Raises AzureError 400 `Url validation` unless the endpoint agrees.

    `code`: what the endpoint has to give back. The handshake by a `validationUrl` that someone
    opens later is not simulated.
    """
    try:
        if subscription.schema is Schema.CLOUD_EVENTS:
            await _by_options(http, url)
        else:
            await _by_code(http, url, subscription, code, now)
    except httpx.HTTPError as error:
        raise _failed(url, f"Http request failed: {type(error).__name__}.") from error


async def _by_code(
    http: httpx.AsyncClient, url: str, subscription: EventSubscription, code: str, now: float
) -> None:
    event = validation_event(subscription, code, now)
    headers = {
        "aeg-event-type": "SubscriptionValidation",
        "aeg-subscription-name": subscription.name.upper(),
    }
    answer = await http.post(url, json=[event], headers=headers, timeout=TIMEOUT_SECONDS)
    if answer.status_code != 200:
        raise _failed(url, f"Http POST request failed with response code {answer.status_code}.")
    if _echo(answer) != code:
        raise _failed(url, "The response body does not hold the validation code as a response.")


def _echo(answer: httpx.Response) -> object:
    try:
        body = answer.json()
    except json.JSONDecodeError:
        return None
    return body.get("validationResponse") if isinstance(body, dict) else None


def validation_event(subscription: EventSubscription, code: str, now: float) -> Json:
    """`Microsoft.EventGrid.SubscriptionValidationEvent`."""
    return {
        "id": code,
        "topic": subscription.topic_id,
        "subject": "",
        "data": {"validationCode": code},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": utc_z(now),
        "metadataVersion": "1",
        "dataVersion": "2",
    }


def deletion_event(subscription: EventSubscription, event_id: str, clock: Clock) -> Json:
    """`Microsoft.EventGrid.SubscriptionDeletedEvent`: the last word to an endpoint."""
    return {
        "id": event_id,
        "topic": subscription.topic_id,
        "subject": "",
        "data": {"eventSubscriptionId": subscription.id},
        "eventType": "Microsoft.EventGrid.SubscriptionDeletedEvent",
        "eventTime": utc_z(clock.now()),
        "metadataVersion": "1",
        "dataVersion": "1",
    }


async def _by_options(http: httpx.AsyncClient, url: str) -> None:
    headers = {"WebHook-Request-Origin": ORIGIN}
    answer = await http.options(url, headers=headers, timeout=TIMEOUT_SECONDS)
    if not answer.is_success:
        raise _failed(url, f"Http OPTIONS request failed with response code {answer.status_code}.")
    if answer.headers.get("WebHook-Allowed-Origin") not in (ORIGIN, "*"):
        raise _failed(url, f"The response has no WebHook-Allowed-Origin for {ORIGIN}.")


def destination_not_found(subscription: EventSubscription) -> AzureError:
    """400 `Endpoint validation`: the function is not known to the address book."""
    return AzureError(
        400,
        "Endpoint validation",
        "Destination endpoint not found. Resource details: resourceId: "
        f"{subscription.endpoint}. Resource should pre-exist before attempting this operation.",
    )


def _failed(url: str, why: str) -> AzureError:
    shown = url.partition("?")[0]  # the query may hold a key
    return AzureError(
        400,
        "Url validation",
        f"Webhook validation handshake failed for {shown}. {why} "
        "For troubleshooting, visit https://aka.ms/esvalidation.",
    )
