"""Dead letters: grouped, replayed at a pace as a new generation, or dropped with the books kept."""

import pytest

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.batches import find_batch, open_batch
from holdfast.store.dead_letters import dead_groups
from holdfast.store.ledger import read_ledger
from store.scene import PRICE, REPLY, Scene, bury, failure, retry, success


def bury_jobs(scene: Scene, count: int = 1, kind: FaultKind = FaultKind.INVALID_REQUEST, **fields: object) -> list[str]:
    """Dead letters, oldest first."""
    jobs = scene.submit(count, **fields)
    for claimed in scene.claim(*jobs):
        scene.finish(failure(claimed, bury(kind)))
    return jobs


def test_groups_count_what_jobs_died_of(scene: Scene) -> None:
    bury_jobs(scene, 2)
    bury_jobs(scene, 3, FaultKind.TOO_LONG)
    bury_jobs(scene, 1, FaultKind.TOO_LONG, model="fast")
    groups = scene.store.read(dead_groups, JobFilter())
    assert [(group.lane, group.fault, group.jobs) for group in groups] == [
        ("smart.batch", FaultKind.TOO_LONG, 3),
        ("smart.batch", FaultKind.INVALID_REQUEST, 2),
        ("fast.batch", FaultKind.TOO_LONG, 1),
    ]
    assert all(group.oldest <= group.newest for group in groups)
    assert [group.jobs for group in scene.store.read(dead_groups, JobFilter(model="fast"))] == [1]


def test_a_replayed_job_starts_afresh_and_keeps_its_history(scene: Scene) -> None:
    [job] = bury_jobs(scene)
    assert scene.replay(JobFilter(), 10, None, "me") == 1
    record = scene.job(job)
    assert (record.state, record.generation, record.attempts, record.calls) == (State.QUEUED, 2, 0, 0)
    assert (record.fault, record.finished_at, record.why_waiting) == (None, None, "replayed by an operator")
    [claimed] = scene.claim(job)
    assert (claimed.generation, claimed.attempt_number, claimed.fence, claimed.tries) == (2, 1, 2, 0)
    scene.finish(success(claimed))
    assert [row.generation for row in scene.rows("select generation from result order by 1")] == [1, 2]
    assert not scene.broken()


def test_a_replay_is_paced_oldest_first(scene: Scene) -> None:
    jobs = bury_jobs(scene, 3)
    assert scene.replay(JobFilter(), 2, 60, "me") == 2
    assert [scene.state(job) for job in jobs] == [State.QUEUED, State.DELAYED, State.DEAD]
    assert scene.job(jobs[1]).available_at == pytest.approx(scene.store.now() + 1, abs=5)


def test_the_pace_of_a_replay_is_told_in_jobs_a_minute(scene: Scene) -> None:
    jobs = bury_jobs(scene, 3)
    scene.replay(JobFilter(), 3, 2, "me")
    now = scene.store.now()
    starts = [scene.job(job).available_at for job in jobs[1:]]
    assert starts == [pytest.approx(now + 30, abs=10), pytest.approx(now + 60, abs=10)]


def test_calls_and_workers_of_the_last_generation_do_not_count_against_the_next(scene: Scene) -> None:
    [job] = bury_jobs(scene)
    scene.sql("update job set attempts = 4, calls = 7, tries = 9, crashes = 2")
    scene.replay(JobFilter(), 10, None, "me")
    [claimed] = scene.claim(job)
    assert (claimed.attempts, claimed.calls, claimed.tries, scene.job(job).crashes) == (0, 0, 0, 0)


def test_a_record_tells_what_its_own_generation_cost(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, bury(), Fault(FaultKind.BAD_OUTPUT), paid=REPLY, price=PRICE))
    scene.replay(JobFilter(), 10, None, "me")
    scene.finish(*(success(again) for again in scene.claim(claimed.id)))
    assert [tuple(row) for row in scene.rows("select generation, cost_micros from result order by 1")] == [
        (1, 7),
        (2, 7),
    ]


