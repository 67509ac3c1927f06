"""Sends spans to a collector where the environment names one, by OpenTelemetry's own variables."""

import os
import sys

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OFF = {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "none"}
NAME = "OTEL_SERVICE_NAME"
MISSING = "spans are not sent: {} names a collector, and `pip install 'holdfast[otel]'` brings what sends them.\n"


def export_spans(service: str) -> None:
    """Send the spans of this process, as ``service`` unless OTEL_SERVICE_NAME says otherwise, by OTLP over HTTP.

    Does nothing where no endpoint is named. What is missing for it is said on stderr: no work waits for telemetry.
    """
    named = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if named is None or any(os.environ.get(name, "").lower() == value for name, value in OFF.items()):
        return
    try:
        _export(service)
    except ImportError:
        sys.stderr.write(MISSING.format(named))


def _export(service: str) -> None:
    from importlib.metadata import version  # noqa: PLC0415 - needed by nobody else here

    from opentelemetry import trace  # noqa: PLC0415 - slow to import, and an extra
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    name = {} if os.environ.get(NAME) else {"service.name": service}
    provider = TracerProvider(resource=Resource.create({**name, "service.version": version("holdfast")}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
