"""What Lanyard shows of itself through OpenTelemetry: a trace from the event to the verified
resource, and metrics. The names are a promise to dashboards: docs/telemetry.md lists them.

Only the API is used. Who collects is decided where the app is deployed; without a collector nothing
is recorded, and traces still pass through from the host to the message and on.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from opentelemetry import metrics, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from lanyard.values.change import Change, Ignored

RESOURCE = "lanyard.resource.id"
CORRELATION = "lanyard.correlation.id"
EVENT = "lanyard.event.id"
SOURCE = "lanyard.source"
ATTEMPT = "lanyard.attempt"
OUTCOME = "lanyard.outcome"
DELIVERY = "lanyard.delivery"
REASON = "lanyard.reason"
KIND = "lanyard.kind"
SERVICE = "lanyard.service"
METHOD = "http.request.method"
URL = "url.full"
STATUS = "http.response.status_code"
ERROR = "error.type"

type Attributes = dict[str, AttributeValue]


class Outcome(StrEnum):
    """What became of a message of the queue."""

    VERIFIED = "verified"  # something was done, read back, and nothing is left to do
    UNCHANGED = "unchanged"  # as desired already
    WAITING = "waiting"  # time must pass first; put back
    RETRIED = "retried"  # something failed that may work later; put back
    FAILED = "failed"  # something failed for good, and is on record
    SERVED = "served"  # another message's reconcile served this one, too
    IGNORED = "ignored"  # no rule is for the type
    EXPANDED = "expanded"  # a deleted group: what was below it is on the queue
    RAISED = "raised"  # it could not even be put back: left to the host, which hands it over again


log = logging.getLogger("lanyard")

_tracer = trace.get_tracer("lanyard")
_meter = metrics.get_meter("lanyard")
_w3c = TraceContextTextMapPropagator()

_events = _meter.create_counter("lanyard.events", "{event}", "Events received, by outcome")
_waited = _meter.create_histogram(
    "lanyard.event.age",
    "s",
    "From the moment of the change in Azure until its event was taken in",
    explicit_bucket_boundaries_advisory=[1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400],
)
_dropped = _meter.create_counter("lanyard.events.dropped", "{event}", "Events dropped, by reason")
_reconciles = _meter.create_counter("lanyard.reconciles", "{message}", "Messages, by outcome")
_verified = _meter.create_histogram(
    "lanyard.time_to_verified",
    "s",
    "From the moment of the change in Azure until what it asked for was read back",
    explicit_bucket_boundaries_advisory=[1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 21600],
)
_held = _meter.create_counter("lanyard.held", "{action}", "Actions newly held, by kind")
_removed = _meter.create_counter("lanyard.removed", "{removal}", "Access taken away")
_orphans = _meter.create_gauge("lanyard.orphans", "{assignment}", "Orphans the last sweep knew of")
_calls = _meter.create_counter("lanyard.calls", "{call}", "Calls to Azure, by answer")
_throttled = _meter.create_counter("lanyard.throttled", "{call}", "Calls answered with 429")
_waits = _meter.create_histogram("lanyard.limiter.wait", "s", "Waited so as not to be throttled")
_spared = _meter.create_counter("lanyard.limiter.refused", "{call}", "Calls put off, not sent")
_lost = _meter.create_counter("lanyard.notices.lost", "{notice}", "Notices not published")


@dataclass(slots=True)
class Ending:
    """How a piece of work ended: set while it goes on, recorded at its end."""

    outcome: str = Outcome.RAISED


@contextmanager
def within(traceparent: str | None) -> Iterator[None]:
    """In the host's trace, by the `traceparent` of the invocation, if any.

    The Python worker does the same, but only where PYTHON_ENABLE_OPENTELEMETRY is true.
    """
    if trace.get_current_span().get_span_context().is_valid:
        yield
        return
    token = attach(_w3c.extract({"traceparent": traceparent or ""}))
    try:
        yield
    finally:
        detach(token)


def event_received(found: Change | Ignored, event_id: str, delivery: str, age: float | None) -> str:
    """Record one event, and what becomes of it; returns the `traceparent` of what follows.

    Its span is within the host's own. `delivery`: the way it came; `age`: seconds since the change
    itself, where that is known.
    """
    about: Attributes
    if isinstance(found, Ignored):
        outcome, about = "dropped", {REASON: found.reason}
        _dropped.add(1, about)
    else:
        outcome, about = "queued", _about(found)
    _events.add(1, {OUTCOME: outcome, DELIVERY: delivery})
    if age is not None:
        _waited.record(age, {DELIVERY: delivery})
    attributes = {EVENT: event_id, OUTCOME: outcome, DELIVERY: delivery} | about
    with _span("lanyard.event", SpanKind.CONSUMER, attributes):
        return _traceparent()


def stamped(change: Change) -> Change:
    """The change with the trace that it belongs to: its own, or the one at hand."""
    if change.traceparent:
        return change
    return replace(change, traceparent=_traceparent())


@contextmanager
def reconciling(change: Change, now: Callable[[], float]) -> Iterator[Ending]:
    """The span of one message, in the trace of the event that led to it.

    The host's span of this invocation is linked. `now`: seconds since the epoch.
    """
    ending = Ending()
    attributes = _about(change) | {SOURCE: change.source, ATTEMPT: change.attempt}
    with _continued("lanyard.reconcile", change.traceparent, attributes) as span:
        try:
            yield ending
        finally:
            span.set_attribute(OUTCOME, ending.outcome)
            _reconciles.add(1, {OUTCOME: ending.outcome, SOURCE: change.source})
    # A retry that finds everything as desired completes what an earlier attempt began.
    ends = ending.outcome == Outcome.VERIFIED or (
        ending.outcome == Outcome.UNCHANGED and change.source == "retry"
    )
    if ends and change.happened is not None:
        seconds = max(now() - change.happened, 0.0)
        _verified.record(seconds)
        # Where nobody collects, the workbook (infra/) goes by the line.
        log.info("verified in %.1f s: %s", seconds, change.resource)


@contextmanager
def sweeping() -> Iterator[Span]:
    """The span of one sweep, within the host's own."""
    with _span("lanyard.sweep", SpanKind.INTERNAL, {}) as span:
        yield span


