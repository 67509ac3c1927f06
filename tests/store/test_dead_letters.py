"""Dead letters: grouped, replayed at a pace as a new generation, or dropped with the books kept."""

import orjson
import pytest

from attempts import ended
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import DeathReason, State
from holdfast.model.records import JobFilter, ReplayEdit
from holdfast.model.route import Api
from holdfast.model.step import Bury
from holdfast.model.written import WrittenRequest
from holdfast.store.batches import find_batch, open_batch
from holdfast.store.claim import claim
from holdfast.store.dead_letters import dead_groups, read_demand
from holdfast.store.ledger import read_ledger
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import BulkAction, open_operation
from holdfast.wire.written import read_written
from store.scene import PRICE, REPLY, ROUTE, Scene, bury, failure, permit, reroute, retry, success

OTHER_ROUTE = "openai/gpt"


def bury_jobs(scene: Scene, count: int = 1, kind: FaultKind = FaultKind.INVALID_REQUEST, **fields: object) -> list[str]:
    """Dead letters, oldest first."""
    jobs = scene.submit(count, **fields)
    for claimed in scene.claim(*jobs):
        scene.finish(failure(claimed, bury(kind)))
    return jobs


def die(scene: Scene, fault: Fault, **fields: object) -> str:
    """One job that dies of ``fault``."""
    [job] = scene.submit(1, **fields)
    reason = DeathReason(fault.kind, fault.message, fault.status, fault.code)
    for claimed in scene.claim(job):
        scene.finish(failure(claimed, Bury(reason), fault))
    return job


def test_groups_count_what_jobs_died_of(scene: Scene) -> None:
    bury_jobs(scene, 2)
    bury_jobs(scene, 3, FaultKind.TOO_LONG)
    bury_jobs(scene, 1, FaultKind.TOO_LONG, model="fast")
    groups = scene.store.read(dead_groups, JobFilter())
    assert [(group.fault, group.jobs, dict(group.lanes)) for group in groups] == [
        (FaultKind.TOO_LONG, 4, {"smart.batch": 3, "fast.batch": 1}),
        (FaultKind.INVALID_REQUEST, 2, {"smart.batch": 2}),
    ]
    assert all(group.oldest <= group.newest for group in groups)
    assert [group.jobs for group in scene.store.read(dead_groups, JobFilter(model="fast"))] == [1]


def test_a_cause_is_what_was_said_but_for_what_differs_from_job_to_job(scene: Scene) -> None:
    limit = "maximum is 4096 tokens, got {} (request req_011CSHoEeqs5C35K2UUq{})"
    for number in range(3):
        said = limit.format(5000 + number, number)
        last = die(scene, Fault(FaultKind.TOO_LONG, said, 400, "context_length_exceeded"))
    die(scene, Fault(FaultKind.TOO_LONG, limit.format(1, 1), 413, "context_length_exceeded"))
    die(scene, Fault(FaultKind.TOO_LONG, limit.format(1, 1), 400, "too_long"))
    die(scene, Fault(FaultKind.TOO_LONG, "no", 400, "context_length_exceeded"))
    first, *others = scene.store.read(dead_groups, JobFilter())
    assert (first.jobs, [group.jobs for group in others]) == (3, [1, 1, 1])
    assert (first.sample, first.status, first.code) == (last, 400, "context_length_exceeded")
    assert first.message == "maximum is # tokens, got # (request #)"
    assert [(each.calls, each.status) for each in first.said] == [(1, 400)]


