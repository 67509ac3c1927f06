"""Webhooks over HTTP: what a tenant may see and change of them, and what a submit that names one is told."""

import pytest

from holdfast.client.webhooks import Webhooks
from holdfast.store.webhook_events import announce_events

HOOKS, JOBS = "/api/v1/webhooks", "/api/v1/jobs"
URL = "https://one.example/hook"


@pytest.fixture
def secret(api) -> str:
    return api.post(f"{HOOKS}/secret", json={}).json()["secret"]


def submit(api, **fields):
    return api.post(JOBS, json={"model": "smart", "prompt": "a", **fields})


def test_a_webhook_without_a_secret_is_refused_before_anything_is_accepted(api) -> None:
    answer = submit(api, webhook=URL)
    assert answer.status_code == 409
    assert "no signing secret" in answer.json()["detail"]
    assert api.get(JOBS).json()["jobs"] == []


@pytest.mark.parametrize(
    "url", ["http://one.example/", "https://10.0.0.1/", "https://a:b@one.example/", "https://0x7f.1/"]
)
def test_an_address_that_no_webhook_may_go_to_is_refused(api, secret, url) -> None:
    assert submit(api, webhook=url).status_code == 422
    many = api.post(JOBS, json={"model": "smart", "jobs": [{"prompt": "a"}], "webhook": url})
    assert many.status_code == 422
    assert api.post(HOOKS, json={"url": url}).status_code == 422
    assert secret


def test_the_end_of_a_job_is_on_its_way_to_the_url_that_it_named(api, worker, secret) -> None:
    job = submit(api, webhook=URL).json()["id"]
    worker.answer()
    announce_events(worker.store)
    [delivery] = api.get(f"{HOOKS}/deliveries").json()["deliveries"]
    assert (delivery["url"], delivery["type"], delivery["state"]) == (URL, "job.succeeded", "pending")
    again = api.post(f"{HOOKS}/deliveries/{delivery['id']}/redeliver").json()
    assert again["event"] == delivery["event"]
    assert secret
    assert job


def test_the_jobs_of_a_list_may_each_name_one_and_so_may_the_batch(api, worker, secret) -> None:
    other = "https://two.example/"
    jobs = [{"prompt": "a", "webhook": URL}, {"prompt": "b"}]
    assert api.post(JOBS, json={"model": "smart", "jobs": jobs, "webhook": other}).status_code == 202
    worker.answer()
    announce_events(worker.store)
    assert [each["url"] for each in api.get(f"{HOOKS}/deliveries").json()["deliveries"]] == [URL]
    assert {each["url"] for each in api.get(HOOKS).json()["webhooks"]} == {URL, other}
    assert secret


def test_a_receiver_is_added_shown_tested_resumed_and_removed(api, secret) -> None:
    made = api.post(HOOKS, json={"url": URL, "events": ["batch.completed"]})
    assert made.status_code == 201
    path = f"{HOOKS}/{made.json()['id']}"
    assert api.get(path).json()["events"] == ["batch.completed"]
    assert api.post(f"{path}/test").json()["type"] == "webhook.test"
    assert api.post(f"{path}/resume").json()["state"] == "good"
    assert api.post(f"{path}/redeliver").json()["redelivered"] == 0
    assert api.delete(path).json()["state"] == "removed"
    assert api.get(path).status_code == 404
    assert secret


def test_an_unknown_event_is_refused_with_those_there_are(api, secret) -> None:
    answer = api.post(HOOKS, json={"url": URL, "events": ["batch.done"]})
    assert answer.status_code == 422
    assert "batch.completed" in answer.json()["hint"]
    assert secret


def test_a_secret_is_shown_once_and_stands_in_no_view(api, secret) -> None:
    api.post(HOOKS, json={"url": URL})
    newer = api.post(f"{HOOKS}/secret", json={"overlap_seconds": 60}).json()["secret"]
    assert newer != secret
    shown = "".join(api.get(path).text for path in (HOOKS, f"{HOOKS}/deliveries", "/api/v1/status"))
    assert "whsec_" not in shown


def test_no_id_leads_to_another_tenants_receiver(api, worker, secret) -> None:
    made = api.post(HOOKS, json={"url": URL}).json()["id"]
    other = Webhooks(api.app.state.holdfast.installation, "other", "test")
    assert other.list() == {"webhooks": []}
    assert secret
    with pytest.raises(Exception, match="there is no webhook"):
        other.remove(made)
