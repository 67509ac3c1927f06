"""What each move makes of a job: the arithmetic that the store's statements are tested against. ``moves`` lists them.

``finish`` is what the store writes after a call, and ``decide`` what the simulation does. The functions named by
participles say of every move what it makes of the job: each returns the job as it is afterwards, or None where the move
is refused and nothing changes. Whether fence and worker are right is the statement's guard. Times are in seconds on
SQL's clock.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, assert_never

from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MAX_CRASHES, MAX_EXCEPTIONS, TERMINAL, DeathReason, Outcome, State
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze, Step
from holdfast.policy.fault_rules import FAULT_RULES, may_be_billed, outcome_of

TICK = 1e-6  # seconds: SQL's clock counts microseconds
FAILED = frozenset({Outcome.UNKNOWN, Outcome.FAILED})
AVOIDS_NONE: Mapping[str, float | None] = MappingProxyType({})


class Transition(NamedTuple):
    """What finishing makes of a job. Counts are added to those that the job has."""

    state: State
    """The job's next state."""
    delay: float = 0.0
    """Seconds from now until a delayed job may start again."""
    uses_attempt: bool = False
    """Whether the outcome was the job's own doing."""
    calls: int = 0
    """Calls of this claim that may have been billed: two at most, where it was hedged."""
    failed_tries: int = 0
    """1 where the next backoff is to be wider."""
    avoid: Mapping[str, float | None] = AVOIDS_NONE
    """Routes that the job must not take, each for so many seconds from now or (None) for ever."""
    why_waiting: str | None = None
    """Why a waiting job does not run, for the person who asks."""
    fault: FaultKind | None = None
    """What went wrong last, or what the job ended of."""
    reason: DeathReason | None = None
    """Why the job ended without a reply, where it did."""
    output_ceiling: int | None = None
    """The most output tokens that its calls may ask for from now on. None: as before."""

    @property
    def ends(self) -> bool:
        """Whether the job's generation is over, so that its terminal record is written with this."""
        return self.state in TERMINAL


