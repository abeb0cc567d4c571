"""What an event, the sweep or a person hints at: something about a resource changed."""

from dataclasses import KW_ONLY, dataclass

from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Change:
    """A hint that something about a resource changed; everything else is read fresh. Moments are
    seconds since the epoch.
    """

    #: What changed; the subscription of an orphan that the sweep found.
    resource: ResourceId
    #: Where the hint comes from: "event", "sweep", "retry", "replay", "group", "command", …
    source: str
    _: KW_ONLY
    #: The event's own id, type and correlation id, for the record; "" where there is none.
    event_id: str = ""
    event_type: str = ""
    correlation_id: str = ""
    #: How often it was tried before and failed.
    attempt: int = 0
    #: What the hint is about where no resource shows it, an orphan: a principal (object id), or a
    #: grant (its name); "" otherwise.
    principal: str = ""
    grant: str = ""
    #: When it first came to the queue, by the storage's clock; None: when its message did.
    since: float | None = None
    #: When the change was made in Azure; None where nobody says.
    happened: float | None = None
    #: The latest write, and the latest deletion, that the hint stands for, by Azure's clock; None:
    #: it stands for none. A deletion may be of the resource's group.
    written: float | None = None
    deleted: float | None = None
    #: The trace that it belongs to (W3C), "" for none.
    traceparent: str = ""
    #: The version of the policy that asked for a look, "" where none did: of a sweep's messages.
    policy: str = ""
    #: A digest of all that its being refused can depend on, as a sweep saw it; "" where none did.
    seen: str = ""
    #: How often a sweep's message of the same digest was given up.
    refused: int = 0
    #: Since when (seconds since the epoch) it waits for ARM to finish somebody's work on the
    #: resource; None: it does not.
    waits_since: float | None = None
    #: How often the host gave it up because it was in hand when a process ended.
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is not worked on. `reason` is a short fixed text: it is counted by it."""

    reason: str


def cause_of(change: Change) -> dict[str, str]:
    """The event, or the sweep and its policy, that led to a decision, as it is recorded."""
    return {
        "source": change.source,
        "eventId": change.event_id,
        "eventType": change.event_type,
        "correlationId": change.correlation_id,
        "policy": change.policy,
    }
