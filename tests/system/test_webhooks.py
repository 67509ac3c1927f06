"""Each event reaches its receiver, whatever dies on the way: workers, receivers, Redis."""

import json
import os
import signal
import time
from collections.abc import Iterator

import openai
import pytest
from standardwebhooks import Webhook

from holdfast.client.webhooks import Webhooks
from holdfast.model.webhook import DeliveryFilter, DeliveryState
from system.fleet import Fleet
from webhooks.receiver import Received, Receiver

ALLOW = '[webhooks]\nallow = ["127.0.0.1"]\n'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def hooks(fleet: Fleet) -> Webhooks:
    return Webhooks(fleet.holdfast.backend.installation, None, "test")


def ids(received: list[Received]) -> list[str]:
    return [each.headers["webhook-id"] for each in received]


def subjects(received: list[Received], kind: str) -> set[str]:
    events = [json.loads(each.body) for each in received]
    return {event["data"]["id"] for event in events if event["type"] == kind}


def submit(fleet: Fleet, n: int, url: str, batch_url: str | None = None):
    rows = [{"prompt": f"prompt {i}", "model": "one", "webhook": url} for i in range(n)]
    return fleet.holdfast.submit(rows, webhook=batch_url)


def test_openais_client_verifies_what_the_ends_of_jobs_and_batches_are_told_by(build, receiver):
    fleet = build(more=ALLOW)
    secret = hooks(fleet).make_secret("default")["secret"]
    fleet.worker()
    batch = submit(fleet, 3, receiver.url, receiver.url)
    fleet.until(lambda: len(receiver.got) >= 4)
    assert subjects(receiver.got, "job.succeeded") == {str(job.id) for job in batch.jobs}
    assert subjects(receiver.got, "batch.completed") == {batch.id}
    client = openai.OpenAI(api_key="-", webhook_secret=secret)
    for each in receiver.got:
        event = client.webhooks.unwrap(each.body, each.headers)
        assert event.id == each.headers["webhook-id"]
    [ended] = [each for each in receiver.got if '"batch.completed"' in each.body]
    assert client.webhooks.unwrap(ended.body, ended.headers).data.id == batch.id
    newer = hooks(fleet).make_secret("default")["secret"]
    submit(fleet, 1, receiver.url)
    fleet.until(lambda: len(receiver.got) >= 5)
    for good in (secret, newer):
        Webhook(good).verify(receiver.got[-1].body, receiver.got[-1].headers)


def test_no_event_is_lost_when_workers_die_and_the_receiver_is_away(build, receiver):
    """Workers are killed in the middle of deliveries, and the receiver refuses for a while."""
    down = {"is": True}
    receiver.answer = lambda _: (time.sleep(0.02), (503 if down["is"] else 204, {}))[1]
    fleet = build(more=ALLOW)
    hooks(fleet).make_secret("default")
    workers = [fleet.worker(), fleet.worker()]
    batch = submit(fleet, 60, receiver.url)
    fleet.until(lambda: len(receiver.got) >= 2)
    os.kill(workers.pop().pid, signal.SIGKILL)
    down["is"] = False
    fleet.until(lambda: len(set(ids(receiver.got))) >= 20)
    os.kill(workers.pop().pid, signal.SIGKILL)
    seen = len(receiver.got)
    fleet.worker()
    fleet.until(lambda: subjects(receiver.got, "job.succeeded") == {str(job.id) for job in batch.jobs}, at_most=200)
    fleet.until(lambda: not hooks(fleet).deliveries(DeliveryFilter(DeliveryState.PENDING))["deliveries"], at_most=200)
    by_job: dict[str, set[str]] = {}
    for each in receiver.got:
        by_job.setdefault(json.loads(each.body)["data"]["id"], set()).add(each.headers["webhook-id"])
    assert {len(names) for names in by_job.values()} == {1}, "each retry has the same id"
    assert len(receiver.got) > seen


def test_receivers_that_never_answer_or_are_gone_hold_up_no_other_and_no_job(build, receiver):
    fleet = build(more=ALLOW)
    hooks(fleet).make_secret("default")
    with Receiver(lambda _: (time.sleep(30), (204, {}))[1]) as slow, Receiver(lambda _: (410, {})) as gone:
        fleet.worker()
        submit(fleet, 20, slow.url)
        submit(fleet, 5, gone.url)
        fleet.until(lambda: slow.connections > 0)
        batch = submit(fleet, 40, receiver.url)
        fleet.until(lambda: len(set(ids(receiver.got))) == 40)
        assert slow.connections <= 2, "who has not answered yet is asked once"
        assert fleet.succeeded(batch.inner) == 40
        fleet.until(lambda: len(hooks(fleet).deliveries(DeliveryFilter(DeliveryState.DEAD))["deliveries"]) == 5)
        assert len(gone.got) == 1
        [endpoint] = [each for each in hooks(fleet).list()["webhooks"] if each["state"] == "gone"]
        gone.answer = lambda _: (204, {})
        assert hooks(fleet).redeliver_dead(endpoint["id"])["redelivered"] == 5
        fleet.until(lambda: len(set(ids(gone.got))) == 5)
