"""Bulk actions on dead letters need a filter, count first, and act only when told to."""

import orjson
import pytest


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
    answer = api.post(f"/api/v1/dlq/{action}", json={"fault": "invalid_request", "limit": 3})
    assert answer.json() == {"operation": None, "jobs": 3, "dry_run": True}
    assert len(api.get("/api/v1/dlq").json()["jobs"]) == letters


def test_a_replay_is_paced(api, letters) -> None:
    body = {"lane": "smart.batch", "dry_run": False, "per_minute": 1}
    answer = api.post("/api/v1/dlq/replay", json=body).json()
    assert (answer["jobs"], answer["dry_run"]) == (letters, False)
    assert answer["operation"].startswith("op_")
    states = sorted(job["status"] for job in api.get("/api/v1/jobs").json()["jobs"])
    assert states == ["delayed", "delayed", "delayed", "queued"]


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


def test_an_export_is_named_by_its_operation_only(api) -> None:
    assert api.get("/api/v1/dlq/exports/..%2Fholdfast.db").status_code == 404
    assert api.get(f"/api/v1/dlq/exports/op_{'0' * 32}").status_code == 404
