"""Every statement that moves a job makes of its row what ``policy/transition.py`` says, for any state of the job."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MAX_CRASHES, TERMINAL, Claimed, DeathReason, State
from holdfast.model.records import JobFilter
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze, Step
from holdfast.policy import transition
from holdfast.policy.moves import LEGAL
from holdfast.policy.transition import JobProgress
from holdfast.store.backlog import release_due
from holdfast.store.break_off import break_off
from holdfast.store.cancel import cancel_all, expire_due
from holdfast.store.claim import claim
from holdfast.store.dead_letters import replay
from holdfast.store.finish import finish
from holdfast.store.fleet import take_over
from holdfast.store.hedge import hedge
from holdfast.store.micros import NEVER, to_micros, to_seconds, to_seconds_or_none
from holdfast.store.requeue import requeue
from holdfast.store.transaction import Transaction
from store.scene import Scene, failure, permit, success

PACED = "replay at a pace, as the second"
EXACT = 2e-5  # seconds: dates are stored in microseconds
COLUMNS = [name for name in JobProgress._fields if name != "open_calls"]
DATES = ("available_at", "expires_at", "finished_at")

dates = st.sampled_from([-600.0, -120.0, 120.0, 600.0])  # seconds from now; a test takes less than the nearest
waits = st.sampled_from([0.0, 1.0, 200.0, 900.0])
avoids = st.dictionaries(st.sampled_from(["a/m", "b/m"]), st.none() | waits, max_size=2)
steps = st.one_of(
    st.just(Complete()),
    st.builds(Retry, waits, st.booleans(), avoids, st.none() | st.integers(1, 9_999)),
    st.builds(Snooze, waits, avoids),
    st.builds(Reroute, avoids, st.booleans()),
    st.builds(Bury, st.builds(DeathReason, st.sampled_from(FaultKind), st.just("why"), st.just(400))),
)
outcomes = st.builds(Fault, st.sampled_from(FaultKind), st.just("it said"), ambiguous=st.booleans())


@st.composite
def jobs(draw: st.DrawFn, mostly: State) -> JobProgress:
    """Any job that may stand in the table, half of them in one state; dates are in seconds from now."""
    state, few = draw(st.just(mostly) | st.sampled_from(State)), st.integers(0, 9)
    calls = draw(st.integers(1, 2)) if state is State.RUNNING else 0
    return JobProgress(
        state=state,
        generation=draw(st.integers(1, 3)),
        fence=draw(st.integers(1, 9)),
        number=calls or draw(st.integers(1, 9)),  # a claim was its first
        attempts=draw(few),
        calls=draw(few),
        tries=draw(few),
        crashes=draw(st.integers(0, MAX_CRASHES - 1)),
        available_at=draw(dates) if state is State.DELAYED else None,
        expires_at=draw(st.none() | dates),
        expires_in=draw(st.none() | st.integers(1, 999).map(float)),
        finished_at=draw(dates) if state in TERMINAL else None,
        avoid=draw(avoids),
        why_waiting=draw(st.none() | st.just("it waited")),
        fault=draw(st.sampled_from(FaultKind)) if state is State.DEAD else None,
        output_ceiling=draw(st.none() | st.integers(1, 9_999)),
        open_calls=calls,
    )


@dataclass(frozen=True)
class Case:
    """A job that was claimed, and what its calls came to: the first decides; a hedge beside it ended in ``other``."""

    held: Claimed
    worker: str
    calls: int
    outcome: Fault
    step: Any
    other: Fault

    def attempts(self) -> list[Attempt]:
        first = success(self.held) if self.step == Complete() else failure(self.held, self.step, self.outcome)
        return [first, *(failure(self.held, None, self.other, number=number) for number in range(2, self.calls + 1))]

    def late(self) -> list[Attempt]:
        """An attempt of the claim before, whose row was another one."""
        before = replace(self.held, fence=self.held.fence - 1)
        return [replace(each, job=before, number=90 + each.number) for each in self.attempts()]


Act = Callable[[Transaction, Case], object]
Says = Callable[[Case, JobProgress, float], JobProgress | None]
ENDED = JobFilter(states=frozenset({State.DEAD, State.EXPIRED}))


def lapse(tx: Transaction) -> None:
    execute(tx, "update worker set lease_until = :now", now=tx.now)


MOSTLY = {
    "claim": State.QUEUED,
    "release": State.DELAYED,
    "expire": State.DELAYED,
    "replay": State.EXPIRED,
    PACED: State.DEAD,
}
WAYS: dict[str, tuple[Act, Says]] = {
    "claim": (
        lambda tx, case: claim(tx, case.worker, [permit(case.held.id)]),
        lambda case, job, now: transition.claimed(job, case.worker, now),
    ),
    "finish": (
        lambda tx, case: finish(tx, case.attempts()),
        lambda case, job, now: transition.finished(job, transition.finish(case.attempts(), now), now),
    ),
    "finish under an older fence": (lambda tx, case: finish(tx, case.late()), lambda *_: None),
    "requeue at a stop": (
        lambda tx, case: requeue(tx, case.worker, None),
        lambda _, job, __: transition.requeued(job, sent=True),
    ),
    "requeue before the call": (
        lambda tx, case: requeue(tx, case.worker, [case.held.id]),
        lambda _, job, __: transition.requeued(job, sent=False),
    ),
    "break off before the call": (
        lambda tx, case: break_off(tx, case.worker, case.held.id, "a bug", sent=False),
        lambda _, job, now: transition.broken_off(job, now, "a bug", 0, sent=False),
    ),
    "break off after the call, for the second time": (
        lambda tx, case: (count_exception(tx, case), break_off(tx, case.worker, case.held.id, "a bug", sent=True)),
        lambda _, job, now: transition.broken_off(job, now, "a bug", 1, sent=True),
    ),
    "release": (lambda tx, _: release_due(tx, 10), lambda _, job, now: transition.released(job, now)),
    "expire": (lambda tx, _: expire_due(tx, 10), lambda _, job, now: transition.expired(job, now)),
    "cancel": (lambda tx, case: cancel_all(tx, [case.held.id]), lambda _, job, now: transition.cancelled(job, now)),
    "take over": (
        lambda tx, _: (lapse(tx), take_over(tx)),
        lambda _, job, now: transition.taken_over(job, now),
    ),
    "take over too early": (lambda tx, _: take_over(tx), lambda *_: None),
    "replay": (
        lambda tx, _: replay(tx, ENDED, 10, tx.now, 0),
        lambda _, job, now: transition.replayed(job, now, now),
    ),
    PACED: (
        lambda tx, _: replay(tx, ENDED, 10, tx.now, 30_000_000),
        lambda _, job, now: transition.replayed(job, now + 30, now),
    ),
}


def count_exception(tx: Transaction, case: Case) -> None:
    """Give the job an earlier attempt that an exception of ours ended."""
    execute(
        tx,
        """
        insert into attempt (job, generation, number, route, credential, fence, worker, started_at, ended_at, outcome,
            fault, code, input_tokens, output_tokens, cost_micros)
        select :job, :generation, 99, 'a/m', 'main', 0, 'w', 1, 2, 'unknown', 'ours', 'exception', 0, 0, 0
        """,
        job=case.held.id,
        generation=case.held.generation,
    )


def execute(tx: Transaction, statement: str, **parameters: Any) -> Any:
    return tx.connection.execute(text(statement), parameters)


def put(tx: Transaction, held: Claimed, job: JobProgress) -> Claimed:
    """Write ``job`` over the row of a job that was claimed. Returns its claim as it would be then."""
    if job.state is not State.RUNNING:
        tx.moved(held.lane, None, State.RUNNING, job.state)
        execute(tx, "update attempt set ended_at = :now, outcome = 'unknown' where job = :id", now=tx.now, id=held.id)
    told = {name: getattr(job, name) for name in COLUMNS if name != "avoid"}
    told |= {name: tx.now + to_micros(told[name]) for name in DATES if told[name] is not None}
    avoid = {name: None if wait is None else tx.now + to_micros(wait) for name, wait in job.avoid.items()}
    told |= {
        "expires_at": NEVER if job.expires_at is None else told["expires_at"],
        "expires_in": None if job.expires_in is None else to_micros(job.expires_in),
        "avoid": orjson.dumps(avoid).decode(),
    }
    execute(tx, f"update job set {', '.join(f'{name} = :{name}' for name in told)} where id = :id", id=held.id, **told)
    row = {"generation": job.generation, "fence": job.fence, "id": held.id}
    execute(tx, "update attempt set generation = :generation, fence = :fence where job = :id", **row)
    deadline = to_seconds_or_none(told["expires_at"])
    return replace(held, generation=job.generation, fence=job.fence, attempt_number=1, expires_at=deadline)


def read(tx: Transaction, id_: str) -> JobProgress:
    told = execute(tx, f"select {', '.join(COLUMNS)} from job where id = :id", id=id_).one()._asdict()
    told |= {name: to_seconds_or_none(told[name]) for name in (*DATES, "expires_in")}
    avoid = {name: to_seconds_or_none(date) for name, date in orjson.loads(told.pop("avoid") or "{}").items()}
    state, fault = State(told.pop("state")), told.pop("fault")
    opened = execute(tx, "select count(*) from attempt where job = :id and ended_at is null", id=id_).scalar_one()
    return JobProgress(state, **told, avoid=avoid, fault=fault and FaultKind(fault), open_calls=opened)


def flat(job: JobProgress) -> dict[str, Any]:
    told = job._asdict()
    return told | {f"avoid {name}": date for name, date in told.pop("avoid").items()}


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), outcome=outcomes, step=steps, other=outcomes)
def test_a_statement_makes_of_a_job_what_the_policy_says(
    scene: Scene, way: str, data: st.DataObject, outcome: Fault, step: Step, other: Fault
) -> None:
    job = data.draw(jobs(MOSTLY.get(way, State.RUNNING)))
    scene.wipe()
    worker = scene.hire()
    if way == PACED:  # the first one starts at once
        scene.sql("update job set finished_at = 1 where id = :id", id=scene.held_in(State.DEAD).id)
    [claimed] = scene.claim(*scene.submit(), worker=worker)
    act, says = WAYS[way]

    def play(tx: Transaction) -> tuple[JobProgress, JobProgress, JobProgress]:
        for _ in range(job.open_calls - 1):
            assert hedge(tx, worker, claimed, permit(claimed.id, "b/m")) == 2
        held = put(tx, claimed, job._replace(worker=worker if job.state is State.RUNNING else None))
        case, now = Case(held, worker, job.open_calls, outcome, step, other), to_seconds(tx.now)
        before = read(tx, held.id)
        act(tx, case)
        return before, read(tx, held.id), says(case, before, now) or before

    before, after, expected = scene.store.write(play)
    assert flat(after) == pytest.approx(flat(expected), abs=EXACT)
    assert after.state in {before.state} | LEGAL[before.state]
