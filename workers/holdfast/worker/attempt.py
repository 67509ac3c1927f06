"""The way of one job through a worker: call, decide, record, settle. In that order, so that a crash loses nothing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from holdfast.config import crash_point
from holdfast.lanes import Gate, Settled
from holdfast.model.call_result import CallResult
from holdfast.model.errors import QueueUnavailable, StorageUnavailable, Unmappable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import AttemptEnd, Claimed, Need, Offer, Outcome, Permit
from holdfast.model.records import Settlement
from holdfast.model.reply import Reply
from holdfast.model.route import Plan, Route
from holdfast.model.step import Complete, Reroute, Step
from holdfast.policy.retry import Health, asks_another, next_step
from holdfast.store import GroupWriter
from holdfast.store.turn import may_be_billed
from holdfast.wire.strictness import demand_allowed
from holdfast.wire.validate import check
from holdfast.worker.calling import Called, Calling, Calls
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.fault_monitor import FaultMonitor
from holdfast.worker.hedging import Hedges, Race
from holdfast.worker.permit_releaser import PermitReleaser
from holdfast.worker.retries import Retries
from holdfast.worker.slow_calls import SlowCallMonitor
from holdfast.worker.time_box import at_most

SCHEMA_SECONDS = 0.5  # a worker's lease is renewed by the same loop
ALL_WELL = Health(open_routes=frozenset())


@dataclass(slots=True)
class Attempts:
    """What the attempts of one process share."""

    writer: GroupWriter
    gate: Gate
    releaser: PermitReleaser
    calls: Calls
    dependencies: DependencyHealth
    retries: Retries = field(default_factory=Retries)
    fault_monitor: FaultMonitor = field(default_factory=FaultMonitor)
    slow_calls: SlowCallMonitor = field(init=False)
    hedges: Hedges = field(init=False)

    def __post_init__(self) -> None:
        self.slow_calls = SlowCallMonitor(self.gate, self.dependencies, self._health, self.calls.slots.total)
        self.hedges = Hedges(self.gate, self.writer, self.dependencies)

    async def run(self, job: Claimed, permit: Permit, plan: Plan) -> None:
        """Carry one claimed job to its next state. Raises CancelledError, and bugs."""
        route = plan.route(permit.route)
        assert route is not None, f"the gate gave {permit.route}, which is not in the plan it was asked with"
        told: list[Called] = []
        *others, called = await self._calls(Calling(job, permit, route), plan, told)
        step = await self._decide(counting(called.job, others), called.route, plan, called.outcome)
        called = replace(called, outcome=reconsidered(called.outcome, step))
        crash_point("before_record")
        written = await self._record(settlement(called, step, others))
        crash_point("after_record")
        self._settle([each for each in (*others, called) if each not in told], step if written else None)

    async def _calls(self, first: Calling, plan: Plan, told: list[Called]) -> list[Called]:
        """Make the call, and where the plan says so a second one beside it; the one that decides comes last.

        A probe is not hedged: cut short by another route's answer, it would never tell how its own route is. ``told``
        takes calls that the gate heard of already.
        """
        if plan.hedge is None or first.permit.probe:
            return [await self._call(first, plan)]

        def tell(failed: Called) -> None:
            told.append(failed)
            self._settle([failed], None)

        return await Race(self.hedges, plan, self._call, tell).run(first, plan.hedge)

    async def _call(self, calling: Calling, plan: Plan) -> Called:
        """One call, and what its end means for its job."""
        job, route = calling.job, calling.route
        answer = barred(job, plan, route)
        if answer is None:
            answer = await self._watched(calling, plan)
            self.slow_calls.heard(route, answer)
        outcome = judged(job, answer.outcome)
        self.fault_monitor.heard(route.name, job.id, outcome)
        return Called(job, calling.permit, route, answer, outcome)

    async def _watched(self, calling: Calling, plan: Plan) -> CallResult:
        watch = self.slow_calls.watch(calling, plan)
        try:
            return await self.calls.make(calling)
        finally:
            if watch:
                watch.cancel()

    def _settle(self, calls: Sequence[Called], step: Step | None) -> None:
        """Let Redis hear. What puts the job back comes with the last: an earlier one takes its message away."""
        for called in calls[:-1]:
            self.releaser.settle(settled(called, None, self.gate.now()))
        self.releaser.settle(settled(calls[-1], step, self.gate.now()))

    async def _decide(self, job: Claimed, route: Route, plan: Plan, outcome: Reply | Fault) -> Step:
        if job.tries == 0:
            self.retries.first_call()
        calm = isinstance(outcome, Reply) and not asks_another(job, outcome)
        health = ALL_WELL if calm else await self._health(plan)
        step = next_step(job, route, plan, outcome, health, self.gate.now(), random.uniform)
        return self.retries.paced(step, guarded=route.name in health.open_routes)

    async def _health(self, plan: Plan) -> Health:
        try:
            health = await self.gate.health(plan)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)
            health = ALL_WELL
        return self.fault_monitor.health(health)

    async def _record(self, finished: Settlement) -> bool:
        """Write the end of the call; while SQL is away the writer keeps it. False: refused, or SQL never came back."""
        try:
            return await self.writer.settle(finished)
        except StorageUnavailable as error:
            self.dependencies.sql_failed(error)
            return False


def barred(job: Claimed, plan: Plan, route: Route) -> CallResult | None:
    """The end of a call that the job's own strictness forbids; None where it may be made."""
    try:
        demand_allowed(job.request, plan, route)
    except Unmappable as error:
        return CallResult(Fault(FaultKind.UNMAPPABLE, str(error)))
    return None


