"""The spans of real processes, as a real collector gets them."""

import os
import signal
import subprocess
import sys

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from holdfast.lab.providers.settings import InjectedFault
from redis_servers import free_port
from span_collector import attributes, collector

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PROMPT = "nobody but the provider reads this sentence"


def submit_by_command(fleet, url):
    """One job by the command line, in a process that traces."""
    line = ["submit", "-", "--model", "two"]
    command = [sys.executable, "-m", "holdfast.cli", "--config", str(fleet.config), *line]
    environment = fleet.environment(OTEL_EXPORTER_OTLP_ENDPOINT=url)
    given = f'{{"custom_id": "a", "prompt": "{PROMPT}"}}\n'
    done = subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def submit_over_http(fleet, url):
    """One job to a server that traces, by a caller who names its own span."""
    port = free_port()
    command = [sys.executable, "-m", "holdfast.cli", "--config", str(fleet.config), "api", "--port", str(port)]
    api = subprocess.Popen(command, env=fleet.environment(OTEL_EXPORTER_OTLP_ENDPOINT=url))
    try:
        server = f"http://127.0.0.1:{port}"
        fleet.until(lambda: is_up(server), why="the server did not answer")
        body = {"custom_id": "a", "prompt": PROMPT, "model": "two"}
        answer = httpx2.post(f"{server}/api/v1/jobs", json=body, headers={"traceparent": CALLER}, timeout=60)
        assert answer.status_code == 202, answer.text
    finally:
        api.terminate()
        api.wait(60)


def is_up(server):
    try:
        return httpx2.get(f"{server}/livez").status_code == 200
    except httpx2.TransportError:
        return False


def ended(fleet):
    return [job for job in fleet.jobs(None) if job.state == "succeeded"]


@pytest.mark.parametrize("submit", [submit_by_command, submit_over_http])
def test_a_job_is_told_from_its_submit_to_its_end_and_no_word_of_it(submit, build):
    fleet = build()
    fleet.sims[0].break_(InjectedFault(mode="e503", seconds=600))
    with collector() as there:
        worker = fleet.worker(OTEL_EXPORTER_OTLP_ENDPOINT=there.url, OTEL_BSP_SCHEDULE_DELAY="200")
        submit(fleet, there.url)
        fleet.until(lambda: ended(fleet))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0

    [sent] = there.of_kind(Span.SPAN_KIND_PRODUCER)
    processed, calls = there.of_kind(Span.SPAN_KIND_CONSUMER), there.of_kind(Span.SPAN_KIND_CLIENT)
    assert {(link.trace_id, link.span_id) for span in processed for link in span.links} == {
        (sent.trace_id, sent.span_id)
    }
    assert all(span.trace_id != sent.trace_id and not span.parent_span_id for span in processed)
    assert {span.parent_span_id for span in calls} <= {span.span_id for span in processed}
    failed, answered = attributes(calls[0]), attributes(calls[-1])
    assert (calls[0].name, failed["gen_ai.provider.name"], failed["error.type"]) == (
        "chat claude-sim",
        "anthropic",
        "server_error",
    )
    assert (failed["http.response.status_code"], failed["holdfast.attempt.number"]) == (503, 1)
    assert calls[0].status.code == Status.STATUS_CODE_ERROR
    assert answered["gen_ai.usage.output_tokens"] > 0
    assert "error.type" not in answered
    assert (answered["holdfast.route"], answered["gen_ai.provider.name"]) == ("second/gpt-sim", "second")
    steps = [attributes(span)["holdfast.step"] for _, span in there.spans if span.name.startswith("settle")]
    assert steps[-1] == "complete"
    assert sent.parent_span_id.hex() == (CALLER.split("-")[2] if submit is submit_over_http else "")
    services = {service for service, _ in there.spans}
    assert services == {"holdfast-api" if submit is submit_over_http else "holdfast", "holdfast-worker"}
    assert not any(word.encode() in body for body in there.bodies for word in (PROMPT, os.environ["HOLDFAST_TEST_KEY"]))


def test_a_collector_that_is_away_keeps_no_worker_from_its_jobs_or_its_end(build):
    fleet = build()
    worker = fleet.worker(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_BSP_SCHEDULE_DELAY="200")
    batch = fleet.submit(5)
    fleet.until_done(batch)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert fleet.succeeded(batch) == 5
