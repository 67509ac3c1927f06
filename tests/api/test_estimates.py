"""What jobs would cost is told over HTTP before any is submitted, and what a batch has cost while it runs."""

import pytest

from holdfast.client.cost_estimate import joined_estimate
from holdfast.model.records import JobFilter
from holdfast.store.jobs import count_jobs
from producing import StandInWorker


def test_an_estimate_prices_each_job_and_each_route_and_submits_nothing(api, store) -> None:
    jobs = [
        {"prompt": "four characters a token."},
        {"prompt": "a", "max_tokens": 100},
        {"prompt": "a", "model": "nobody"},
    ]
    view = api.post("/api/v1/jobs/estimate", json={"model": "smart", "jobs": jobs}).json()
    assert [job and job["output_tokens_most"] for job in view["jobs"]] == [1_000, 100, None]
    assert view["jobs"][0]["unpriced_route"] == "openai/gpt-5.4"
    assert [(each["index"], each["where"]) for each in view["problems"]] == [(2, "model")]
    [model] = view["models"]
    assert (model["model"], model["jobs"], model["output_tokens_most"]) == ("smart", 2, 1_100)
    first = model["routes"][0]
    assert first["usd_most"] - first["usd_least"] == pytest.approx(1_100 * 25 / 1e6)
    assert store.read(count_jobs, JobFilter()) == 0


def test_one_job_is_estimated_as_it_would_be_submitted(api) -> None:
    view = api.post("/api/v1/jobs/estimate", json={"model": "smart", "prompt": "a"}).json()
    assert [job["model"] for job in view["jobs"]] == ["smart"]


def test_no_jobs_cost_nothing_and_are_a_batch_that_has_ended(api) -> None:
    assert api.post("/api/v1/jobs/estimate", json={"jobs": []}).json() == {"jobs": [], "models": [], "problems": []}
    answer = api.post("/api/v1/jobs", json={"jobs": []}).json()
    assert answer["jobs"] == []
    assert api.get(answer["status_url"]).json()["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"jobs": 1},
        {"model": "nobody", "prompt": "a"},
        {"prompt": 1},
        {"prompt": "a", "webhook": "no URL"},
        {"jobs": [], "webhook": "AAA"},
        {"jobs": [], "webhook": ""},
        {"model": "smart", "prompt": "a", "custom_id": "a\0"},
        {"model": "smart", "prompt": "a", "metadata": {"a\0": "b"}},
        {"jobs": [], "first": False},
        {"jobs": [], "first": "3"},
        {"jobs": [], "expires_in": True},
    ],
)
def test_a_body_that_is_no_order_or_one_job_that_is_none_is_refused_as_a_submit_is(api, body) -> None:
    refusals = [api.post(f"/api/v1/jobs{path}", json=body) for path in ("/estimate", "")]
    assert [each.status_code for each in refusals] == [422, 422]
    assert len({each.json()["detail"] for each in refusals}) == 1


@pytest.mark.parametrize("batch", ["AAA", f"batch_{'0' * 32}"])
def test_jobs_of_a_batch_that_is_not_there_are_refused_as_a_submit_is(api, batch) -> None:
    body = {"model": "smart", "jobs": [{"prompt": "a"}], "batch": batch}
    assert [api.post(f"/api/v1/jobs{path}", json=body).status_code for path in ("/estimate", "")] == [404, 404]


def test_estimates_of_parts_come_to_that_of_the_whole(api) -> None:
    jobs = [{"prompt": "a" * size, "model": model} for size, model in ((1, "smart"), (9, "smart"), (5, "nobody"))]

    def asked(*some: dict) -> dict:
        return api.post("/api/v1/jobs/estimate", json={"jobs": some}).json()

    parts = joined_estimate([asked(jobs[0]), asked(*jobs[1:])])
    whole = asked(*jobs)
    assert (parts["jobs"], parts["problems"]) == (whole["jobs"], whole["problems"])
    assert parts["models"][0]["routes"][0]["usd_most"] == pytest.approx(whole["models"][0]["routes"][0]["usd_most"])
    assert parts["models"][0]["input_tokens"] == whole["models"][0]["input_tokens"]


def test_what_a_batch_has_cost_is_told_while_it_runs(api, worker: StandInWorker) -> None:
    batch = api.post("/api/v1/jobs", json={"model": "smart", "jobs": [{"prompt": "a"}, {"prompt": "b"}]}).json()[
        "batch"
    ]
    path = f"/api/v1/batches/{batch}/cost"
    assert api.get(path).json() == {"id": batch, "cost_usd": 0.0}
    worker.answer(jobs=1)
    half = api.get(path).json()["cost_usd"]
    worker.answer()
    assert half > 0
    assert api.get(path).json()["cost_usd"] == pytest.approx(2 * half)
    assert api.get(path.replace(batch, "batch_" + "0" * 32)).status_code == 404