def reconsidered(outcome: Reply | Fault, step: Step) -> Reply | Fault:
    """A reply that is not taken as the result is a refusal that another provider may do better than."""
    if isinstance(outcome, Fault) or isinstance(step, Complete):
        return outcome
    said = "the model refused, and the job asks another one then"
    return Fault(FaultKind.REFUSED, said, provider_request_id=outcome.provider_request_id)


def judged(job: Claimed, outcome: Reply | Fault) -> Reply | Fault:
    """Hold a reply against the schema that the job asked for, for so long and no longer: all other calls wait."""
    if job.request.output is None or isinstance(outcome, Fault):
        return outcome
    try:
        with at_most(SCHEMA_SECONDS):
            return check(job.request, outcome) or outcome
    except TimeoutError:
        said = f"holding the answer against the job's JSON Schema took more than {SCHEMA_SECONDS:g} s."
        return Fault(FaultKind.BAD_OUTPUT, said, provider_request_id=outcome.provider_request_id)


def counting(job: Claimed, others: Sequence[Called]) -> Claimed:
    """The job, with the calls counted that other routes may bill for it."""
    return replace(job, calls=job.calls + sum(may_be_billed(end_of(other)) for other in others)) if others else job


def settlement(called: Called, step: Step, others: Sequence[Called] = ()) -> Settlement:
    """What SQL hears."""
    ends = {other.job.attempt_number: end_of(other) for other in others}
    return Settlement(called.job, called.permit.route, end_of(called), step, ends)


def end_of(called: Called) -> AttemptEnd:
    """How a call ended. A reply that was judged a fault was paid for all the same: its usage and cost are kept."""
    fault = called.outcome if isinstance(called.outcome, Fault) else None
    price, usage, answer = called.route.price, called.usage, called.answer
    cost = price.cost_micros(usage.input, usage.output) if usage else 0
    return AttemptEnd(outcome_of(fault), fault, called.reply, cost, answer.mapping, answer.seconds)


def outcome_of(fault: Fault | None) -> Outcome:
    if fault is None:
        return Outcome.SUCCEEDED
    if fault.kind is FaultKind.INTERNAL:  # no byte was sent
        return Outcome.ABANDONED
    return Outcome.UNKNOWN if fault.ambiguous else Outcome.FAILED


def settled(called: Called, step: Step | None, now: float) -> Settled:
    """What Redis hears. A rerouted job goes back to the front of its lane in the same script."""
    job, answer = called.job, called.answer
    requeue = Offer(job.id, job.lane, still_needs(job.need, step, now)) if isinstance(step, Reroute) else None
    return Settled(called.permit, called.outcome, called.usage, answer.limits, answer.seconds, requeue)


def still_needs(need: Need, step: Reroute, now: float) -> Need:
    """``now`` is Redis's clock, which the gate compares with: this host's own may be wrong."""
    return replace(need, avoid={route: None if wait is None else now + wait for route, wait in step.avoid.items()})
