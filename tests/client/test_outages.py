"""Everybody who waits is told the same of an outage, also of jobs that were never tried."""

import pytest

from attempts import ended
from holdfast.client import outages, overview
from holdfast.client.fleet import GateOverview
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.overview import count_waiting, read_overview
from holdfast.client.submit_request import SubmitRequest
from holdfast.lanes import BreakerView, Snapshot
from holdfast.lanes.values import RouteFault
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.step import Reroute, Retry
from holdfast.policy.outage_sentence import FaultCount
from holdfast.store.backlog import delayed_reasons
from producing import StandInWorker, configured, permit

DOWN = Snapshot(
    [BreakerView("endpoint:anthropic", "open", 1, 3.0, since=1_790_000_000.0),
     BreakerView("endpoint:openai", "half_open", 1, 5.0, since=1_790_000_000.0)],
    [], {},
)  # fmt: skip
NOTHING = Snapshot([], [], {})
FAULTS = [RouteFault("anthropic/claude-opus-4-8", FaultCount("server_error", 503, 21))]


@pytest.fixture
def backend(tmp_path, monkeypatch):
    installation = Installation(configured(tmp_path))
    monkeypatch.setattr("holdfast.client.local.gate_overview", lambda _: GateOverview(DOWN))
    monkeypatch.setattr(outages, "faults_of", lambda *_: FAULTS)
    StandInWorker(installation.ready())
    yield LocalBackend(installation, tenant=None)
    installation.close()


def job_of(backend) -> str:
    return backend.submit(SubmitRequest([{"prompt": "hi", "model": "smart"}])).jobs[0].id


def test_a_job_that_was_never_tried_says_the_cause_of_the_outage(backend) -> None:
    why = backend.job(job_of(backend))["why_waiting"]
    assert "is down since 14:13 UTC (HTTP 503, 21 calls); asked again in 3 s; 1 job waits safely; nothing to do" in why


def test_a_breaker_whose_cool_off_is_over_is_about_to_ask_and_nobody_stopped_it(backend, monkeypatch) -> None:
    due = Snapshot([BreakerView("endpoint:anthropic", "open", 1, 0.0, since=1_790_000_000.0)], [], {})
    monkeypatch.setattr("holdfast.client.local.gate_overview", lambda _: GateOverview(due))
    [sentence] = [route["outage"]["sentence"] for route in backend.routes()["routes"] if route["outage"]]
    assert "; the next job asks it; " in sentence
    assert "operator" not in sentence


def test_status_and_routes_tell_it_in_the_same_words(backend) -> None:
    job = job_of(backend)
    sentences = [route["outage"]["sentence"] for route in backend.routes()["routes"] if route["outage"]]
    assert backend.job(job)["why_waiting"] in sentences
    status = backend.status()
    assert [route["outage"]["sentence"] for route in status["routes"] if route["outage"]] == sentences
    assert status["faults"][0]["calls"] == 21


def test_a_paused_lane_says_who_stopped_it(backend) -> None:
    job = job_of(backend)
    backend.pause("smart.batch", paused=True)
    assert "lane smart.batch was paused by client at" in backend.job(job)["why_waiting"]
    assert "paused by client" in backend.lanes()["lanes"][0]["paused_by"]


def test_a_tenant_learns_neither_names_nor_how_many_others_wait(backend) -> None:
    job = job_of(backend)
    tenant = LocalBackend(backend.installation, tenant="default")
    assert "its jobs wait safely" in tenant.job(job)["why_waiting"]
    backend.pause("smart.batch", paused=True)
    assert "paused by an operator" in tenant.job(job)["why_waiting"]


def test_without_a_worker_a_job_says_so(tmp_path) -> None:
    backend = LocalBackend(Installation(configured(tmp_path)), tenant=None)
    assert "no worker runs" in backend.job(job_of(backend))["why_waiting"]
    backend.close()


