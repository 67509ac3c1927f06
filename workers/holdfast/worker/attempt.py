"""The way of one job through a worker: call, judge, decide, record, release. In that order a crash loses nothing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.errors import StorageUnavailable
from holdfast.model.exception_fault import exception_fault, is_exception, what_broke
from holdfast.model.job import MAX_EXCEPTIONS, Claimed, Permit
from holdfast.model.reply import Reply
from holdfast.model.route import Plan
from holdfast.model.step import Step
from holdfast.policy.exceptions import after_exception
from holdfast.policy.retry import still_avoided
from holdfast.wire.validate import check
from holdfast.worker.call_runner import CallInFlight, CallRunner
from holdfast.worker.context import WorkerContext
from holdfast.worker.decision import DecisionMaker, counting
from holdfast.worker.hedging import Hedging
from holdfast.worker.permit_releaser import PermitReleaser
from holdfast.worker.slow_calls import SlowCallMonitor
from holdfast.worker.tracing import Tracing, tracing_of

log = structlog.get_logger()


@dataclass(slots=True)
class AttemptRunner:
    """Carries claimed jobs to their next state; one for all attempts of a process."""

    context: WorkerContext
    calls: CallRunner
    releaser: PermitReleaser
    decisions: DecisionMaker = field(init=False)
    slow_calls: SlowCallMonitor = field(init=False)
    hedging: Hedging = field(init=False)
    tracing: Tracing = field(init=False)

    def __post_init__(self) -> None:
        self.tracing = tracing_of(self.context.settings)
        self.decisions = DecisionMaker(self.context)
        self.slow_calls = SlowCallMonitor(self.context, self.decisions.health)
        self.hedging = Hedging(self.context, self.releaser)

    async def run(self, job: Claimed, permit: Permit, plan: Plan) -> None:
        """Carry one claimed job to its next state, whatever breaks on the way. Raises CancelledError, Unrecorded."""
        calls: list[CallInFlight] = []

        async def call(each: CallInFlight, plan: Plan) -> Attempt:
            calls.append(each)
            return await self._call(each, plan)

        first = started(job, permit, plan)
        with self.tracing.process(job):
            try:
                attempts = await self.hedging.run(first, plan, call)
                attempts = await self._record(await self._decide(attempts, plan))
            except Exception as error:  # noqa: BLE001  whatever it is: the job must end, and the others go on
                attempts = await self._record_broken(calls or [CallInFlight(first)], error, plan)
        self.releaser.release(attempts)

    async def _call(self, call: CallInFlight, plan: Plan) -> Attempt:
        """Make one call, and judge what came of it. What breaks in that is the call's fault."""
        with self.tracing.call(call):
            try:
                with self.slow_calls.watch(call, plan):
                    result = await self.calls.run(call, plan)
                if is_exception(result.outcome):
                    log_attempt(replace(call.attempt, result=result, outcome=result.outcome))
                call.attempt = judged(replace(call.attempt, result=result, ended_at=self.context.gate.now()))
                self.context.gate.record_refusal(call.attempt)
                self.slow_calls.learn(call.attempt)
                self.decisions.fault_monitor.record(call.attempt)
            except Exception as error:  # noqa: BLE001  bytes may have left: it is counted, or it is paid without end
                call.attempt = broken(call, error)
        return call.attempt

    async def _decide(self, attempts: Sequence[Attempt], plan: Plan) -> list[Attempt]:
        """Give the last attempt, which decides, its step."""
        *others, last = attempts
        return [*others, await self.decisions.decide(last, others, plan)]

    async def _record(self, attempts: list[Attempt]) -> list[Attempt]:
        """Write the ends of the calls; while SQL is away the writer keeps them.

        A step that SQL refused, or never heard of, is taken away: it must not put the job back into its lane.
        """
        self.context.runtime.crash_point("before_record")
        try:
            with self.tracing.settle(attempts):
                taken = await self.context.writer.finish(attempts)
        except StorageUnavailable as error:
            self.context.dependencies.failed(error)
            taken = False
        self.context.runtime.crash_point("after_record")
        return attempts if taken else [replace(attempt, step=None) for attempt in attempts]

    async def _record_broken(self, calls: Sequence[CallInFlight], error: Exception, plan: Plan) -> list[Attempt]:
        """Record that something broke between the calls and their record: with what they brought, else ever less.

        Raises Unrecorded where that breaks, too.
        """
        attempts = [broken(call, error) for call in calls]
        for bare in (as_it_is, without_reading, without_answer):
            told = [bare(attempt) for attempt in attempts]
            try:
                return await self._record([*told[:-1], replace(told[-1], step=self._after_exception(told, plan))])
            except Exception as another:  # noqa: BLE001  the next try holds less that could break it
                log_attempt(told[-1], another)
        self.releaser.release(attempts)
        raise Unrecorded(sent=any(call.may_have_left for call in calls)) from error

    def _after_exception(self, attempts: Sequence[Attempt], plan: Plan) -> Step:
        *others, last = attempts
        assert last.fault is not None
        job = counting(last.job, others)
        avoid = still_avoided(job.need.avoid, self.context.gate.now())
        return after_exception(job, last.route, plan, last.fault, avoid, random.uniform)


class Unrecorded(Exception):
    """Something broke in the way of a job, and nothing could be recorded of it. ``sent``: a call may have left."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__(sent)
        self.sent = sent


def started(job: Claimed, permit: Permit, plan: Plan) -> Attempt:
    """The attempt whose row the claim wrote."""
    route = plan.route(permit.route)
    assert route is not None, f"the gate gave {permit.route}, which is not in the plan it was asked with"
    return Attempt(job, permit, route, job.attempt_number)


def judged(attempt: Attempt) -> Attempt:
    """The attempt with its outcome: a reply that breaks the schema or the rules of its job is a fault."""
    assert attempt.result is not None
    outcome, asked = attempt.result.outcome, attempt.job.request
    if (asked.output is not None or asked.must) and isinstance(outcome, Reply):
        outcome = check(asked, outcome) or outcome
    return replace(attempt, outcome=outcome)


def broken(call: CallInFlight, error: Exception) -> Attempt:
    """The attempt of a call in whose way something broke: with what it brought, and the exception as its outcome."""
    attempt = replace(call.attempt, outcome=exception_fault(error, sent=call.may_have_left), step=None)
    log_attempt(attempt, error)
    return attempt


def as_it_is(attempt: Attempt) -> Attempt:
    """The attempt with all that is known of its call."""
    return attempt


def without_reading(attempt: Attempt) -> Attempt:
    """The attempt without what was read of its answer, which is perhaps what cannot be recorded."""
    assert attempt.fault is not None
    return replace(attempt, result=CallResult(attempt.fault, seconds=attempt.seconds, response=attempt.response))


def without_answer(attempt: Attempt) -> Attempt:
    """The attempt without a word of its answer."""
    assert attempt.fault is not None
    return replace(attempt, result=CallResult(attempt.fault, seconds=attempt.seconds))


def log_attempt(attempt: Attempt, error: Exception | None = None) -> None:
    """Log what broke. None: in the adapter, which knows the answer, and has told it as the call's fault."""
    log.error(
        "attempt_broke",
        job=attempt.job.id,
        route=attempt.route.name,
        error=what_broke(error) if error else attempt.fault and attempt.fault.message,
        effect=f"its job is tried once more, or buried if that was exception {MAX_EXCEPTIONS} of it",
        exc_info=error,
    )
