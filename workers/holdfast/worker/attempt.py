"""The way of one job through a worker: call, decide, record, settle. In that order, so that a crash loses nothing."""

import asyncio
import random
from dataclasses import dataclass, field, replace
from functools import partial

from holdfast.credentials import NoToken
from holdfast.dialect.strictness import demand_allowed
from holdfast.dialect.validate import check
from holdfast.lanes import Gate, Settled
from holdfast.model.answer import Answer
from holdfast.model.errors import HoldfastError, QueueUnavailable, StorageUnavailable, Unmappable
from holdfast.model.fault import Fault, FaultKind, Scope
from holdfast.model.ids import public_id
from holdfast.model.job import AttemptEnd, Claimed, Need, Offer, Outcome, Permit
from holdfast.model.records import Settlement
from holdfast.model.reply import Reply, Usage
from holdfast.model.route import Plan, Route
from holdfast.model.step import Complete, Reroute, Step
from holdfast.policy.step import Health, asks_another, next_step
from holdfast.settings import crash_point
from holdfast.store import GroupWriter
from holdfast.worker.callers import Callers
from holdfast.worker.footing import Footing
from holdfast.worker.lease import Lease
from holdfast.worker.logins import Logins
from holdfast.worker.oddities import Oddities
from holdfast.worker.places import Places
from holdfast.worker.retries import Retries
from holdfast.worker.settler import Settler
from holdfast.worker.time_box import at_most

SCHEMA_SECONDS = 0.5  # a worker's lease is renewed by the same loop
ALL_WELL = Health(open_routes=frozenset())


@dataclass(frozen=True, slots=True)
class Called:
    """A call that is over. ``outcome`` is the answer's, or the fault that the job's own schema found in its reply."""

    job: Claimed
    permit: Permit
    route: Route
    answer: Answer
    outcome: Reply | Fault

    @property
    def reply(self) -> Reply | None:
        return self.answer.outcome if isinstance(self.answer.outcome, Reply) else None

    @property
    def usage(self) -> Usage | None:
        return self.reply.usage if self.reply else None


@dataclass(slots=True)
class Attempts:
    """What the attempts of one process share."""

    writer: GroupWriter
    gate: Gate
    settler: Settler
    callers: Callers
    footing: Footing
    lease: Lease
    logins: Logins
    places: Places
    retries: Retries = field(default_factory=Retries)
    oddities: Oddities = field(default_factory=Oddities)

    async def run(self, job: Claimed, permit: Permit, plan: Plan) -> None:
        """Carry one claimed job to its next state. Raises CancelledError, and bugs."""
        route = plan.route(permit.route)
        assert route is not None, f"the gate gave {permit.route}, which is not in the plan it was asked with"
        answer = barred(job, plan, route) or await self._call(job, route, permit)
        outcome = judged(job, answer.outcome)
        self.oddities.heard(route.name, job.id, outcome)
        step = await self._decide(job, route, plan, outcome)
        outcome = reconsidered(outcome, step)
        crash_point("before_record")
        called = Called(job, permit, route, answer, outcome)
        written = await self._record(settlement(called, step))
        crash_point("after_record")
        self.settler.settle(settled(called, step if written else None, self.gate.now()))

    async def _call(self, job: Claimed, route: Route, permit: Permit) -> Answer:
        """One call, watched for slowness. Whatever goes wrong on our side of the adapter is a fault of our own."""
        tag = f"{public_id('job', job.id)}/{job.generation}/{job.attempt_number}"
        watch = self._watch(route, permit, job.need)
        try:
            caller = await self.callers.caller(route, permit.credential)
            crash_point("before_send")
            refusal = partial(self._refusal, permit)
            answer = await caller.complete(route.model, job.request, deadline=route.deadline, tag=tag, refusal=refusal)
        except NoToken as error:
            return self._heard(route, permit, Answer(Fault(FaultKind.NO_TOKEN, str(error))))
        except HoldfastError as error:
            return Answer(Fault(FaultKind.OURS, str(error)))
        finally:
            if watch:
                watch.cancel()
        crash_point("after_body")
        if isinstance(answer.outcome, Fault) and answer.outcome.kind is FaultKind.AUTH:
            self.callers.doubt(route, permit.credential, caller)
        return self._heard(route, permit, answer)

    async def _refusal(self, permit: Permit) -> str | None:
        """Why a call may not leave now: this process stood still since the claim, and what it held is others' now."""
        try:
            why = await self.gate.refusal(permit)
        except QueueUnavailable as error:
            self.footing.redis_failed(error)
            why = "its permit is old, and Redis cannot be asked for another"
        if not self.lease.held:
            why = "this worker's lease ran out before the call"
        self.places.left(permit.id)
        return why

    def _heard(self, route: Route, permit: Permit, answer: Answer) -> Answer:
        """Remember what a call said of its credential, for the operator."""
        if isinstance(answer.outcome, Fault) and answer.outcome.scope is Scope.CREDENTIAL:
            self.logins.heard(f"{route.provider}/{permit.credential}", answer.outcome.kind)
        return answer

    def _watch(self, route: Route, permit: Permit, need: Need) -> asyncio.TimerHandle | None:
        """Tell the breaker of a call that is slow while it is still in flight."""
        if route.slow_after is None:
            return None
        loop = asyncio.get_running_loop()
        seconds = route.slow_after * max(1.0, need.output_tokens / 1000)
        return loop.call_later(seconds, lambda: loop.create_task(self._report_slow(permit)))

    async def _report_slow(self, permit: Permit) -> None:
        try:
            await self.gate.report_slow(permit)
        except QueueUnavailable as error:
            self.footing.redis_failed(error)

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
            self.footing.redis_failed(error)
            health = ALL_WELL
        return self.oddities.health(health)

    async def _record(self, finished: Settlement) -> bool:
        """Write the end of the call; while SQL is away the writer keeps it. False: refused, or SQL never came back."""
        try:
            return await self.writer.settle(finished)
        except StorageUnavailable as error:
            self.footing.sql_failed(error)
            return False


def barred(job: Claimed, plan: Plan, route: Route) -> Answer | None:
    """The end of a call that the job's own strictness forbids; None where it may be made."""
    try:
        demand_allowed(job.request, plan, route)
    except Unmappable as error:
        return Answer(Fault(FaultKind.UNMAPPABLE, str(error)))
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


def settlement(called: Called, step: Step) -> Settlement:
    """What SQL hears. A reply that was judged a fault was paid for all the same: its usage and cost are kept."""
    fault = called.outcome if isinstance(called.outcome, Fault) else None
    price, usage, answer = called.route.price, called.usage, called.answer
    cost = price.cost_micros(usage.input, usage.output) if usage else 0
    end = AttemptEnd(outcome_of(fault), fault, called.reply, cost, answer.receipt, answer.seconds)
    return Settlement(called.job, called.permit.route, end, step)


def outcome_of(fault: Fault | None) -> Outcome:
    if fault is None:
        return Outcome.SUCCEEDED
    if fault.kind is FaultKind.OURS:  # no byte was sent
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