def test_a_young_diagnosis_is_told_with_the_outage(backend, monkeypatch) -> None:
    said = {"anthropic": {"verdict": "provider_inference", "at": 1_790_000_000.0}}
    monkeypatch.setattr(outages, "diagnoses_of", lambda _: said)
    assert backend.job(job_of(backend))["why_waiting"].endswith("; diagnosed at 14:13 UTC: its models do not answer")


def counted(backend: LocalBackend, gate: Snapshot = DOWN) -> dict[tuple[str, str], int]:
    installation = backend.installation
    situation = outages.read_situation(installation, gate, None, sees_all=True)
    return count_waiting(situation, installation.ready().read(delayed_reasons, 100))


def test_waiting_jobs_are_counted_by_what_they_wait_for(backend) -> None:
    job_of(backend), job_of(backend)
    assert counted(backend) == {("smart.batch", "outage"): 2}
    backend.pause("smart.batch", paused=True)
    assert counted(backend) == {("smart.batch", "paused"): 2}


def test_delayed_jobs_wait_for_their_retry_and_others_for_their_turn(backend) -> None:
    worker = StandInWorker(backend.installation.ready())
    job_of(backend), job_of(backend)
    [claimed, _] = worker.claim(jobs=2)
    busy = Fault(FaultKind.OVERLOADED, "busy", 529)
    worker.finish([ended(claimed, permit(claimed.id, claimed.lane), busy, Retry(60.0, True, {}))])
    job_of(backend)
    assert counted(backend, NOTHING) == {("smart.batch", "retry"): 1, ("smart.batch", "turn"): 1}


ONE_DOWN = Snapshot([BreakerView("endpoint:anthropic", "open", 1, 3.0, since=1_790_000_000.0)], [], {})


def refuse(backend, route: str) -> None:
    """Have a job refused by a route for ever, so that it may only take the others."""
    worker = StandInWorker(backend.installation.ready())
    job_of(backend)
    [claimed] = worker.claim()
    refused = Fault(FaultKind.INVALID_REQUEST, "no", 400)
    worker.finish(
        [ended(claimed, permit(claimed.id, claimed.lane), refused, Reroute({route: None}, uses_attempt=False))]
    )


def test_jobs_that_a_free_route_refused_wait_for_the_one_that_is_down_and_not_for_their_turn(backend) -> None:
    refuse(backend, "openai/gpt-5.4")
    job_of(backend)
    assert counted(backend, ONE_DOWN) == {("smart.batch", "outage"): 1, ("smart.batch", "turn"): 1}
    situation = outages.read_situation(backend.installation, ONE_DOWN, None, sees_all=True)
    [(why, jobs)] = situation.held_back("smart.batch")
    assert why.startswith("openai/gpt-5.4 cannot take them, and anthropic/claude-opus-4-8 is down since 14:13 UTC")
    assert jobs == 1


def test_jobs_that_a_route_refused_have_their_turn_while_another_is_free(backend) -> None:
    refuse(backend, "anthropic/claude-opus-4-8")
    assert counted(backend, ONE_DOWN) == counted(backend, NOTHING) == {("smart.batch", "turn"): 1}


@pytest.mark.parametrize(
    ("diagnosed", "state"), [("provider_authentication", "provider"), ("local_configuration", "us")]
)
def test_a_refused_key_is_the_fault_of_whom_a_diagnosis_found(backend, monkeypatch, diagnosed: str, state: str) -> None:
    refused = [RouteFault(name, FaultCount("auth", 401, 9)) for name in ("anthropic/claude-opus-4-8", "openai/gpt-5.4")]
    told = {name: {"verdict": diagnosed, "at": 1_790_000_000.0} for name in ("anthropic", "openai")}
    monkeypatch.setattr(overview, "gate_overview", lambda _: GateOverview(DOWN))
    monkeypatch.setattr(overview, "redis_warning", lambda _: None)
    monkeypatch.setattr(outages, "faults_of", lambda *_: refused)
    monkeypatch.setattr(outages, "diagnoses_of", lambda _: told)
    assert read_overview(backend.installation).verdict.state == state
