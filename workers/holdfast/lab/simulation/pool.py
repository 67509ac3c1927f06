"""The worker processes of the simulation: fetch, claim, call, decide, record, settle, in that order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, inf
from typing import cast

from holdfast.lab.simulation.event_queue import EventQueue
from holdfast.lab.simulation.gate import WELL, SimulatedGate
from holdfast.lab.simulation.hedging import SimulatedHedging
from holdfast.lab.simulation.invariants import InvariantChecker
from holdfast.lab.simulation.job_table import JobTable
from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedJob, SimulatedWorker
from holdfast.lab.simulation.metrics import Metrics
from holdfast.lab.simulation.outcomes import CUT, GIVEN_UP, TIMED_OUT
from holdfast.lab.simulation.policy_hooks import Outcome, PolicyHooks
from holdfast.lab.simulation.provider import SimulatedProvider
from holdfast.model.fault import Fault
from holdfast.model.job import Claimed
from holdfast.model.reply import Reply
from holdfast.model.step import Complete, Reroute, Retry, Snooze, Step
from holdfast.policy.backoff import Uniform
from holdfast.policy.comparison import is_its_own
from holdfast.policy.health import Health
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST, HEDGE_SECONDARY_LOST
from holdfast.policy.retry_budget import earn, spend
from holdfast.policy.slow_calls import RECHECK_AFTER, gives_up, is_crowded, slow_after, typical

HOP = 0.005  # seconds from an offer to the call, and from the end of a call to its record
LOOK_ANYWAY = 0.25  # seconds: the longest that a worker sleeps before it asks the gate again
SWEEP = 0.2  # seconds between looks for due jobs


class SimulatedPool:
    """``workers`` are the processes; a place in it is taken by a new one when its worker dies."""

    def __init__(  # noqa: PLR0917  # the whole of what a pool is made of
        self,
        loop: EventQueue,
        gate: SimulatedGate,
        ledger: JobTable,
        providers: Mapping[str, SimulatedProvider],
        workers: Sequence[SimulatedWorker],
        audit: InvariantChecker,
        metrics: Metrics,
        hooks: PolicyHooks,
        uniform: Uniform,
    ) -> None:
        self.loop, self.gate, self.ledger, self.providers = loop, gate, ledger, providers
        self.workers, self.audit, self.metrics, self.hooks, self.uniform = list(workers), audit, metrics, hooks, uniform
        self._plan = gate.plan
        self.hedges = SimulatedHedging(gate, ledger, loop, self._send)
        self._asks_at = self._sweeps_at = inf

    def offer(self, jobs: Sequence[SimulatedJob], *, front: bool = False) -> None:
        """Jobs may start. At the front they keep their order."""
        if front:
            self.gate.waiting.extendleft(reversed(jobs))
        else:
            self.gate.waiting.extend(jobs)
        self.pump()

    def pump(self, _about: object = None) -> None:
        """Start what the gate admits, as far as there are slots."""
        if not self.gate.waiting or self._roomiest() is None:
            return
        if self.loop.now < self.gate.shut_until:
            self._ask(self.gate.shut_until)
            return
        again = self.gate.fetch(self.loop.now, self._start)
        if again is not None:
            self._ask(max(self.gate.shut_until, min(again, self.loop.now + LOOK_ANYWAY)))

    def _ask(self, at: float) -> None:
        if not self.loop.now < self._asks_at <= at:
            self._asks_at = at
            self.loop.at(at, self.pump)

    def _roomiest(self) -> SimulatedWorker | None:
        now, best, room = self.loop.now, None, 0
        for worker in self.workers:
            if worker.free > room and worker.alive and worker.paused_until <= now:
                best, room = worker, worker.free
        return best

    def _start(self, call: SimulatedCall) -> bool:
        """Claim the job and make the call. Whether there is a place for one more."""
        worker = self._roomiest()
        now = self.loop.now
        assert worker is not None, "the gate gives permits only to who has a place"
        again = call.job.number > 0
        if not self.ledger.claim(call, worker, now):
            self.gate.settle(call, None, now)
            return True
        if again:
            self.audit.again(call, now)
        worker.free -= 1
        self._send(call, worker)
        self.hedges.first(call, worker)
        return self._roomiest() is not None

    def _send(self, call: SimulatedCall, worker: SimulatedWorker) -> None:
        route, name, at = call.target.route, call.target.name, self.loop.now + HOP
        worker.calls[call] = None
        call.worker = worker
        outcome, seconds = self.providers[route.provider].call(at, call.target.bucket)
        if call.job.breaks:
            outcome = CUT
        elif call.job.fails and route.provider in call.job.fails and isinstance(outcome, Reply):
            outcome, call.alone = call.job.fails[route.provider], self.providers[route.provider].was_well(at, at)
        if seconds >= route.deadline:
            outcome, seconds = TIMED_OUT, route.deadline
        call.outcome, call.seconds, call.sent = outcome, seconds, at
        self.metrics.sent(call, self.gate.in_flight[name])
        if route.slow_after is not None and seconds > route.slow_after:
            slow_at = slow_after(route, worker.typical.get(name), call.job.need.output_tokens)
            if seconds > slow_at:
                call.slow_at = slow_at
                self.loop.at(at + slow_at, self._slow, call)
        self.loop.at(at + seconds + HOP, self.ended, call)

    def ended(self, call: SimulatedCall) -> None:
        """The call is over. A stopped worker notices when it goes on."""
        if call.over:
            return
        worker, outcome = call.worker, call.outcome
        assert worker is not None
        assert outcome is not None
        if worker.paused_until > self.loop.now:
            self.loop.at(worker.paused_until, self.ended, call)
            return
        if outcome.__class__ is Reply:
            call.job.answered = True
        self._finish(call, worker, outcome)

    def _finish(self, call: SimulatedCall, worker: SimulatedWorker, outcome: Outcome) -> None:
        now, job = self.loop.now, call.job
        call.over = True
        if call.other is not None and not self._end_race(call, call.other, worker, outcome):
            self.pump()
            return
        job.acked = job.acked or (self.hooks.acks_first and outcome.__class__ is Reply)
        if worker.dies == "before_record":
            self.kill(worker)
            return
        step, health, own = self._decide(call, worker, outcome, now)
        written = self._record(call, outcome, step, health)
        if worker.dies == "after_record":
            self.kill(worker)
            return
        del worker.calls[call]
        worker.free += 1
        self.metrics.ended(call, outcome, now)
        self.gate.settle(call, outcome, now, own=own)
        if written:
            if step.__class__ is Complete:
                job.acked = True
            elif isinstance(step, Reroute):
                self.gate.waiting.appendleft(job)
            elif isinstance(step, Retry | Snooze):
                self.sweep_at(job.due)
        if self.metrics.draining:
            self.metrics.look(now)
        self.pump()

    def _end_race(self, call: SimulatedCall, other: SimulatedCall, worker: SimulatedWorker, outcome: Outcome) -> bool:
        """A call of a hedged job ended. The one that decides nothing is over now; whether that is the other one."""
        if other.over:
            return True
        if isinstance(outcome, Reply):
            self._beside(other, worker, HEDGE_PRIMARY_LOST if other.sent < call.sent else HEDGE_SECONDARY_LOST)
            return True
        self._beside(call, worker, outcome)
        return False

    def _beside(self, call: SimulatedCall, worker: SimulatedWorker, outcome: Outcome) -> None:
        """A call ended that decides nothing, for its job has another one. Its breakers hear of it."""
        call.over = True
        del worker.calls[call]
        if isinstance(outcome, Fault):
            self.ledger.end_beside(call, outcome)
            job = call.job
            worker.windows.note(call.target.name, str(job.id), outcome, job.tries, self.loop.now)
        self.metrics.ended(call, outcome, self.loop.now)
        self.gate.settle(call, outcome, self.loop.now)

    def _record(self, call: SimulatedCall, outcome: Outcome, step: Step, health: Health) -> bool:
        """SQL first."""
        now, job = self.loop.now, call.job
        written = self.ledger.record(call, outcome, step, now)
        if not written:
            return False
        if step.__class__ is Complete:
            self.metrics.done(now - job.born, call.target.name)
        else:
            if call.alone:
                self.audit.failed_alone(job)
            job.refused_at, job.rerouted_by = now, call.target if isinstance(step, Reroute) else None
            self.audit.decided(job, step, now, spared=call.target.name in health.open_routes | health.degraded)
        return True

    def _decide(
        self, call: SimulatedCall, worker: SimulatedWorker, outcome: Outcome, now: float
    ) -> tuple[Step, Health, bool]:
        """The step, how routes were when it was decided, and whether the failure is the job's own alone."""
        job, route, name = call.job, call.target.route, call.target.name
        claimed = cast("Claimed", job)
        if job.tries == 0:
            worker.retries = earn(worker.retries)
        if worker.windows.client_errors or worker.windows.failures or isinstance(outcome, Fault):
            worker.windows.note(name, str(job.id), outcome, job.tries, now)
        if isinstance(outcome, Reply):
            worker.typical[name] = typical(worker.typical.get(name), call.seconds, outcome.usage.output)
            return self.hooks.next_step(claimed, route, self._plan, outcome, WELL, now, self.uniform), WELL, False
        health, comparison = worker.windows.health(self.gate.health(now), now), self.gate.comparison(call, now)
        clock = self.hooks.clock(now, worker)
        step = self.hooks.next_step(
            claimed, route, self._plan, outcome, health, clock, self.uniform, comparison=comparison
        )
        own = is_its_own(outcome, job.tries, name, comparison, health, before=job.fault)
        return self._paced(step, worker, name, health, now), health, own

    def _paced(self, step: Step, worker: SimulatedWorker, route: str, health: Health, now: float) -> Step:
        """As ``worker.retries``: what is beyond the worker's retry budget comes later."""
        if not isinstance(step, Retry) or route in health.open_routes:
            return step
        worker.retries, later = spend(worker.retries, now)
        return replace(step, delay=step.delay + later)

    def _slow(self, call: SimulatedCall) -> None:
        """A call in flight is older than calls are here. Its breaker hears it now."""
        if call.over or call.worker is None or call.worker.paused_until > self.loop.now:
            return
        if self.gate.report_slow(call, self.loop.now):
            self.pump()
        self._look(call)

    def _look(self, call: SimulatedCall) -> None:
        """Give a slow call up when its route turns out to be ill and another could take its job."""
        if call.over or call.worker is None:
            return
        now, worker = self.loop.now, call.worker
        health, slowness = worker.windows.health(self.gate.health(now), now), (now - call.sent) / call.slow_at
        slow = sum(0 < each.slow_at <= now - each.sent for each in worker.calls)
        crowded = is_crowded(slow, worker.slots)
        route, job = call.target.route, call.job
        if gives_up(route, self._plan, health, job.need, now, slowness=slowness, crowded=crowded, calls=job.calls):
            self._finish(call, call.worker, GIVEN_UP)
        else:
            self.loop.at(now + RECHECK_AFTER, self._look, call)

    def expire(self, job: SimulatedJob) -> None:
        """The sweeper looks for late jobs once a second."""
        self.ledger.expire(job, self.loop.now)

    def sweep_at(self, due: float) -> None:
        """Look for due jobs at the sweeper's next round after ``due``."""
        at = ceil(due / SWEEP) * SWEEP
        if not self.loop.now < self._sweeps_at <= at:
            self._sweeps_at = at
            self.loop.at(at, self.sweep)

    def sweep(self, _about: object = None) -> None:
        now = self.loop.now
        due = self.ledger.release_due(now)
        for job in due:
            self.audit.released(job, now)
        if self.ledger.next_due < inf:
            self.sweep_at(max(self.ledger.next_due, now + SWEEP))
        if due:
            self.offer(due, front=True)

    def kill(self, worker: SimulatedWorker) -> None:
        """The process is gone, with every call it had in flight."""
        worker.alive = False
        worker.dies = ""
        self.audit.excused += len(worker.calls)
        for call in worker.calls:
            call.over = True

    def take_over(self, worker: SimulatedWorker) -> None:
        """Its lease ran out: its jobs are queued again, and what it held is free."""
        calls = list(worker.calls)
        jobs = self.ledger.take_over(worker, self.loop.now)
        self.gate.release(calls, self.loop.now)
        self.offer(jobs, front=True)
