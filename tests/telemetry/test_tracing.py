"""Nobody pays for spans who does not trace, and what cannot be read or sent keeps no job from its work."""

import subprocess
import sys

import pytest

from holdfast.telemetry import export
from holdfast.telemetry.spans import link_to
from holdfast.telemetry.tracing import is_tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_no_process_traces_before_somebody_sets_a_provider():
    assert not is_tracing()


def test_whoever_submits_without_tracing_imports_nothing_of_it():
    code = "import sys, holdfast.client.submission; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_span_is_linked_by_the_header_that_was_kept():
    [link] = link_to(PARENT)
    assert (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") == tuple(PARENT.split("-")[1:3])


@pytest.mark.parametrize(
    "header", [None, "", "00-xyz", "no header", PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32)]
)
def test_what_is_no_header_links_to_nothing(header):
    assert link_to(header) == []


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_spans_are_sent_only_where_somebody_wants_them(environment, monkeypatch):
    for name in (*export.ENDPOINTS, *export.OFF):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    export.export_spans("a service")
    assert not is_tracing()


def test_without_the_extra_it_is_said_and_the_work_goes_on(monkeypatch, capsys):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    export.export_spans("a service")
    assert "holdfast[otel]" in capsys.readouterr().err
    assert not is_tracing()
