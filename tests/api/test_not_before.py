"""Jobs for later, over HTTP: they say when they start, and what cannot be meant is refused before it is accepted."""

from datetime import datetime

import pytest

from holdfast.store.backlog import release_due
from producing import StandInWorker

LATER = {"model": "smart", "prompt": "a", "not_before": "2h"}


def test_a_scheduled_job_says_when_it_starts_and_why_it_waits(api, worker: StandInWorker) -> None:
    answer = api.post("/api/v1/jobs", json=LATER | {"not_before": "2099-12-24T18:00:00Z"}).json()
    assert answer["status"] == "delayed"
    view = api.get(answer["status_url"]).json()
    assert view["not_before"] == view["available_at"] == "2099-12-24T18:00:00.000Z"
    assert view["why_waiting"] == "scheduled: its producer lets it start later, at 2099-12-24T18:00:00.000Z"
    assert worker.answer() == 0
    assert api.post(f"{answer['status_url']}/cancel").json()["status"] == "cancelled"


def test_what_a_list_says_holds_for_jobs_that_say_nothing(api, store, worker: StandInWorker) -> None:
    jobs = [{"prompt": "a"}, {"prompt": "b", "not_before": "0s"}]
    answer = api.post("/api/v1/jobs", json={"model": "smart", "not_before": 3600, "jobs": jobs}).json()
    assert [job["status"] for job in answer["jobs"]] == ["delayed", "queued"]
    assert worker.answer() == 1
    store.write(lambda tx: tx.connection.exec_driver_sql("update job set available_at = 1 where state = 'delayed'"))
    store.write(release_due, 10)
    assert worker.answer() == 1


def test_lines_of_other_apis_may_be_for_later(api) -> None:
    body = {"model": "claude-opus-4-8", "max_tokens": 5, "messages": [{"role": "user", "content": "a"}]}
    answer = api.post("/api/v1/jobs", json={"custom_id": "a", "params": body, "not_before": "90m"})
    assert answer.json()["status"] == "delayed", answer.text


@pytest.mark.parametrize("start", ["tomorrow", -1, True, [], "2026-13-01"])
def test_what_is_no_time_is_refused_by_its_name(api, start) -> None:
    for body in (LATER | {"not_before": start}, {"model": "smart", "not_before": start, "jobs": [{"prompt": "a"}]}):
        answer = api.post("/api/v1/jobs", json=body)
        assert (answer.status_code, "not_before" in answer.json()["detail"]) == (422, True), answer.text


@pytest.mark.parametrize("start", ["0866-05-04T00:00:00Z", "0001-01-01T00:00:00+20:00", "1969-12-31t23:59:59z"])
def test_a_date_before_the_epoch_is_past_like_any_other(api, start, worker: StandInWorker) -> None:
    for body in (LATER | {"not_before": start}, {"model": "smart", "not_before": start, "jobs": [{"prompt": "a"}]}):
        assert api.post("/api/v1/jobs", json=body).is_success
    assert worker.answer() == 2


def seconds_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()


@pytest.mark.parametrize("start", ["2h", "2099-01-01"])
def test_the_life_of_a_job_for_later_is_counted_from_when_it_may_start(api, start) -> None:
    job = api.post("/api/v1/jobs", json=LATER | {"not_before": start, "expires_in": "30m"}).json()["id"]
    shown = api.get(f"/api/v1/jobs/{job}").json()
    assert seconds_between(shown["not_before"], shown["expires_at"]) == pytest.approx(1_800)


def test_a_start_that_is_past_shortens_no_life(api) -> None:
    job = api.post("/api/v1/jobs", json=LATER | {"not_before": "2001-01-01", "expires_in": "30m"}).json()["id"]
    shown = api.get(f"/api/v1/jobs/{job}").json()
    assert seconds_between(shown["created_at"], shown["expires_at"]) == pytest.approx(1_800)


def test_nobody_expects_scheduled_jobs_to_drain(api) -> None:
    api.post("/api/v1/jobs", json=LATER)
    [lane] = api.get("/api/v1/lanes").json()["lanes"]
    assert (lane["counts"]["delayed"], lane["drain_eta_seconds"]) == (1, 0.0)
    assert lane["drain_eta_why"] == "nothing waits but 1 for a later start"
    metrics = api.get("/metrics").text
    assert 'holdfast_oldest_claimable_seconds{lane="smart.batch"} 0' in metrics
