"""What an event, the sweep or a person hints at: something about a resource changed."""

from dataclasses import dataclass

from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Change:
    """A hint that something about `resource` changed; everything else is read fresh.

    `source` says where the hint came from ("event", "sweep", "retry"). `principal` (object id) or
    `grant` (its name) is what the hint is about where no resource tells of it: an orphan that the
    sweep found; `resource` is then the subscription it is in. `since` (seconds since the epoch, by
    the storage's clock) is when it first came to the queue, None where that is when its message
    did. `happened` (seconds since the epoch) is when the change was made in Azure, `traceparent`
    (W3C) the trace that it belongs to, "" for none. The rest is for the record.
    """

    resource: ResourceId
    source: str
    event_id: str = ""
    event_type: str = ""
    correlation_id: str = ""
    attempt: int = 0
    principal: str = ""
    grant: str = ""
    since: float | None = None
    happened: float | None = None
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is not worked on. `reason` is a short fixed text: it is counted by it."""

    reason: str


def cause_of(change: Change) -> dict[str, str]:
    """The event that led to a decision, as it is recorded."""
    return {
        "source": change.source,
        "eventId": change.event_id,
        "eventType": change.event_type,
        "correlationId": change.correlation_id,
    }
