"""The way of one job through a worker: call, judge, decide, record, release. In that order a crash loses nothing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from holdfast.model.attempt import Attempt
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Permit
from holdfast.model.reply import Reply
from holdfast.model.route import Plan
from holdfast.model.step import Complete, Step
from holdfast.policy.fault_rules import may_be_billed
from holdfast.policy.retry import Health, next_step
from holdfast.wire.validate import check
from holdfast.worker.call_runner import CallInFlight, CallRunner
from holdfast.worker.context import WorkerContext
from holdfast.worker.fault_monitor import FaultMonitor
from holdfast.worker.hedging import Hedging, is_good
from holdfast.worker.permit_releaser import PermitReleaser
from holdfast.worker.retries import Retries
from holdfast.worker.slow_calls import SlowCallMonitor

ALL_WELL = Health(open_routes=frozenset())


@dataclass(slots=True)
class AttemptRunner:
    """Carries claimed jobs to their next state; one for all attempts of a process."""

    context: WorkerContext
    calls: CallRunner
    releaser: PermitReleaser
    retries: Retries = field(init=False)
    fault_monitor: FaultMonitor = field(init=False)
    slow_calls: SlowCallMonitor = field(init=False)
    hedging: Hedging = field(init=False)

    def __post_init__(self) -> None:
        clock = self.context.runtime.clock
        self.retries, self.fault_monitor = Retries(clock), FaultMonitor(clock)
        self.slow_calls = SlowCallMonitor(self.context, self._health)
        self.hedging = Hedging(self.context, self.releaser)

    async def run(self, job: Claimed, permit: Permit, plan: Plan) -> None:
        """Carry one claimed job to its next state. Raises CancelledError, and bugs."""
        attempts = await self.hedging.run(started(job, permit, plan), plan, self._call)
        attempts = await self._decide(attempts, plan)
        attempts = await self._record(attempts)
        self.releaser.release(attempts)

    async def _call(self, call: CallInFlight, plan: Plan) -> Attempt:
        """Make one call, and judge what came of it."""
        with self.slow_calls.watch(call, plan):
            result = await self.calls.run(call, plan)
        attempt = judged(replace(call.attempt, result=result))
        self.slow_calls.learn(attempt)
        self.fault_monitor.record(attempt)
        return attempt

    async def _decide(self, attempts: Sequence[Attempt], plan: Plan) -> list[Attempt]:
        """Give the last attempt, which decides, its step."""
        *others, last = attempts
        if last.job.tries == 0:
            self.retries.first_call()
        step = await self._next_step(last, counting(last.job, others), plan)
        return [*others, replace(last, step=step, outcome=reconsidered(last.outcome, step))]

    async def _next_step(self, attempt: Attempt, job: Claimed, plan: Plan) -> Step:
        outcome, route = attempt.outcome, attempt.route
        assert outcome is not None
        health = ALL_WELL if is_good(attempt) else await self._health(plan)
        step = next_step(job, route, plan, outcome, health, self.context.gate.now(), random.uniform)
        return self.retries.paced(step, guarded=route.name in health.open_routes)

    async def _health(self, plan: Plan) -> Health:
        try:
            health = await self.context.gate.health(plan)
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
            health = ALL_WELL
        return self.fault_monitor.health(health)

    async def _record(self, attempts: list[Attempt]) -> list[Attempt]:
        """Write the ends of the calls; while SQL is away the writer keeps them.

        A step that SQL refused, or never heard of, is taken away: it must not put the job back into its lane.
        """
        self.context.runtime.crash_point("before_record")
        try:
            taken = await self.context.writer.finish(attempts)
        except StorageUnavailable as error:
            self.context.dependencies.failed(error)
            taken = False
        self.context.runtime.crash_point("after_record")
        return attempts if taken else [replace(attempt, step=None) for attempt in attempts]


def started(job: Claimed, permit: Permit, plan: Plan) -> Attempt:
    """The attempt whose row the claim wrote."""
    route = plan.route(permit.route)
    assert route is not None, f"the gate gave {permit.route}, which is not in the plan it was asked with"
    return Attempt(job, permit, route, job.attempt_number)


def judged(attempt: Attempt) -> Attempt:
    """The attempt with its outcome: a reply that breaks the schema which its job asked for is a fault."""
    assert attempt.result is not None
    outcome = attempt.result.outcome
    if attempt.job.request.output is not None and isinstance(outcome, Reply):
        outcome = check(attempt.job.request, outcome) or outcome
    return replace(attempt, outcome=outcome)


def counting(job: Claimed, others: Sequence[Attempt]) -> Claimed:
    """The job, with the calls counted that other routes may bill for it."""
    return (
        replace(job, calls=job.calls + sum(each.fault is None or may_be_billed(each.fault) for each in others))
        if others
        else job
    )


def reconsidered(outcome: Reply | Fault | None, step: Step) -> Reply | Fault | None:
    """A reply that is not taken as the result is a refusal that another provider may do better than."""
    if not isinstance(outcome, Reply) or isinstance(step, Complete):
        return outcome
    said = "the model refused, and the job asks another one then"
    return Fault(FaultKind.REFUSED, said, provider_request_id=outcome.provider_request_id)
