"""Claim and finish: who holds a job, what a call came to, and what the next one knows of it."""

import pytest

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import MappingNote, MappingReport, Outcome, State
from holdfast.model.route import Price
from holdfast.model.step import Retry, Snooze
from holdfast.store.backlog import lane_heads, release_due
from holdfast.store.cancel import cancel_job
from holdfast.store.fleet import renew_lease, take_over
from holdfast.store.jobs import find_detail
from store.scene import REPLY, ROUTE, Scene, bury, failure, reroute, retry, snooze, success


def test_a_claimed_job_has_its_attempt_row_before_the_call(scene: Scene) -> None:
    claimed = scene.start(tenant="acme", custom_id="line-1")
    [attempt] = scene.attempts(claimed.id)
    assert (claimed.fence, claimed.attempt_number, claimed.generation) == (1, 1, 1)
    assert (claimed.tenant, claimed.custom_id) == ("acme", "line-1")
    assert (attempt.route, attempt.credential, attempt.worker) == (ROUTE, "main", scene.worker)
    assert (attempt.fence, attempt.outcome, attempt.ended_at) == (1, None, None)
    assert scene.job(claimed.id).worker == scene.worker


def test_only_one_of_two_claims_gets_the_job(scene: Scene) -> None:
    [job] = scene.submit()
    assert len(scene.claim(job)) == 1
    assert scene.claim(job, worker=scene.hire()) == []


def test_jobs_that_cannot_be_claimed_are_left_out(scene: Scene) -> None:
    [queued] = scene.submit()
    others = [scene.held_in(state).id for state in State if state is not State.QUEUED]
    assert [job.id for job in scene.claim(queued, *others, new_id())] == [queued]


def test_a_job_past_its_deadline_is_not_claimed(scene: Scene) -> None:
    [job] = scene.submit(expires_in=60)
    scene.pass_time(61)
    assert scene.claim(job, worker=scene.hire()) == []


def test_a_worker_without_a_lease_claims_nothing(scene: Scene) -> None:
    [job] = scene.submit()
    assert scene.claim(job, worker=new_id()) == []
    scene.pass_time(16)
    assert scene.claim(job) == []
    scene.store.write(renew_lease, scene.worker, 15)
    assert len(scene.claim(job)) == 1


def test_success_writes_the_one_result(scene: Scene) -> None:
    claimed = scene.start()
    report = MappingReport((MappingNote("detail", "not known there"),))
    assert scene.finish(success(claimed, mapping=report, seconds=1.5)) == [True]
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.result is not None
    assert (detail.job.state, detail.job.worker, detail.job.fault) == (State.SUCCEEDED, None, None)
    assert (detail.result.reply, detail.result.usage, detail.result.cost_micros) == (REPLY, REPLY.usage, 7)
    assert (detail.result.route, detail.result.attempts, detail.result.mapping) == (ROUTE, 1, report.notes)
    [attempt] = detail.attempts
    assert (attempt.outcome, attempt.usage, attempt.mapping) == (Outcome.SUCCEEDED, REPLY.usage, report.notes)


def test_a_second_settle_is_refused_and_changes_nothing(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(success(claimed))
    before = scene.store.read(find_detail, claimed.id)
    assert scene.finish(success(claimed)) == [False]
    assert scene.store.read(find_detail, claimed.id) == before


def test_the_same_settlement_twice_in_a_group_wins_once(scene: Scene) -> None:
    claimed = scene.start()
    assert scene.finish(success(claimed), success(claimed)) == [True, False]
    assert not scene.broken()


def test_answers_of_a_group_come_in_its_order(scene: Scene) -> None:
    first, second, third = scene.claim(*scene.submit(3))
    scene.store.write(cancel_job, second.id)
    assert scene.finish(success(third), success(second), success(first)) == [True, False, True]


def test_a_retry_waits_for_its_date_and_says_why(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry(60)))
    job = scene.job(claimed.id)
    assert (job.state, job.attempts, job.why_waiting) == (
        State.DELAYED,
        1,
        f"overloaded (HTTP 529) on {ROUTE}: try later",
    )
    assert job.available_at == pytest.approx(scene.store.now() + 60, abs=5)
    assert scene.store.write(release_due, 10) == []
    scene.pass_time(61)
    [offer] = scene.store.write(release_due, 10)
    assert (offer.id, scene.state(claimed.id)) == (claimed.id, State.QUEUED)


@pytest.mark.parametrize("step", [Retry(0, uses_attempt=True, avoid={}), Snooze(0, {})])
def test_no_delay_is_the_head_of_the_lane_at_once(scene: Scene, step: Retry | Snooze) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, step))
    assert scene.state(claimed.id) is State.QUEUED
    assert scene.job(claimed.id).available_at is None


def test_a_retry_beyond_the_deadline_expires_the_job(scene: Scene) -> None:
    claimed = scene.start(expires_in=30)
    assert scene.finish(failure(claimed, retry(60))) == [True]
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.result is not None
    assert (detail.job.state, detail.result.fault) == (State.EXPIRED, FaultKind.EXPIRED)
    assert "overloaded" in str(detail.result.message)


