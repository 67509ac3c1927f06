"""Lanes, routes, ledger, status, probes and metrics."""

from attempts import ended
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import DeathReason
from holdfast.model.step import Bury
from producing import ROUTE, permit


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
    assert 'holdfast_calls_total{outcome="succeeded",route="anthropic/claude-opus-4-8"} 2.0' in text
    assert 'holdfast_tokens_total{route="anthropic/claude-opus-4-8",type="output"} 8.0' in text
    assert 'holdfast_cost_usd_total{route="anthropic/claude-opus-4-8"} 0.0003' in text
    assert 'holdfast_job_seconds_bucket{le="+Inf"} 3.0' in text
    assert "holdfast_queue_wait_seconds_count 3.0" in text
    assert "job_" not in text.replace("job_seconds", "")


def test_every_metric_of_the_contract_is_told(api, store, worker) -> None:
    submit(api, jobs=3)
    worker.answer(jobs=1)
    text = api.get("/metrics").text
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert told >= {
        "holdfast_backlog",
        "holdfast_breaker_state",
        "holdfast_bucket_fill_ratio",
        "holdfast_calls_total",
        "holdfast_cost_usd_total",
        "holdfast_dlq",
        "holdfast_drain_eta_seconds",
        "holdfast_job_seconds",
        "holdfast_jobs_total",
        "holdfast_oldest_claimable_seconds",
        "holdfast_queue_wait_seconds",
        "holdfast_reroutes_total",
        "holdfast_tokens_total",
        "holdfast_unknown_codes_total",
    }


def test_unknown_codes_of_the_fleet_are_told_by_metrics_and_status(api, worker) -> None:
    submit(api, jobs=2)
    strange = Fault(FaultKind.INVALID_REQUEST, "what?", status=418, code="teapot", unfamiliar=True)
    for claimed in worker.claim():
        step = Bury(DeathReason(strange.kind, strange.message))
        worker.finish([ended(claimed, permit(claimed.id, claimed.lane), strange, step)])
    assert 'holdfast_unknown_codes_total{code="teapot",provider="anthropic"} 2.0' in api.get("/metrics").text
    assert api.get("/api/v1/status").json()["unknown_codes"] == [
        {"provider": "anthropic", "code": "teapot", "calls": 2}
    ]


def test_a_lane_tells_when_it_will_be_empty_or_why_nobody_can_tell(api, worker) -> None:
    submit(api)
    (lane,) = api.get("/api/v1/lanes").json()["lanes"]
    assert (lane["drain_eta_seconds"], lane["drain_eta_why"]) == (None, "Redis does not answer")
    worker.answer()
    (lane,) = api.get("/api/v1/lanes").json()["lanes"]
    assert (lane["drain_eta_seconds"], lane["drain_eta_why"]) == (0.0, "nothing waits")
    assert 'holdfast_drain_eta_seconds{lane="smart.batch"} 0.0' in api.get("/metrics").text
