"""Jobs go in, results come out, whatever happens to providers, Redis and workers on the way."""

import os
import signal
import time

from holdfast.lab.providers.settings import InjectedFault
from holdfast.model.job import Outcome
from holdfast.model.records import JobFilter
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import find_detail
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import BulkAction, open_operation
from system.fleet import Fleet


def test_two_processes_answer_every_job_of_a_batch_with_one_call_each(build):
    fleet = build()
    batch = fleet.submit(200)
    fleet.worker(), fleet.worker()
    fleet.until_done(batch)
    counts = fleet.sims[0].counts()
    assert fleet.succeeded(batch) == 200
    assert counts["calls"] == counts["jobs"] == 200
    assert fleet.offenders() == {}


def test_an_outage_of_the_first_provider_is_a_detour(build):
    fleet = build(latency=(0.1, 0.1))
    fleet.sims[0].break_(InjectedFault(mode="e503"))
    batch = fleet.submit(300, model="two")
    fleet.worker()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 300
    assert fleet.sims[1].counts()["by_status"] == {"200": 300}
    assert fleet.offenders() == {}


def test_an_outage_of_the_only_provider_is_a_backlog_that_drains(build):
    fleet = build()
    fleet.sims[0].break_(InjectedFault(mode="e503", seconds=3))
    batch = fleet.submit(100)
    fleet.worker()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 100
    assert fleet.offenders() == {}


def test_four_processes_send_one_probe_when_a_cool_off_ends(build):
    fleet = build(concurrency=25)
    for _ in range(4):
        fleet.worker()
    fleet.until(lambda: len(fleet.store.read(list_workers)) == 4)
    fleet.sims[0].break_(InjectedFault(mode="e503", seconds=4))
    fleet.sims[0].break_(InjectedFault(mode="slow", delay=3.0))  # decides once the other is over
    batch = fleet.submit(100)
    fleet.until(lambda: executed(fleet) == 1)
    time.sleep(1.5)  # the probe is still under way, and a hundred jobs wait behind it
    assert executed(fleet) == 1
    fleet.sims[0].heal()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 100


def test_flushall_in_the_middle_loses_nothing_and_repeats_no_finished_call(build):
    fleet = build(latency=(0.1, 0.1), concurrency=20)
    batch = fleet.submit(400)
    fleet.worker(), fleet.worker()
    fleet.until(lambda: fleet.done(batch) > 100)
    fleet.redis().flushall()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 400
    assert fleet.sims[0].counts()["calls"] == 400
    assert fleet.offenders() == {}


def test_kill_9_of_one_of_two_workers_repeats_at_most_its_calls_in_flight(build):
    fleet = build(latency=(0.1, 0.1), concurrency=20)
    batch = fleet.submit(400)
    victim = fleet.worker()
    fleet.worker()
    fleet.until(lambda: fleet.done(batch) > 100)
    victim.kill()
    fleet.until_done(batch)
    counts = fleet.sims[0].counts()
    assert fleet.succeeded(batch) == 400
    assert counts["calls"] - 400 <= 20
    assert counts["calls_after_completed"] <= 20
    assert fleet.offenders() == {}


def test_sigterm_lets_calls_in_flight_finish_and_repeats_none(build):
    fleet = build(latency=(0.5, 0.5), concurrency=50)
    batch = fleet.submit(120)
    worker = fleet.worker()
    fleet.until(lambda: fleet.sims[0].counts()["in_flight"] >= 50)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert 50 <= fleet.succeeded(batch) <= 120
    fleet.worker()
    fleet.until_done(batch)
    assert fleet.sims[0].counts()["calls"] == 120
    assert fleet.offenders() == {}


def test_a_second_sigterm_hands_calls_in_flight_back_at_once(build):
    fleet = build(latency=(5.0, 5.0), concurrency=10)
    batch = fleet.submit(10)
    worker = fleet.worker()
    fleet.until(lambda: fleet.sims[0].counts()["in_flight"] == 10)
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(4) == 0
    assert {job.state for job in fleet.jobs(batch)} == {"queued"}
    attempts = fleet.store.read(find_detail, fleet.jobs(batch)[0].id).attempts
    assert [attempt.outcome for attempt in attempts] == [Outcome.UNKNOWN]


def test_a_redis_that_is_killed_comes_back_and_nothing_runs_twice(build):
    fleet = build(latency=(0.1, 0.1), concurrency=20)
    batch = fleet.submit(300)
    fleet.worker()
    fleet.until(lambda: fleet.done(batch) > 50)

    os.kill(fleet.redis().info("server")["process_id"], signal.SIGKILL)
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 300
    assert fleet.sims[0].counts()["calls"] == 300
    assert fleet.offenders() == {}


def test_a_wrong_request_is_buried_at_once_and_costs_the_others_nothing(build):
    fleet = build()
    fleet.sims[0].break_(InjectedFault(mode="too-long", model="claude-bad"))
    bad = fleet.submit(3, model="first/claude-bad")
    good = fleet.submit(50)
    fleet.worker()
    fleet.until_done(bad), fleet.until_done(good)
    assert {job.state for job in fleet.jobs(bad)} == {"dead"}
    assert {job.fault for job in fleet.jobs(bad)} == {"too_long"}
    assert fleet.succeeded(good) == 50


def test_dead_letters_are_replayed_as_a_new_generation_that_keeps_their_history(build):
    fleet = build()
    fleet.sims[0].break_(InjectedFault(mode="too-long"))
    batch = fleet.submit(5)
    fleet.worker()
    fleet.until_done(batch)
    fleet.sims[0].heal()
    assert (
        work_off(
            fleet.store, fleet.store.write(open_operation, BulkAction.REPLAY, JobFilter(batch=batch), 100, "test")
        ).jobs
        == 5
    )
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 5
    detail = fleet.store.read(find_detail, fleet.jobs(batch)[0].id)
    assert [(a.generation, a.outcome) for a in detail.attempts] == [(1, Outcome.FAILED), (2, Outcome.SUCCEEDED)]
    assert fleet.offenders() == {}


def executed(fleet: Fleet) -> int:
    """Calls of the first provider that were not refused: those it answered, and those it is working on."""
    counts = fleet.sims[0].counts()
    return counts["calls"] - counts["by_status"].get("503", 0)