def test_a_group_tells_what_each_route_said_to_its_sample(scene: Scene) -> None:
    [job] = scene.submit()
    for claimed in scene.claim(job):
        scene.finish(failure(claimed, reroute({ROUTE: None}), Fault(FaultKind.OVERLOADED, "busy", 529)))
    for claimed in scene.store.write(claim, scene.worker, [permit(job, OTHER_ROUTE)]):
        wrong = Fault(FaultKind.INVALID_REQUEST, "no such field", 400)
        scene.finish(ended(claimed, permit(job, OTHER_ROUTE), wrong, bury()))
    [group] = scene.store.read(dead_groups, JobFilter())
    assert [(each.route, each.fault, each.message) for each in group.said] == [
        (ROUTE, FaultKind.OVERLOADED, "busy"),
        (OTHER_ROUTE, FaultKind.INVALID_REQUEST, "no such field"),
    ]


def test_a_group_is_a_filter(scene: Scene) -> None:
    die(scene, Fault(FaultKind.TOO_LONG, "one", 400))
    other = die(scene, Fault(FaultKind.TOO_LONG, "two", 400))
    cause = next(group.cause for group in scene.store.read(dead_groups, JobFilter()) if group.sample == other)
    (group,) = scene.store.read(dead_groups, JobFilter(cause=cause))
    assert (group.cause, group.jobs) == (cause, 1)
    assert scene.store.read(dead_groups, JobFilter(cause="0" * 16)) == []
    assert scene.replay(JobFilter(cause=cause), 10, None, "me") == 1
    assert scene.state(other) is State.QUEUED


def test_what_died_before_causes_were_kept_is_a_group_of_its_own(scene: Scene) -> None:
    bury_jobs(scene, 2)
    scene.sql("update result set cause = null")
    [group] = scene.store.read(dead_groups, JobFilter())
    assert (group.cause, group.jobs) == ("unknown", 2)
    assert scene.replay(JobFilter(cause="unknown"), 10, None, "me") == 2


@pytest.mark.parametrize("written", [False, True])
def test_a_replay_may_ask_another_model_for_a_longer_answer(scene: Scene, *, written: bool) -> None:
    batch = new_id()
    scene.store.write(open_batch, batch, "mine", "default")
    body = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":5,"odd":{"a": 1.50}}'
    request = read_written(WrittenRequest(Api.OPENAI_CHAT, "/chat/completions", body)) if written else None
    [job] = bury_jobs(scene, batch=batch, **({"request": request} if request else {}))
    id_ = scene.store.write(open_operation, BulkAction.REPLAY, JobFilter(), None, "me", None, ReplayEdit("fast", 9_000))
    assert work_off(scene.store, id_, rest=0.0).jobs == 1
    record = scene.job(job)
    assert (record.model, record.lane, record.batch) == ("fast", "fast.batch", batch)
    [claimed] = scene.claim(job)
    assert (claimed.request.max_tokens, claimed.need.output_tokens) == (9_000, 9_000)
    if written:
        assert claimed.request.written is not None
        assert claimed.request.written.body == body.replace(b'"max_tokens":5', b'"max_tokens":9000')
    assert not scene.broken()


def test_it_is_told_what_a_replay_would_ask_of_its_routes(scene: Scene) -> None:
    bury_jobs(scene, 2)
    bury_jobs(scene, 1, model="fast")
    found = scene.store.read(read_demand, JobFilter(), None)
    assert [(each.model, each.jobs) for each in found] == [("fast", 1), ("smart", 2)]
    assert all(each.input > 0 and each.output > 0 for each in found)
    assert sum(each.jobs for each in scene.store.read(read_demand, JobFilter(), 2)) == 2


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
    assert [(row.actor, row.action, row.jobs) for row in acts] == [
        ("ann", "replay.asked", 1), ("ann", "replay", 1), ("bob", "drop.asked", 1), ("bob", "drop", 1),
    ]  # fmt: skip
    assert acts[1].what == '{"fault":"invalid_request"}'
    assert orjson.loads(acts[0].what).items() >= {"fault": "invalid_request", "per_minute": 60}.items()


def test_a_waiting_job_is_no_dead_letter(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry()))
    assert scene.store.read(dead_groups, JobFilter(states=frozenset(State))) == []
    assert scene.drop(JobFilter(), 10, "me") == 0
