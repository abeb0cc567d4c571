"""Sends the app's traces and metrics to Application Insights, as the app's own identity.

Where it sends to and as whom, Microsoft's exporter reads from APPLICATIONINSIGHTS_CONNECTION_STRING
and APPLICATIONINSIGHTS_AUTHENTICATION_STRING. Importing it costs some tenths of a second, so the
first work begins it, not the start of the app
(docs/dev/adr/0013-telemetry-by-the-exporter-alone.md).
"""

import os
from threading import Lock, Thread

from lanyard.azure.logs import quiet_sdks

# What the exporter would send to Microsoft about itself, fetch to configure itself by, and add.
_SWITCHED_OFF = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
)

_lock = Lock()
_begun = False


def collect() -> None:
    """From now on spans and metrics are sent, in the background; once a process. It blocks for as
    long as the imports take. Providers that something else has set stay.
    """
    global _begun
    with _lock:
        if not _begun:
            _begin()
            _begun = True


def collect_soon() -> None:
    """The same beside what goes on now. What is measured until then is lost; traces go on."""
    if not _begun and not _lock.locked():
        Thread(target=collect, name="lanyard-collecting", daemon=True).start()


def _begin() -> None:
    for name in _SWITCHED_OFF:
        os.environ.setdefault(name, "true")
    quiet_sdks()

    from azure.monitor.opentelemetry.exporter import (
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # What cannot be sent is dropped: a disk of an instance is no place to keep it.
    spans = AzureMonitorTraceExporter(disable_offline_storage=True)
    points = AzureMonitorMetricExporter(disable_offline_storage=True)
    role = Resource.create({SERVICE_NAME: os.environ.get("WEBSITE_SITE_NAME", "lanyard")})
    tracing = TracerProvider(resource=role)
    tracing.add_span_processor(BatchSpanProcessor(spans))
    trace.set_tracer_provider(tracing)
    reader = PeriodicExportingMetricReader(points)
    metrics.set_meter_provider(MeterProvider([reader], resource=role))
