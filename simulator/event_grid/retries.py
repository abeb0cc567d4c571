"""What follows a failed delivery: another attempt, or the end. Pure.

Source: Microsoft's page "Event Grid message delivery and retry"; azure-facts §2.
"""

from dataclasses import dataclass

from simulator.event_grid.models import RetryPolicy

_SCHEDULE = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0)
_LATER = 43200.0

_OUTCOMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
    503: "Busy",
}
#: An answer may ask for more patience than the schedule has.
_AT_LEAST = {408: 120.0, 503: 30.0}
_AT_LEAST_OF_AZURE_RESOURCES = {401: 300.0, 404: 300.0}


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended. `status` None: no answer came ("TimedOut", "SocketError")."""

    name: str
    status: int | None = None

    @property
    def delivered(self) -> bool:
        """200 to 204 and nothing else."""
        return self.status is not None and 200 <= self.status <= 204


@dataclass(frozen=True)
class Retry:
    """Attempt again after so many seconds."""

    after: float


@dataclass(frozen=True)
class GiveUp:
    """`reason` becomes `deadLetterReason`."""

    reason: str


def outcome_of(status: int) -> Outcome:
    """The name Azure gives to an answer. The names of 500 and other failures are a guess."""
    if 200 <= status <= 204:
        return Outcome("Success", status)
    return Outcome(_OUTCOMES.get(status, "GenericError"), status)


def after_failure(
    outcome: Outcome, attempts: int, policy: RetryPolicy, *, azure_resource: bool, jitter: float
) -> Retry | GiveUp:
    """`attempts` made so far, this one included; `jitter` is the share to add to the delay.

    A webhook's 401 ends it; an Azure Function's does not. The time to live is looked at when the
    next attempt is due, not here.
    """
    if _final(outcome, azure_resource):
        return GiveUp(f"UndeliverableDueToHttp{outcome.name}")
    if attempts >= policy.max_attempts:
        return GiveUp("MaxDeliveryAttemptsExceeded")
    scheduled = _SCHEDULE[attempts - 1] if attempts <= len(_SCHEDULE) else _LATER
    return Retry(max(scheduled, _at_least(outcome, azure_resource)) * (1 + jitter))


def _final(outcome: Outcome, azure_resource: bool) -> bool:
    return outcome.status in (400, 403, 413) or (outcome.status == 401 and not azure_resource)


def _at_least(outcome: Outcome, azure_resource: bool) -> float:
    status = outcome.status or 0
    floor = _AT_LEAST_OF_AZURE_RESOURCES.get(status, 0.0) if azure_resource else 0.0
    return max(floor, _AT_LEAST.get(status, 0.0))


def expired(published_at: float, now: float, policy: RetryPolicy) -> bool:
    """Whether an event is past its time to live."""
    return now - published_at > policy.time_to_live
