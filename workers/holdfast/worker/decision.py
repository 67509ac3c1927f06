"""Decides what becomes of a job after a call: gathers what policy needs to know, and asks it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from holdfast.lanes.evidence import sent_at
from holdfast.model.attempt import Attempt
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.exception_fault import is_exception
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed
from holdfast.model.reply import Reply
from holdfast.model.route import Plan
from holdfast.model.step import Bury, Complete, Step
from holdfast.policy.comparison import Comparison, is_its_own
from holdfast.policy.fault_rules import may_be_billed
from holdfast.policy.health import Health
from holdfast.policy.retry import next_step
from holdfast.policy.story import with_story
from holdfast.store.jobs import read_attempts
from holdfast.worker.context import WorkerContext
from holdfast.worker.fault_monitor import FaultMonitor
from holdfast.worker.hedging import is_good
from holdfast.worker.retries import Retries

ALL_WELL = Health()


@dataclass(slots=True)
class DecisionMaker:
    """One for all attempts of a process."""

    context: WorkerContext
    retries: Retries = field(init=False)
    fault_monitor: FaultMonitor = field(init=False)

    def __post_init__(self) -> None:
        clock = self.context.runtime.clock
        self.retries, self.fault_monitor = Retries(clock), FaultMonitor(clock)

    async def decide(self, attempt: Attempt, others: Sequence[Attempt], plan: Plan) -> Attempt:
        """Give an attempt its step. ``others``: calls of the same claim that decide nothing."""
        job, outcome, name = counting(attempt.job, others), attempt.outcome, attempt.route.name
        assert outcome is not None
        if attempt.job.tries == 0:
            self.retries.first_call()
        sent = sent_at(attempt, self.context.gate.now())
        health = ALL_WELL if is_good(attempt) else await self.health(plan, since=sent)
        comparison = await self._comparison(attempt)
        now = self.context.gate.now()
        step = next_step(job, attempt.route, plan, outcome, health, now, random.uniform, comparison=comparison)
        step = self.retries.paced(step, guarded=name in health.open_routes)
        own = isinstance(outcome, Fault) and is_its_own(outcome, job.tries, name, comparison, health, before=job.fault)
        return replace(attempt, step=await self._told(job, step), outcome=reconsidered(outcome, step), is_own=own)

    async def health(self, plan: Plan, *, since: float = 0.0) -> Health:
        """How the routes of a plan are, by the gate and by what this process saw. Without Redis they count as well.

        ``since``: when the call was sent that is judged by it; a route that opened for that call was shut before.
        """
        try:
            health = await self.context.gate.health(plan, since=since)
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
            health = ALL_WELL
        return self.fault_monitor.health(health)

    async def _comparison(self, attempt: Attempt) -> Comparison:
        """What others' calls came to where this one failed. Without Redis there is nothing to compare with."""
        unknown = Comparison(attempt.permit.credential)
        if attempt.fault is None:
            return unknown
        try:
            return await self.context.gate.comparison(attempt)
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
            return unknown

    async def _told(self, job: Claimed, step: Step) -> Step:
        """A burial with what every route said; without SQL, with what the last one said."""
        if not isinstance(step, Bury) or job.attempt_number == 1:
            return step
        try:
            attempts = await self.context.read(read_attempts, [job.id])
        except StorageUnavailable as error:
            self.context.dependencies.failed(error)
            return step
        return Bury(with_story(step.reason, job.generation, attempts))


def counting(job: Claimed, others: Sequence[Attempt]) -> Claimed:
    """The job, with the calls counted that other routes may bill for it, and what broke in them."""
    if not others:
        return job
    billed = sum(each.fault is None or may_be_billed(each.fault) for each in others)
    exceptions = sum(is_exception(each.fault) for each in others)
    return replace(job, calls=job.calls + billed, exceptions=job.exceptions + exceptions)


def reconsidered(outcome: Reply | Fault, step: Step) -> Reply | Fault:
    """A reply that is not taken as the result is a refusal that another provider may do better than."""
    if not isinstance(outcome, Reply) or isinstance(step, Complete):
        return outcome
    said = "the model refused, and the job asks another one then"
    return Fault(FaultKind.REFUSED, said, provider_request_id=outcome.provider_request_id)