def test_a_reroute_avoids_a_route_until_a_date_or_for_ever(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, reroute({ROUTE: 30.0, "bad/one": None})))
    [offer] = scene.store.read(lane_heads, "smart.batch", 10)
    assert offer.need.avoid["bad/one"] is None
    assert offer.need.avoid[ROUTE] == pytest.approx(scene.store.now() + 30, abs=5)
    [again] = scene.claim(claimed.id)
    assert (again.need, again.fence, again.attempt_number) == (offer.need, 2, 2)
    scene.finish(failure(again, reroute({"third/one": None})))
    assert set(scene.store.read(lane_heads, "smart.batch", 10)[0].need.avoid) == {"third/one"}


def test_attempts_calls_and_tries_count_what_they_name(scene: Scene) -> None:
    limited = Fault(FaultKind.RATE_LIMITED, status=429)
    cut = Fault(FaultKind.CONNECTION_LOST, ambiguous=True)
    story = [
        # step, fault -> attempts, calls, tries so far
        (retry(0), limited, (1, 0, 1)),
        (snooze(0), limited, (1, 0, 1)),
        (retry(0, uses_attempt=False), cut, (1, 1, 2)),
        (reroute({}), Fault(FaultKind.SERVER_ERROR), (1, 1, 3)),
        (reroute({}, uses_attempt=True), Fault(FaultKind.BAD_OUTPUT), (2, 2, 4)),
        (snooze(0), Fault(FaultKind.INTERNAL), (2, 2, 4)),
    ]
    [job] = scene.submit()
    for number, (step, fault, expected) in enumerate(story, start=1):
        [claimed] = scene.claim(job)
        assert claimed.attempt_number == number
        scene.finish(failure(claimed, step, fault))
        [(tries,)] = scene.rows("select tries from job")
        now = scene.job(job)
        assert (now.attempts, now.calls, tries) == expected, (step, fault)
    [claimed] = scene.claim(job)
    assert (claimed.attempts, claimed.calls, claimed.tries) == (2, 2, 4)


def test_a_buried_job_keeps_its_reason(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, bury()))
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.result is not None
    assert (detail.job.state, detail.job.fault) == (State.DEAD, FaultKind.INVALID_REQUEST)
    assert (detail.result.fault, detail.result.code) == (FaultKind.INVALID_REQUEST, "bad_parameter")
    assert detail.result.message == "no such parameter"


def test_the_result_costs_what_all_its_calls_cost(scene: Scene) -> None:
    claimed = scene.start()
    paid = failure(claimed, retry(0), Fault(FaultKind.BAD_OUTPUT), paid=REPLY, price=Price(input=1 / 6, output=1.0))
    scene.finish(paid)
    [again] = scene.claim(claimed.id)
    scene.finish(success(again))
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.result is not None
    assert (detail.result.cost_micros, detail.result.attempts) == (12, 2)
    assert [attempt.cost_micros for attempt in detail.attempts] == [5, 7]


def test_a_cancelled_jobs_call_is_paid_though_its_reply_is_refused(scene: Scene) -> None:
    claimed = scene.start()
    assert scene.store.write(cancel_job, claimed.id) is State.CANCELLED
    assert scene.finish(success(claimed)) == [False]
    [attempt] = scene.attempts(claimed.id)
    assert (attempt.outcome, attempt.cost_micros, attempt.usage) == (Outcome.SUCCEEDED, 7, REPLY.usage)
    assert scene.state(claimed.id) is State.CANCELLED
    assert not scene.broken()


def test_a_paused_worker_writes_nothing_when_it_wakes_but_its_calls_are_booked(scene: Scene) -> None:
    claimed = scene.start()
    scene.pass_time(16)
    scene.store.write(take_over)
    other = scene.hire()
    [again] = scene.claim(claimed.id, worker=other)
    assert scene.finish(success(claimed)) == [False]
    assert scene.job(claimed.id).worker == other
    first, second = scene.attempts(claimed.id)
    assert (first.outcome, first.cost_micros, second.outcome) == (Outcome.SUCCEEDED, 7, None)
    assert scene.finish(success(again)) == [True]
    assert not scene.broken()


def test_text_that_a_database_refuses_is_made_storable(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry(), Fault(FaultKind.SERVER_ERROR, "broken\x00 \ud800text", code="a\x00b")))
    [attempt] = scene.attempts(claimed.id)
    assert attempt.message == "broken\N{REPLACEMENT CHARACTER} ?text"


def test_a_long_reply_is_stored_compressed_and_read_whole(scene: Scene) -> None:
    claimed = scene.start()
    reply = REPLY.model_copy(update={"text": "Ahoy, ahoy. " * 5000})
    scene.finish(success(claimed, reply))
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.result is not None
    assert detail.result.reply == reply
    [(size,)] = scene.rows("select length(reply) from result")
    assert size < 2000