def test_a_replay_takes_what_the_filter_names(scene: Scene) -> None:
    bury_jobs(scene)
    [chosen] = bury_jobs(scene, 1, FaultKind.TOO_LONG)
    assert scene.replay(JobFilter(fault=FaultKind.TOO_LONG), 10, None, "me") == 1
    assert scene.state(chosen) is State.QUEUED


def test_expired_jobs_are_replayed_only_when_asked_for(scene: Scene) -> None:
    held = scene.held_in(State.EXPIRED)
    assert scene.replay(JobFilter(), 10, None, "me") == 0
    assert scene.replay(JobFilter(states=frozenset({State.EXPIRED})), 10, None, "me") == 1
    assert scene.state(held.id) is State.QUEUED


def test_what_succeeded_or_was_cancelled_is_never_replayed(scene: Scene) -> None:
    scene.held_in(State.SUCCEEDED)
    scene.held_in(State.CANCELLED)
    assert scene.replay(JobFilter(states=frozenset(State)), 10, None, "me") == 0


def test_a_replayed_job_has_its_whole_patience_again(scene: Scene) -> None:
    [job] = bury_jobs(scene, 1, expires_in=600)
    scene.pass_time(6000)
    scene.replay(JobFilter(), 10, None, "me")
    assert scene.job(job).expires_at == pytest.approx(scene.store.now() + 600, abs=5)
    [patient] = bury_jobs(scene)
    scene.replay(JobFilter(), 10, None, "me")
    assert scene.job(patient).expires_at is None


def test_a_late_end_of_the_old_generation_does_not_touch_the_new_one(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, bury()))
    scene.replay(JobFilter(), 10, None, "me")
    scene.claim(claimed.id)
    assert scene.finish(success(claimed)) == [False]
    assert scene.state(claimed.id) is State.RUNNING


def test_dropped_jobs_are_gone_and_their_cost_stays_in_the_books(scene: Scene) -> None:
    batch = new_id()
    scene.store.write(open_batch, batch, "mine", "default")
    claimed = scene.start(batch=batch)
    scene.finish(success(claimed))
    bury_jobs(scene, 2, batch=batch)
    scene.sql("update attempt set cost_micros = 9, input_tokens = 4 where outcome = 'failed'")
    assert scene.drop(JobFilter(), 1, "me") == 1
    assert scene.drop(JobFilter(states=frozenset(State)), 10, "me") == 1
    assert scene.drop(JobFilter(), 10, "me") == 0
    for table in ("request", "attempt", "result"):
        assert len(scene.rows(f"select job from {table}")) == 1
    assert not scene.broken()
    figures = {line.name: line.figures for line in scene.store.read(read_ledger)}
    assert (figures["I1"]["accepted"], figures["I1"]["dropped"], figures["I1"]["succeeded"]) == (3, 2, 1)
    assert (figures["I7"]["calls"], figures["I7"]["cost_micros"], figures["I7"]["input_tokens"]) == (3, 25, 20)
    found = scene.store.read(find_batch, batch)
    assert found is not None
    assert found.counts == {State.SUCCEEDED: 1}


def test_a_dropped_job_may_be_submitted_again(scene: Scene) -> None:
    [job] = bury_jobs(scene)
    scene.drop(JobFilter(), 10, "me")
    assert scene.submit(id=job) == [job]
    scene.finish(success(scene.claim(job)[0]))
    assert not scene.broken()


def test_every_act_on_dead_letters_is_audited(scene: Scene) -> None:
    bury_jobs(scene, 2)
    scene.replay(JobFilter(fault=FaultKind.INVALID_REQUEST), 1, 60, "ann")
    scene.drop(JobFilter(states=frozenset({State.DEAD})), 10, "bob")
    acts = scene.rows("select actor, action, what, jobs from audit order by id")
    assert [(row.actor, row.action, row.jobs) for row in acts] == [("ann", "replay", 1), ("bob", "drop", 1)]
    assert acts[0].what == '{"fault":"invalid_request"}'


def test_a_waiting_job_is_no_dead_letter(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry()))
    assert scene.store.read(dead_groups, JobFilter(states=frozenset(State))) == []
    assert scene.drop(JobFilter(), 10, "me") == 0