class JobProgress(NamedTuple):
    """How far one job has come: the columns of its row that moves change. ``JobRecord`` explains each.

    A tuple, for the simulation makes three of them for each job.
    """

    state: State = State.QUEUED
    generation: int = 1
    fence: int = 0
    number: int = 0
    attempts: int = 0
    calls: int = 0
    tries: int = 0
    crashes: int = 0
    worker: str | None = None
    available_at: float | None = None
    expires_at: float | None = None
    expires_in: float | None = None
    finished_at: float | None = None
    avoid: Mapping[str, float | None] = AVOIDS_NONE
    why_waiting: str | None = None
    fault: FaultKind | None = None
    output_ceiling: int | None = None
    open_calls: int = 0
    """Calls whose attempt rows have no end yet: two where the job is hedged."""

    def is_past_deadline(self, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def ended(self, state: State, now: float, fault: FaultKind | None) -> "JobProgress":
        """The job in terminal state ``state``."""
        return self._replace(state=state, fault=fault, finished_at=now, available_at=None, worker=None)


def finish(attempts: Sequence[Attempt], now: float) -> Transition:
    """Decide what becomes of a job. ``attempts`` are those of one claim; exactly one of them has the step.

    Raises: ValueError: a step of Complete without a reply.
    """
    [decided] = [attempt for attempt in attempts if attempt.step is not None]
    assert decided.step is not None
    if isinstance(decided.step, Complete) and decided.reply is None:
        raise ValueError("an attempt with step Complete needs a reply")
    calls = sum(attempt.fault is None or may_be_billed(attempt.fault) for attempt in attempts)
    move = decide(decided.step, decided.fault, decided.route.name, decided.job.expires_at, now)
    return move._replace(calls=calls)


def decide(step: Step, fault: Fault | None, route: str, expires_at: float | None, now: float) -> Transition:
    """Decide what one step makes of a job with that deadline. ``route`` and ``fault`` are those of the call before.

    A wait that would end after the deadline ends the job now.
    """
    if isinstance(step, Complete):
        return Transition(State.SUCCEEDED, uses_attempt=True)
    failed = int(_widens_backoff(step, fault))
    ceiling: int | None = None
    match step:
        case Bury(reason):
            return _buried(reason, failed, uses_attempt=reason.kind is not FaultKind.EXPIRED)
        case Retry(delay, uses_attempt, avoid, ceiling):
            pass
        case Snooze(delay, avoid):
            uses_attempt = False
        case Reroute(avoid, uses_attempt):
            delay = 0.0
        case other:
            assert_never(other)
    why = why_waiting(fault, route)
    if expires_at is not None and expires_at - now < delay + TICK / 2:
        reason = DeathReason(FaultKind.EXPIRED, f"expires_at passes before the next try. Last: {why}")
        return _buried(reason, failed, uses_attempt=uses_attempt)
    state = State.DELAYED if delay > TICK / 2 else State.QUEUED
    kind = fault.kind if fault else None
    return Transition(state, delay, uses_attempt, 0, failed, avoid, why, kind, output_ceiling=ceiling)


def why_waiting(fault: Fault | None, route: str) -> str:
    """Say why a job is not running, for the person who asks."""
    if fault is None:
        return "handed back by its worker before the call"
    status = f" (HTTP {fault.status})" if fault.status else ""
    said = f": {fault.message}" if fault.message else ""
    return f"{FAULT_RULES[fault.kind].words}{status} on {route}{said}"


def terminal_message(state: State, fault: FaultKind | None, waited_for: str | None) -> str:
    """Say how a job ended that no call ended. ``waited_for``: its ``why_waiting``, or what broke."""
    match state:
        case State.DEAD if fault is FaultKind.INTERNAL:
            said = f"Holdfast broke on it {MAX_EXCEPTIONS} times"
        case State.DEAD:
            said = f"its worker died {MAX_CRASHES} times while it held the job"
        case State.EXPIRED:
            said = "expires_at passed while it waited"
        case _:
            said = "cancelled"
    return said + (f": {waited_for}" if waited_for else "")


def claimed(job: JobProgress, worker: str, now: float) -> JobProgress | None:
    """A worker that holds a permit takes a queued job under a new fence; its attempt row is written with that."""
    if job.state is not State.QUEUED or job.is_past_deadline(now):
        return None
    number, fence = job.number + 1, job.fence + 1
    return job._replace(state=State.RUNNING, worker=worker, number=number, fence=fence, why_waiting=None, open_calls=1)


def finished(job: JobProgress, move: Transition, now: float) -> JobProgress | None:
    """Its worker records how the calls of its claim ended."""
    if job.state is not State.RUNNING:
        return None
    return job._replace(
        state=move.state,
        attempts=job.attempts + move.uses_attempt,
        calls=job.calls + move.calls,
        tries=job.tries + move.failed_tries,
        worker=None,
        available_at=now + move.delay if move.state is State.DELAYED else None,
        finished_at=now if move.ends else None,
        avoid={route: None if seconds is None else now + seconds for route, seconds in move.avoid.items()},
        why_waiting=move.why_waiting,
        fault=move.fault,
        output_ceiling=job.output_ceiling if move.output_ceiling is None else move.output_ceiling,
        open_calls=0,
    )


def requeued(job: JobProgress, *, sent: bool) -> JobProgress | None:
    """Its worker gives it back. ``sent``: its calls may have been sent, as where the worker stops, and count."""
    if job.state is not State.RUNNING:
        return None
    calls = job.calls + (job.open_calls if sent else 0)
    return job._replace(
        state=State.QUEUED, worker=None, calls=calls, why_waiting="handed back by its worker", open_calls=0
    )


def broken_off(job: JobProgress, now: float, why: str, exceptions: int, *, sent: bool) -> JobProgress | None:
    """Its worker gives it back after an exception that it could not record. ``exceptions``: how many came before."""
    if job.state is not State.RUNNING:
        return None
    calls = job.calls + (job.open_calls if sent else 0)
    broken = job._replace(worker=None, calls=calls, why_waiting=why, fault=FaultKind.INTERNAL, open_calls=0)
    if exceptions + job.open_calls < MAX_EXCEPTIONS:
        return broken._replace(state=State.QUEUED)
    return broken.ended(State.DEAD, now, FaultKind.INTERNAL)


def released(job: JobProgress, now: float) -> JobProgress | None:
    """A delayed job whose time has come may start."""
    if job.state is not State.DELAYED or job.available_at is None or job.available_at > now:
        return None
    return None if job.is_past_deadline(now) else job._replace(state=State.QUEUED, available_at=None)


def expired(job: JobProgress, now: float) -> JobProgress | None:
    """A waiting job whose deadline has passed ends. A running one ends by its worker."""
    waits = job.state in {State.QUEUED, State.DELAYED}
    return job.ended(State.EXPIRED, now, FaultKind.EXPIRED) if waits and job.is_past_deadline(now) else None


def cancelled(job: JobProgress, now: float) -> JobProgress | None:
    """A job that has not ended ends. The call of a running one goes on, and its end moves nothing any more."""
    return None if job.state in TERMINAL else job.ended(State.CANCELLED, now, None)


def taken_over(job: JobProgress, now: float) -> JobProgress | None:
    """Its worker's lease ran out. The job may start again, unless it has outlived so many workers already."""
    if job.state is not State.RUNNING:
        return None
    crashed = job._replace(
        crashes=job.crashes + 1, calls=job.calls + job.open_calls, why_waiting="its worker died", open_calls=0
    )
    if crashed.crashes < MAX_CRASHES:
        return crashed._replace(state=State.QUEUED, worker=None)
    return crashed.ended(State.DEAD, now, FaultKind.POISON)


def replayed(job: JobProgress, start: float, now: float) -> JobProgress | None:
    """A dead or expired job starts anew at ``start`` as its next generation, with a deadline as long as its first."""
    if job.state not in {State.DEAD, State.EXPIRED}:
        return None
    return job._replace(
        state=State.DELAYED if start > now else State.QUEUED,
        generation=job.generation + 1,
        number=0,
        attempts=0,
        calls=0,
        tries=0,
        crashes=0,
        available_at=start if start > now else None,
        expires_at=None if job.expires_in is None else max(start, now) + job.expires_in,
        finished_at=None,
        avoid={},
        why_waiting="replayed by an operator",
        fault=None,
        output_ceiling=None,
    )


def _widens_backoff(step: Step, fault: Fault | None) -> bool:
    waits = isinstance(step, Snooze) and fault is not None and FAULT_RULES[fault.kind].waits
    return outcome_of(fault) in FAILED and not waits


def _buried(reason: DeathReason, failed_tries: int, *, uses_attempt: bool) -> Transition:
    state = State.EXPIRED if reason.kind is FaultKind.EXPIRED else State.DEAD
    return Transition(state, uses_attempt=uses_attempt, failed_tries=failed_tries, fault=reason.kind, reason=reason)
