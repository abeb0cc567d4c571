"""What an OpenTelemetry collector sees of Lanyard's work: one trace from the event to the verified
resource, and metrics. And that no token is in any of it, nor in the logs.
"""

import asyncio
import contextvars
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure_functions_runtime import otel as worker
from opentelemetry import context, metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import lanyard.telemetry
from lanyard.app import intake
from lanyard.queue.messages import decode
from lanyard.values.change import Change
from lanyard.values.errors import Temporary
from simulator.faults import Fault
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text("utf-8")
HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = int("0af7651916cd43dd8448eb211c80319c", 16)
_DELTA: dict[type, AggregationTemporality] = dict.fromkeys(
    (Counter, Histogram), AggregationTemporality.DELTA
)

type Points = dict[str, dict[tuple[tuple[str, Any], ...], Any]]


@dataclass
class Collector(SpanProcessor):
    """An in-memory exporter of spans and metrics, of one test at a time."""

    reader: InMemoryMetricReader = field(
        default_factory=lambda: InMemoryMetricReader(preferred_temporality=_DELTA)
    )
    spans: list[ReadableSpan] = field(default_factory=list)
    on: bool = False

    def on_end(self, span: ReadableSpan) -> None:
        if self.on:
            self.spans.append(span)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == f"lanyard.{name}"]

    def points(self) -> Points:
        """Since it was asked last: metric → attributes → value, or (count, sum) of a histogram."""
        data = self.reader.get_metrics_data()
        found: Points = {}
        for metric in (
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ):
            assert metric.name in PAGE
            rows = found.setdefault(metric.name.removeprefix("lanyard."), {})
            for point in metric.data.data_points:
                key = tuple(sorted((point.attributes or {}).items()))
                value = getattr(point, "value", None)
                rows[key] = (point.count, point.sum) if value is None else value  # type: ignore[union-attr]
        return found


@pytest.fixture(scope="module")
def exporter() -> Collector:
    """Providers can be set once a process: this one collects only while a test asks for it."""
    made = Collector()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(made)
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([made.reader], shutdown_on_exit=False))
    return made


@pytest.fixture
def collector(exporter: Collector) -> Iterator[Collector]:
    exporter.points()
    exporter.spans.clear()
    exporter.on = True
    yield exporter
    exporter.on = False


@pytest.fixture
async def watched(estate: Estate, collector: Collector) -> Estate:
    collector.points()
    return collected(estate)


def collected(estate: Estate) -> Estate:
    estate.settings = replace(estate.settings, collected=True)
    return estate


@contextmanager
def invoked(traceparent: str = HOST) -> Iterator[None]:
    """What the Functions worker does around an invocation."""
    carried = TraceContextTextMapPropagator().extract({"traceparent": traceparent})
    token = context.attach(carried)
    try:
        yield
    finally:
        context.detach(token)


async def arrive(estate: Estate) -> list[Change]:
    """Every new event, through the handler; the messages that come of it."""
    messages = []
    for event in estate.new_events():
        with invoked():
            message = await estate.deliver(event)
        if message is not None:
            messages.append(decode(message))
    return messages


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def calls_below(span: ReadableSpan, collector: Collector) -> list[str]:
    assert span.context is not None
    return [
        f"{attributes(call)['http.request.method']} {attributes(call)['http.response.status_code']}"
        for call in collector.named("call")
        if call.parent is not None and call.parent.span_id == span.context.span_id
    ]


async def test_one_trace_leads_from_the_event_to_the_verified_machine(
    watched: Estate, collector: Collector
) -> None:
    vm = await watched.create_vm("vm1")
    *_, created = watched.platform.event_grid.published
    (change,) = await arrive(watched)
    with invoked(HOST.replace("b7ad6b7169203331", "00f067aa0ba902b7").replace("0af7", "1af7")):
        await watched.worker.process(change)
    *_, event = collector.named("event")
    (reconcile,) = collector.named("reconcile")
    assert event.context is not None
    assert reconcile.context is not None
    assert reconcile.parent is not None
    assert event.context.trace_id == reconcile.context.trace_id == TRACE
    assert reconcile.parent.span_id == event.context.span_id
    assert [f"{link.context.span_id:016x}" for link in reconcile.links] == ["00f067aa0ba902b7"]
    assert {span.context.trace_id for span in collector.named("call") if span.context} == {TRACE}
    assert "PATCH 200" in calls_below(reconcile, collector)
    assert "PUT 201" in calls_below(reconcile, collector)
    correlation = created.event["data"]["correlationId"]
    assert attributes(event) == {
        "lanyard.event.id": created.event["id"],
        "lanyard.resource.id": vm.text,
        "lanyard.correlation.id": correlation,
        "lanyard.outcome": "queued",
        "lanyard.delivery": "webhook",
    }
    assert attributes(reconcile) == {
        "lanyard.resource.id": vm.text,
        "lanyard.correlation.id": correlation,
        "lanyard.source": "event",
        "lanyard.attempt": 0,
        "lanyard.outcome": "verified",
    }


