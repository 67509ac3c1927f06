"""Which functions decide: the real policy, unless a test puts another in the place of one to see it caught."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedWorker
from holdfast.model.fault import Fault
from holdfast.model.job import State
from holdfast.model.reply import Reply
from holdfast.model.step import Step
from holdfast.policy import breaker, outcome_signals, rate_limit, retry, transition
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker_state import Breaker
from holdfast.policy.signals import ScopeKind, Signal

Outcome = Reply | Fault


def holds(call: SimulatedCall) -> bool:
    """Whether a call may still write: its job runs, under its own fence."""
    row = call.job.progress
    return row.state is State.RUNNING and row.fence == call.fence


def server_time(now: float, _worker: SimulatedWorker) -> float:
    """The clock that decides: Redis's and SQL's, whatever the worker's own says."""
    return now


@dataclass(frozen=True, slots=True)
class PolicyHooks:
    """``uniform`` None draws from the seed. ``acks_first``: the lane hears that a job is done before SQL does."""

    admit: Callable[..., tuple[Breaker, breaker.Admission | breaker.Refusal]] = breaker.admit
    record: Callable[..., Breaker] = breaker.record
    take: Callable[..., Any] = rate_limit.take
    refund: Callable[..., rate_limit.Level] = rate_limit.settle
    next_step: Callable[..., Step] = retry.next_step
    signals: Callable[..., Mapping[ScopeKind, Signal]] = outcome_signals.signals
    pause: Callable[..., float | None] = outcome_signals.pause
    finished: Callable[..., transition.JobProgress | None] = transition.finished
    holds: Callable[[SimulatedCall], bool] = holds
    clock: Callable[[float, SimulatedWorker], float] = server_time
    uniform: Uniform | None = None
    acks_first: bool = False


REAL = PolicyHooks()
