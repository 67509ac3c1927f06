"""Anthropic's SDK against a server and workers of their own, while a provider is down and processes are killed."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest

from holdfast.lab.providers.settings import InjectedFault
from holdfast.store.fleet import list_workers
from system.fleet import PATIENCE
from system.test_crash_points import free_port, refuses, serve

MANY = 150  # requests of a batch
CALLS = 24  # that wait at once


def asked(prompt: str, model: str) -> dict[str, Any]:
    return {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": prompt}]}


def requests(model: str = "two", count: int = MANY) -> list[Any]:
    return [{"custom_id": f"r{n}", "params": asked(f"request {n}", model)} for n in range(count)]


@contextmanager
def client_of(url: str, **options: Any) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=url, api_key="none", timeout=PATIENCE, **options) as client:
        yield client


def waiting_calls(client: anthropic.Anthropic, threads: ThreadPoolExecutor) -> list[Future[str]]:
    """Calls that only the first provider serves; every other one is a stream."""

    def call(n: int) -> str:
        if n % 2:
            with client.messages.stream(**asked(f"call {n}", "one")) as stream:
                return stream.get_final_text()
        return client.messages.create(**asked(f"call {n}", "one")).content[0].text

    return [threads.submit(call, n) for n in range(CALLS)]


def own_results(client: anthropic.Anthropic, batch: str) -> dict[str, str]:
    return {each.custom_id: each.result.message.content[0].text for each in client.messages.batches.results(batch)}


def ended(client: anthropic.Anthropic, batch: str) -> bool:
    found = client.messages.batches.retrieve(batch)
    counts = found.request_counts
    assert counts.processing + counts.succeeded == MANY, counts
    return found.processing_status == "ended"


def test_an_outage_and_a_killed_worker_are_no_error_of_batches_and_waiting_calls(build):
    fleet = build(latency=(0.1, 0.1), concurrency=20)
    _, url = serve(fleet)
    victim = fleet.worker()
    fleet.worker()
    fleet.until(lambda: not refuses(url) and len(fleet.store.read(list_workers)) == 2)
    with client_of(url, max_retries=0) as client, ThreadPoolExecutor(CALLS) as threads:
        fleet.sims[0].break_(InjectedFault(mode="e503"))
        calls = waiting_calls(client, threads)
        batch = client.messages.batches.create(requests=requests())
        fleet.until(lambda: client.messages.batches.retrieve(batch.id).request_counts.succeeded > MANY // 3)
        victim.kill()
        fleet.sims[0].heal()
        fleet.until(lambda: ended(client, batch.id))
        answers = [call.result(PATIENCE) for call in calls]
        results = own_results(client, batch.id)
    assert answers == [f"answer to call {n}" for n in range(CALLS)]
    assert results == {f"r{n}": f"answer to request {n}" for n in range(MANY)}
    assert fleet.offenders() == {}


@pytest.mark.parametrize("step", ["before_response", "mid_insert"])
def test_a_server_killed_while_a_batch_is_created_leaves_one_batch_and_every_request(build, step):
    """The SDK sends its creation again by itself; the next server reads on where the last page ended."""
    fleet, port = build(), free_port()
    doomed, url = serve(fleet, port, HOLDFAST_CRASH_AT=step)
    fleet.until(lambda: not refuses(url))
    with client_of(url, max_retries=10) as client, ThreadPoolExecutor(1) as threads:
        creation = threads.submit(client.messages.batches.create, requests=requests("one"))
        assert doomed.wait(PATIENCE) == -9
        serve(fleet, port)
        fleet.worker()
        batch = creation.result(PATIENCE)
        fleet.until(lambda: ended(client, batch.id))
        assert [each.id for each in client.messages.batches.list()] == [batch.id]
        assert own_results(client, batch.id) == {f"r{n}": f"answer to request {n}" for n in range(MANY)}
    assert fleet.sims[0].counts()["calls"] == MANY
    assert fleet.offenders() == {}