def orphans_known(counts: Mapping[str, int]) -> None:
    """What a sweep found, by kind; every kind each time, so that none stays as it was."""
    for kind, count in counts.items():
        _orphans.set(count, {KIND: kind})


def held(kind: str) -> None:
    """An action is held that was not."""
    _held.add(1, {KIND: kind})


def removed(count: int) -> None:
    """So many assignments or identities are gone."""
    _removed.add(count)


def notices_lost(count: int) -> None:
    """So many notices were not published."""
    _lost.add(count)


@contextmanager
def calling(service: str, method: str, url: str) -> Iterator[Callable[[int], None]]:
    """The span of one call to Azure; give it the answer's status. `url`: without the query."""
    about: Attributes = {SERVICE: service, METHOD: method}

    def answered(status: int) -> None:
        about[STATUS] = status

    with _span("lanyard.call", SpanKind.CLIENT, about | {URL: url}) as span:
        try:
            yield answered
        except Exception as error:
            about[ERROR] = type(error).__name__
            raise
        finally:
            span.set_attributes(about)
            _calls.add(1, about)
            if about.get(STATUS) == 429:
                _throttled.add(1, {SERVICE: service, METHOD: method})


def limiter_waited(seconds: float) -> None:
    """A call waited for a token of a bucket."""
    _waits.record(seconds)


def limiter_refused(bucket: str) -> None:
    """A call was put off, not sent. `bucket`: the kind of quota that was short."""
    _spared.add(1, {KIND: bucket})


def _traceparent() -> str:
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get("traceparent", "")


def _about(change: Change) -> Attributes:
    return {RESOURCE: change.resource.text, CORRELATION: change.correlation_id}


@contextmanager
def _continued(name: str, traceparent: str, attributes: Attributes) -> Iterator[Span]:
    """A span in the trace that `traceparent` names, if it names one, else in the one at hand."""
    parent = _w3c.extract({"traceparent": traceparent}, Context())
    if not trace.get_current_span(parent).get_span_context().is_valid:
        with _span(name, SpanKind.CONSUMER, attributes) as span:
            yield span
        return
    host = trace.get_current_span().get_span_context()
    links = [Link(host)] if host.is_valid else []
    with _span(name, SpanKind.CONSUMER, attributes, parent, links) as span:
        yield span


@contextmanager
def _span(
    name: str,
    kind: SpanKind,
    attributes: Attributes,
    parent: Context | None = None,
    links: list[Link] | None = None,
) -> Iterator[Span]:
    """A failure is recorded by its type alone: a message may hold what others need not read."""
    with _tracer.start_as_current_span(
        name,
        parent,
        kind,
        attributes,
        links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