async def test_the_hosts_trace_is_taken_from_the_invocation_where_the_worker_does_not_hand_it_on(
    watched: Estate, collector: Collector
) -> None:
    await watched.create_vm("vm1")
    *_, event = watched.new_events()
    message = await watched.deliver(event, traceparent=HOST)
    (span,) = collector.named("event")
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" in HOST
    assert message is not None
    assert HOST.split("-")[1] in decode(message).traceparent
    await watched.deliver(event)
    assert collector.spans[-1].parent is None


async def test_the_workers_own_library_hands_the_hosts_trace_on(
    watched: Estate, collector: Collector
) -> None:
    await watched.create_vm("vm1")
    *_, event = watched.new_events()
    worker.update_opentelemetry_status()  # what PYTHON_ENABLE_OPENTELEMETRY does at the start
    given = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=HOST, trace_state=""))
    invocation = contextvars.copy_context()
    invocation.run(worker.configure_opentelemetry, given)
    message = await asyncio.create_task(watched.deliver(event), context=invocation)
    assert message is not None
    (span,) = collector.named("event")
    assert span.context is not None
    assert (
        decode(message).traceparent
        == f"00-{TRACE:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"
    )


async def test_an_event_by_queue_has_its_trace_its_way_and_its_age(
    watched: Estate, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = watched.azure.clock.now
    monkeypatch.setattr(intake, "time", SimpleNamespace(time=lambda: now() + 600))
    await watched.create_vm("vm1")
    *_, event = watched.new_events()
    (message,) = await watched.deliver_by_queue(json.dumps(event))
    (span,) = collector.named("event")
    assert attributes(span)["lanyard.delivery"] == "queue"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" in decode(message).traceparent
    count, total = collector.points()["event.age"][(("lanyard.delivery", "queue"),)]
    assert count == 1
    assert 600 <= total < 660  # the machine's own creation is part of it


async def test_the_metrics_of_a_machines_life(watched: Estate, collector: Collector) -> None:
    watched.app_calls()
    await watched.create_vm("vm1")
    published = watched.azure.clock.now()
    changes = await arrive(watched)
    for change in changes:
        watched.azure.clock.advance(30)
        await watched.worker.process(change)
    took = watched.azure.clock.now() - published
    points = collector.points()
    came = ("lanyard.delivery", "webhook")
    queued, dropped = (came, ("lanyard.outcome", "queued")), (came, ("lanyard.outcome", "dropped"))
    assert points["events"][queued] == 1
    assert points["events"][dropped] == sum(points["events.dropped"].values())
    verified = (("lanyard.outcome", "verified"), ("lanyard.source", "event"))
    assert points["reconciles"] == {verified: 1}
    count, total = points["time_to_verified"][()]
    assert count == 1
    assert 30 <= took <= total < took + 60  # the machine's own creation is part of it
    arm = sum(n for key, n in points["calls"].items() if ("lanyard.service", "arm") in key)
    assert arm == len(watched.app_calls())
    assert "throttled" not in points
    await watched.delete_vm("vm1")
    for change in await arrive(watched):
        await watched.worker.process(change)
    points = collector.points()
    assert points["reconciles"][verified] == 1
    assert points["removed"] == {(): 1}
    own = (("lanyard.reason", "our own write"),)
    assert points["events.dropped"][own] > 0


async def test_a_retry_stays_in_the_trace_and_the_time_counts_from_the_event(
    watched: Estate, collector: Collector
) -> None:
    await watched.create_vm("vm1")
    (change,) = await arrive(watched)
    watched.azure.faults.add(Fault(method="PATCH", path="virtualMachines", status=503))
    await watched.worker.process(change)
    ((again, delay),) = watched.queue.messages
    watched.azure.clock.advance(delay + 120)
    await watched.worker.process(again)
    outcomes = [attributes(span)["lanyard.outcome"] for span in collector.named("reconcile")]
    assert outcomes == ["retried", "verified"]
    assert {span.context.trace_id for span in collector.spans if span.context} == {TRACE}
    count, total = collector.points()["time_to_verified"][()]
    assert count == 1
    assert total > 120


async def test_throttling_is_told_by_calls_and_by_what_was_not_sent(
    watched: Estate, collector: Collector
) -> None:
    await watched.create_vm("vm1")
    (change,) = await arrive(watched)
    message = "SubscriptionRequestsThrottled"
    watched.azure.faults.add(
        Fault(method="PATCH", status=429, code=message, message=message, retry_after=30)
    )
    await watched.worker.process(change)
    await watched.worker.process(change)
    points = collector.points()
    patch = (("http.request.method", "PATCH"), ("lanyard.service", "arm"))
    assert points["throttled"] == {patch: 1}
    assert set(points["limiter.refused"]) == {(("lanyard.kind", "writes"),)}


async def test_what_is_held_and_which_orphans_are_known(
    monkeypatch: pytest.MonkeyPatch, collector: Collector
) -> None:
    policy = POLICY.replace("mode: full", "mode: add-only")
    estate = collected(await started(Estate(policy), monkeypatch))
    await estate.create_vm("vm1")
    await estate.settle()
    await estate.delete_vm("vm1")
    await estate.settle()
    collector.points()
    await estate.create_vm("vm2")
    await estate.settle()
    estate.azure.assign(estate.azure.state.add_principal("ghost").object_id, "Reader", estate.scope)
    gone = estate.azure.state.add_principal("gone")
    estate.azure.assign(gone.object_id, "Reader", estate.scope)
    estate.azure.state.delete_principal(gone.object_id)
    estate.azure.clock.advance(86400)
    await estate.sweeps.run()
    (sweep,) = collector.named("sweep")
    assert sweep.status.is_ok or sweep.status.is_unset
    points = collector.points()
    assert set(points["orphans"]) == {
        (("lanyard.kind", kind),) for kind in ("unclaimed", "departed", "unknown")
    }
    assert points["orphans"][(("lanyard.kind", "unknown"),)] == 1
    await estate.settle()
    assert collector.points()["held"] == {(("lanyard.kind", "removal"),): 1}


async def test_a_failure_is_told_by_its_type_alone(
    watched: Estate, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watched.create_vm("vm1")
    (change,) = await arrive(watched)
    watched.azure.faults.add(Fault(status=500, times=None))

    async def away(_change: Change, _delay: float = 0) -> None:
        raise Temporary("a word from inside", 5.0)

    monkeypatch.setattr(watched.queue, "put", away)
    with pytest.raises(Temporary, match="a word from inside"):
        await watched.worker.process(change)
    (reconcile,) = collector.named("reconcile")
    assert attributes(reconcile)["lanyard.outcome"] == "raised"
    assert (reconcile.status.description, reconcile.events) == ("Temporary", ())


async def test_without_a_collector_the_event_function_does_not_even_ask(
    estate: Estate, collector: Collector
) -> None:
    await estate.create_vm("vm1")
    (change,) = await arrive(estate)
    assert change.traceparent == ""
    assert collector.named("event") == []


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00", "2026-11-02T09:00:00", ""])
async def test_an_event_is_worked_on_whatever_its_time(watched: Estate, time: str) -> None:
    await watched.create_vm("vm1")
    *_, event = watched.new_events()
    message = await watched.deliver(event | {"eventTime": time})
    assert message is not None
    assert decode(message).happened is None


@pytest.mark.parametrize("traceparent", ["", "none", 7, None, "00-x-y-01", HOST.upper()])
def test_a_message_is_worked_on_whatever_its_trace(traceparent: Any) -> None:
    change = {
        "resource": "/subscriptions/11111111-1111-1111-1111-111111111111",
        **dict.fromkeys(("source", "eventId", "eventType", "correlationId"), ""),
        **dict.fromkeys(("principal", "grant"), ""),
        "attempt": 0,
        "traceparent": traceparent,
    }
    assert decode(json.dumps(change)).traceparent == ""


async def test_no_token_is_in_logs_spans_messages_or_the_record(
    watched: Estate,
    collector: Collector,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens: list[str] = []
    issue = watched.azure.tokens.issue

    def issued(*arguments: Any, **options: Any) -> Any:
        token = issue(*arguments, **options)
        tokens.append(token.access_token)
        return token

    monkeypatch.setattr(watched.azure.tokens, "issue", issued)
    watched.open_topic()
    collected(watched)
    with caplog.at_level(logging.DEBUG):
        await watched.create_vm("vm1", identity={"type": "SystemAssigned"})
        watched.azure.faults.add(Fault(method="PATCH", status=503))
        watched.azure.faults.add(Fault(service="eventgrid", status=500))
        await watched.settle()
        await watched.delete_vm("vm1")
        await watched.settle()
        await watched.sweeps.run()
    spans = [span.to_json() for span in collector.spans]
    notices = [each.event for each in watched.platform.custom_topics.received]
    told = "\n".join([caplog.text, *spans, repr(await watched.recorded()), repr(notices)])
    assert len(caplog.records) > 10
    assert len(set(tokens)) > 3
    assert [token for token in tokens if token in told or token.split(".")[2] in told] == []
    assert "Bearer ey" not in told


def test_the_page_names_what_the_code_does_and_nothing_else() -> None:
    assert lanyard.telemetry.__file__ is not None
    source = Path(lanyard.telemetry.__file__).read_text("utf-8")
    told = {*re.findall(r'"(lanyard\.[a-z_.]+|http\.[a-z_.]+|url\.path|error\.type)"', source)}
    assert {
        *re.findall(r"`(lanyard\.[a-z_.]+|http\.[a-z_.]+|url\.path|error\.type)`", PAGE)
    } == told
    outcomes = {outcome.value for outcome in lanyard.telemetry.Outcome}
    assert {outcome for outcome in outcomes if f"`{outcome}`" not in PAGE} == set()
