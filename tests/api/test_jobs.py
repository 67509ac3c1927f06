"""POST /jobs accepts durable jobs; GET shows one, waits for it, lists many; cancel ends one."""

import re

import pytest

from holdfast.model.job import State
from holdfast.store.jobs import find_job
from producing import ROUTE

AS_PAGE = {"Accept": "application/json"}
JOB = {"model": "smart", "prompt": "hello", "custom_id": "a"}


def submit(api, body=JOB, **headers) -> dict:
    answer = api.post("/api/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_a_job_is_accepted_with_its_id_and_where_to_look(api) -> None:
    answer = api.post("/api/v1/jobs", json=JOB)
    assert answer.status_code == 202
    body = answer.json()
    assert re.fullmatch(r"job_[0-9a-f]{32}", body["id"])
    assert body["status"] == "queued"
    assert answer.headers["location"] == body["status_url"] == f"/api/v1/jobs/{body['id']}"


def test_redis_that_is_away_does_not_matter(api, store) -> None:
    job = submit(api)  # the configuration of these tests names a port where nobody listens
    assert store.read(find_job, job["id"].removeprefix("job_")).state is State.QUEUED


def test_a_list_becomes_a_batch(api) -> None:
    body = submit(api, {"model": "smart", "name": "nightly", "jobs": [{"prompt": "a"}, {"prompt": "b"}]})
    assert len(body["jobs"]) == 2
    batch = api.get(body["status_url"]).json()
    assert (batch["id"], batch["name"], batch["total"], batch["counts"]["queued"]) == (body["batch"], "nightly", 2, 2)


def test_more_jobs_join_a_batch(api) -> None:
    batch = submit(api, {"model": "smart", "jobs": [{"prompt": "a"}]})["batch"]
    submit(api, {"model": "smart", "jobs": [{"prompt": "b"}], "batch": batch, "first": 1})
    assert api.get(f"/api/v1/batches/{batch}").json()["total"] == 2


def test_jobs_of_a_list_may_stay_without_a_batch(api) -> None:
    body = submit(api, {"model": "smart", "jobs": [{"prompt": "a"}, {"prompt": "b"}], "batch": None})
    assert body["batch"] is None
    assert api.get("/api/v1/batches").json()["batches"] == []


def test_the_same_idempotency_key_is_the_same_job(api) -> None:
    first = submit(api, **{"Idempotency-Key": "k"})
    again = submit(api, **{"Idempotency-Key": "k"})
    assert again["id"] == first["id"]
    assert (first["created"], again["created"]) == (True, False)


def test_a_known_key_answers_the_state_the_job_has_come_to(api, worker) -> None:
    submit(api, **{"Idempotency-Key": "k"})
    worker.answer()
    assert submit(api, **{"Idempotency-Key": "k"})["status"] == "succeeded"


def test_the_same_key_for_another_body_is_a_conflict(api) -> None:
    submit(api, **{"Idempotency-Key": "k"})
    answer = api.post("/api/v1/jobs", json=JOB | {"prompt": "other"}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_bad_list_names_every_problem_and_takes_nothing(api) -> None:
    jobs = [{"prompt": "a"}, {"max_tokens": 5}, {"prompt": "b", "model": "smrt"}]
    answer = api.post("/api/v1/jobs", json={"model": "smart", "jobs": jobs})
    body = answer.json()
    assert answer.status_code == 422
    assert [problem["index"] for problem in body["problems"]] == [1, 2]
    assert body["problems"][1]["where"] == "model"
    assert "Did you mean smart?" in body["problems"][1]["hint"]
    assert api.get("/api/v1/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"jobs": "x"}, "jobs"),
        ({"jobs": [], "modell": "smart"}, "modell"),
        ({"jobs": [{"prompt": "a"}], "expires_in": -1}, "expires_in"),
        ({"jobs": [{"prompt": "a"}], "model": "smart", "batch": ""}, "batch"),
        ({"jobs": [{"prompt": "a"}], "model": "smart", "name": "a\x00"}, "name"),
        ([1], "expected an object"),
    ],
)
def test_a_malformed_list_names_the_key(api, body, says) -> None:
    answer = api.post("/api/v1/jobs", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_a_whole_number_may_be_written_as_any_number(api) -> None:
    for most, status in ((7.0, 202), (7.5, 422)):
        job = {"model": "smart", "prompt": "a", "max_tokens": most}
        assert api.post("/api/v1/jobs", json=job).status_code == status


def test_a_job_shows_its_attempts_and_its_reply(api, worker) -> None:
    job = submit(api)
    worker.answer()
    body = api.get(job["status_url"]).json()
    assert body["status"] == body["state"] == "succeeded"
    assert body["reply"]["text"] == "HELLO"
    assert (body["custom_id"], body["model"], body["route"], body["cost_usd"]) == ("a", "smart", ROUTE, 0.00015)
    assert [(each["number"], each["route"], each["outcome"]) for each in body["attempts"]] == [(1, ROUTE, "succeeded")]
    assert body["error"] is None
    assert body["finished_at"] >= body["created_at"]
    assert body["created_at"].endswith("Z")


def test_a_dead_job_shows_its_error(api, worker) -> None:
    job = submit(api)
    worker.bury()
    body = api.get(job["status_url"]).json()
    assert (body["status"], body["fault"], body["reply"]) == ("dead", "invalid_request", None)
    assert body["error"]["code"] == "bad_parameter"


def test_an_etag_saves_sending_what_did_not_change(api, worker) -> None:
    url = submit(api)["status_url"]
    tag = api.get(url).headers["etag"]
    assert api.get(url, headers={"If-None-Match": tag}).status_code == 304
    worker.answer()
    assert api.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_prefer_wait_answers_at_once_when_the_job_has_ended(api, worker) -> None:
    url = submit(api)["status_url"]
    worker.answer()
    answer = api.get(url, headers={"Prefer": "respond-async, wait=60"})
    assert answer.json()["status"] == "succeeded"
    assert answer.headers["preference-applied"] == "wait=60"


def test_prefer_wait_ends_with_the_state_as_it_is(api) -> None:
    url = submit(api)["status_url"]
    assert api.get(url, headers={"Prefer": "wait=1"}).json()["status"] == "queued"


def test_cancel_ends_a_job_and_says_so(api, worker) -> None:
    job = submit(api)
    answer = api.post(f"{job['status_url']}/cancel")
    assert answer.json()["status"] == "cancelled"
    assert api.get(job["status_url"]).json()["error"]["kind"] == "cancelled"
    other = submit(api)
    worker.answer()
    assert api.post(f"{other['status_url']}/cancel").json()["status"] == "succeeded"


def test_lists_are_filtered_and_come_in_pages(api, worker) -> None:
    for n in range(5):
        submit(api, JOB | {"custom_id": f"c{n}"})
    worker.answer(jobs=2)
    page = api.get("/api/v1/jobs", params={"limit": 2}).json()
    assert [job["custom_id"] for job in page["jobs"]] == ["c4", "c3"]
    after = api.get("/api/v1/jobs", params={"limit": 5, "cursor": page["next"]}).json()
    assert [job["custom_id"] for job in after["jobs"]] == ["c2", "c1", "c0"]
    assert after["next"] is None
    ended = api.get("/api/v1/jobs", params={"state": ["succeeded", "dead"], "model": "smart"}).json()
    assert [job["custom_id"] for job in ended["jobs"]] == ["c1", "c0"]
    assert api.get("/api/v1/jobs", params={"created_after": "2999-01-01"}).json()["jobs"] == []
    assert len(api.get("/api/v1/jobs", params={"created_before": "2999-01-01T00:00:00Z"}).json()["jobs"]) == 5


def test_an_unknown_filter_is_an_error_not_a_filter_that_is_not_there(api) -> None:
    answer = api.get("/api/v1/jobs", params={"stat": "dead"})
    assert answer.status_code == 422
    assert "stat" in answer.json()["detail"]


def test_unknown_and_malformed_ids_are_not_found(api) -> None:
    for id_, code in (("job_" + "0" * 32, "not_found"), ("job_zz", "invalid_id")):
        answer = api.get(f"/api/v1/jobs/{id_}")
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_the_answers_of_a_batch_are_output_lines_in_input_order(api, worker) -> None:
    body = submit(api, {"model": "smart", "jobs": [{"prompt": "a"}, {"prompt": "b"}, {"prompt": "c"}]})
    worker.answer(jobs=2)
    page = api.get(f"/api/v1/batches/{body['batch']}/results", headers=AS_PAGE).json()
    assert [(line["position"], line["reply"]["text"]) for line in page["results"]] == [(0, "A"), (1, "B")]
    rest = api.get(f"/api/v1/batches/{body['batch']}/results", params={"after": page["next"]}, headers=AS_PAGE).json()
    assert rest == {"results": [], "next": None}
    assert api.post(f"/api/v1/batches/{body['batch']}/cancel").json()["cancelled"] == 1


@pytest.mark.parametrize("good_for", [5_400, "5400", "90m", "1.5h"])
def test_a_list_says_in_any_unit_how_long_its_jobs_are_good(api, store, good_for) -> None:
    body = submit(api, {"model": "smart", "jobs": [{"prompt": "a"}], "expires_in": good_for})
    job = store.read(find_job, body["jobs"][0]["id"].removeprefix("job_"))
    assert job.expires_at is not None
    assert job.expires_at - job.created_at == pytest.approx(5_400, abs=1)


@pytest.mark.parametrize("never", ["soon", "0s", 0, -1, "5M"])
def test_a_list_whose_jobs_are_good_for_no_time_is_refused(api, never) -> None:
    answer = api.post("/api/v1/jobs", json={"model": "smart", "jobs": [{"prompt": "a"}], "expires_in": never})
    assert (answer.status_code, answer.json()["where"]) == (422, "expires_in")


def test_a_submit_that_prefers_to_wait_is_answered_with_the_result(api, worker) -> None:
    first = submit(api, **{"Idempotency-Key": "once"})
    worker.answer()
    answer = api.post("/api/v1/jobs", json=JOB, headers={"Idempotency-Key": "once", "Prefer": "wait=30"})
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, first["id"], "succeeded")
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["location"] == first["status_url"]
    assert answer.json() == api.get(first["status_url"]).json()


def test_a_submit_whose_wait_was_too_short_is_accepted(api) -> None:
    answer = api.post("/api/v1/jobs", json=JOB, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.headers["preference-applied"] == "wait=1"
    assert answer.headers["location"] == answer.json()["status_url"]


def test_a_list_is_not_waited_for(api) -> None:
    answer = api.post("/api/v1/jobs", json={"model": "smart", "jobs": [{"prompt": "a"}]}, headers={"Prefer": "wait=30"})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers
