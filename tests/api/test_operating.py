"""Lanes, routes, ledger, status, probes and metrics."""

from producing import ROUTE


def submit(api, jobs: int = 3) -> None:
    api.post("/api/v1/jobs", json={"model": "smart", "jobs": [{"prompt": f"p{n}"} for n in range(jobs)]})


def test_a_lane_is_paused_and_resumed(api) -> None:
    submit(api)
    assert api.post("/api/v1/lanes/smart.batch/pause").json()["paused"] is True
    (lane,) = api.get("/api/v1/lanes").json()["lanes"]
    assert (lane["name"], lane["paused"], lane["counts"]["queued"]) == ("smart.batch", True, 3)
    assert api.post("/api/v1/lanes/smart.batch/resume").json()["paused"] is False
    assert api.post("/api/v1/lanes/openai/gpt-5.4.batch/pause").status_code == 200
    assert api.post("/api/v1/lanes/nobody.batch/pause").status_code == 404


def test_a_route_is_forced_and_reset(api) -> None:
    def state(name: str) -> str:
        return {route["name"]: route["state"] for route in api.get("/api/v1/routes").json()["routes"]}[name]

    assert api.post(f"/api/v1/routes/{ROUTE}/open").json()["override"] == "open"
    assert state(ROUTE) == "forced_open"
    assert api.post(f"/api/v1/routes/{ROUTE}/close").json()["override"] == "closed"
    assert state(ROUTE) == "disabled"
    assert api.post(f"/api/v1/routes/{ROUTE}/reset").json()["override"] is None
    assert state(ROUTE) == "closed"
    assert api.post("/api/v1/routes/nobody/nothing/open").status_code == 404


def test_the_ledger_holds(api, worker) -> None:
    submit(api)
    worker.answer(jobs=1)
    ledger = api.get("/api/v1/ledger").json()
    assert ledger["holds"]
    assert "I1" in [line["name"] for line in ledger["lines"]]


def test_status_shows_storage_workers_lanes_and_routes(api, worker) -> None:
    submit(api)
    status = api.get("/api/v1/status").json()
    assert status["database_url"].startswith("sqlite:///")
    assert status["redis_url"] == "redis://127.0.0.1:1/0"
    assert [each["host"] for each in status["workers"]] == ["here"]
    assert [lane["name"] for lane in status["lanes"]] == ["smart.batch"]
    assert ROUTE in [route["name"] for route in status["routes"]]
    assert "Redis at redis://127.0.0.1:1/0 did not answer" in status["warnings"][0]


def test_redis_away_is_ready_with_a_warning(api) -> None:
    assert api.get("/livez").json() == {"status": "alive"}
    answer = api.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert "Accepted jobs are safe in SQL" in answer.json()["warnings"][0]


def test_metrics_count_the_backlog_and_what_ended(api, worker) -> None:
    submit(api, jobs=5)
    worker.answer(jobs=2)
    worker.bury(jobs=1)
    text = api.get("/metrics").text
    assert 'holdfast_backlog{lane="smart.batch",state="queued"} 2.0' in text
    assert 'holdfast_jobs_total{model="smart",outcome="succeeded"} 2.0' in text
    assert 'holdfast_dlq{reason="invalid_request"} 1.0' in text
    assert 'holdfast_oldest_claimable_seconds{lane="smart.batch"}' in text
    assert "holdfast_workers 1.0" in text
    assert "holdfast_redis_up 0.0" in text
    assert "job_" not in text.replace("job_seconds", "")
