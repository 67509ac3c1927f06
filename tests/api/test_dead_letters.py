"""Bulk actions on dead letters need a filter, count first, and act only when told to."""

import orjson
import pytest

from holdfast.model.records import JobFilter
from holdfast.store.operations import BulkAction, open_operation


@pytest.fixture
def letters(api, worker) -> int:
    jobs = [{"prompt": f"p{n}", "custom_id": f"c{n}"} for n in range(4)]
    api.post("/api/v1/jobs", json={"model": "smart", "jobs": jobs})
    return worker.bury()


def test_letters_are_listed_and_grouped(api, letters) -> None:
    assert [job["custom_id"] for job in api.get("/api/v1/dlq").json()["jobs"]] == ["c3", "c2", "c1", "c0"]
    (group,) = api.get("/api/v1/dlq/groups").json()["groups"]
    assert (group["lane"], group["fault"], group["jobs"]) == ("smart.batch", "invalid_request", letters)


@pytest.mark.parametrize("action", ["replay", "drain", "drop"])
def test_without_a_filter_nothing_happens(api, letters, action) -> None:
    answer = api.post(f"/api/v1/dlq/{action}", json={"dry_run": False})
    assert answer.status_code == 422
    assert "all: true" in answer.json()["hint"]


@pytest.mark.parametrize("action", ["replay", "drain", "drop"])
def test_by_default_an_action_only_counts(api, letters, action) -> None:
    answer = api.post(f"/api/v1/dlq/{action}", json={"fault": "invalid_request", "limit": 3}).json()
    assert (answer["operation"], answer["jobs"], answer["dry_run"]) == (None, 3, True)
    assert len(api.get("/api/v1/dlq").json()["jobs"]) == letters


def test_a_plan_of_a_replay_tells_the_route_and_the_cost(api, letters) -> None:
    plan = api.post("/api/v1/dlq/replay", json={"all": True}).json()
    [route] = plan["routes"]
    assert (route["model"], route["route"], route["jobs"]) == ("smart", "anthropic/claude-opus-4-8", letters)
    assert plan["cost_usd"] == route["cost_usd"] > 0
    dearer = api.post("/api/v1/dlq/replay", json={"all": True, "edit": {"max_tokens": 100_000}}).json()
    assert dearer["cost_usd"] > plan["cost_usd"]
    unpriced = api.post("/api/v1/dlq/replay", json={"all": True, "edit": {"model": "openai/gpt-5.4"}}).json()
    assert (unpriced["cost_usd"], unpriced["routes"][0]["route"]) == (None, "openai/gpt-5.4")


@pytest.mark.parametrize("edit", [{"model": "nobody"}, {"max_tokens": 0}, {"prompt": "x"}])
def test_an_edit_that_no_job_could_run_with_is_refused(api, letters, edit) -> None:
    assert api.post("/api/v1/dlq/replay", json={"all": True, "dry_run": False, "edit": edit}).status_code == 422
    assert len(api.get("/api/v1/dlq").json()["jobs"]) == letters


@pytest.mark.parametrize("number", [{"limit": True}, {"per_minute": "60"}, {"edit": {"max_tokens": "9"}}])
def test_what_is_a_number_only_to_python_is_refused(api, letters, number) -> None:
    assert api.post("/api/v1/dlq/replay", json={"all": True, **number}).status_code == 422


def test_a_replay_is_an_operation_that_is_done_when_it_is_small(api, letters) -> None:
    answer = api.post("/api/v1/dlq/replay", json={"lane": "smart.batch", "dry_run": False}).json()
    assert (answer["jobs"], answer["eligible"], answer["state"], answer["dry_run"]) == (letters, letters, "done", False)
    assert answer["operation"].startswith("op_")
    shown = api.get(f"/api/v1/dlq/operations/{answer['operation']}").json()
    assert shown == answer
    assert api.get("/api/v1/dlq/operations").json()["operations"] == [answer]
    assert {job["status"] for job in api.get("/api/v1/jobs").json()["jobs"]} == {"queued"}


def test_a_paced_replay_is_paused_resumed_and_aborted(api, letters) -> None:
    body = {"all": True, "dry_run": False, "per_minute": 1}
    id_ = api.post("/api/v1/dlq/replay", json=body).json()["operation"]
    url = f"/api/v1/dlq/operations/{id_}"
    assert (api.get(url).json()["jobs"], api.get(url).json()["state"]) == (1, "running")
    assert api.post(f"{url}/pause").json()["state"] == "paused"
    assert api.post(f"{url}/resume").json()["state"] == "running"
    assert api.post(f"{url}/abort").json()["state"] == "aborted"
    assert len(api.get("/api/v1/dlq").json()["jobs"]) == letters - 1
    assert api.get(f"/api/v1/dlq/operations/op_{'0' * 32}").status_code == 404


def test_a_drop_removes(api, letters) -> None:
    one = api.get("/api/v1/dlq").json()["jobs"][0]["id"]
    assert api.post("/api/v1/dlq/drop", json={"id": [one], "dry_run": False}).json()["jobs"] == 1
    assert api.get(f"/api/v1/jobs/{one}").status_code == 404
    assert api.post("/api/v1/dlq/drop", json={"all": True, "dry_run": False}).json()["jobs"] == letters - 1


def test_a_drain_can_be_fetched_and_submitted_again(api, letters) -> None:
    answer = api.post("/api/v1/dlq/drain", json={"all": True, "dry_run": False}).json()
    assert answer["jobs"] == letters
    assert api.get("/api/v1/dlq").json()["jobs"] == []
    lines = [orjson.loads(line) for line in api.get(answer["export_url"]).content.splitlines()]
    assert {line["letter"]["code"] for line in lines} == {"bad_parameter"}
    assert api.post("/api/v1/jobs", json={"jobs": lines}).status_code == 202
    assert api.delete(answer["export_url"]).status_code == 204
    assert api.get(answer["export_url"]).status_code == 404


def test_an_export_is_not_there_before_its_drain_has_ended(api, letters, store) -> None:
    id_ = store.write(open_operation, BulkAction.DRAIN, JobFilter(), None, "me")
    url = f"/api/v1/dlq/exports/op_{id_}"
    for answer in (api.get(url), api.delete(url)):
        assert answer.status_code == 409
        assert "0 of 4 dead letters are written" in answer.json()["detail"]


def test_an_export_is_named_by_its_operation_only(api) -> None:
    assert api.get("/api/v1/dlq/exports/..%2Fholdfast.db").status_code == 404
    assert api.get(f"/api/v1/dlq/exports/op_{'0' * 32}").status_code == 404
