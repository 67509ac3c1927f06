"""Which functions decide: the real policy, unless a test puts another in the place of one to see it caught."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.lab.drill.jobs import Call, Worker
from holdfast.model.fault import Fault
from holdfast.model.job import State
from holdfast.model.reply import Reply
from holdfast.model.step import Step
from holdfast.policy import breaker, bucket, report, step
from holdfast.policy.backoff import Uniform
from holdfast.policy.verdict import ScopeKind, Verdict

Outcome = Reply | Fault


def holds(call: Call) -> bool:
    """Whether a call may still write: its job runs, under its own fence."""
    return call.job.state is State.RUNNING and call.job.fence == call.fence


def server_time(now: float, _worker: Worker) -> float:
    """The clock that decides: Redis's and SQL's, whatever the worker's own says."""
    return now


@dataclass(frozen=True, slots=True)
class Rig:
    """``uniform`` None draws from the seed. ``acks_first``: the lane hears that a job is done before SQL does."""

    admit: Callable[..., tuple[breaker.Breaker, breaker.Permit | breaker.Refusal]] = breaker.admit
    hear: Callable[..., breaker.Breaker] = breaker.hear
    take: Callable[..., Any] = bucket.take
    refund: Callable[..., bucket.Level] = bucket.settle
    next_step: Callable[..., Step] = step.next_step
    verdicts: Callable[..., Mapping[ScopeKind, Verdict]] = report.verdicts
    pause: Callable[..., float | None] = report.pause
    holds: Callable[[Call], bool] = holds
    clock: Callable[[float, Worker], float] = server_time
    uniform: Uniform | None = None
    acks_first: bool = False


REAL = Rig()
