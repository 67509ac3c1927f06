"""The twin of SQL: every job, its state, and the guards under which a worker may move it. Times on SQL's clock."""

from collections import Counter
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from math import inf

from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedJob, SimulatedWorker
from holdfast.lab.simulation.policy_hooks import Outcome, PolicyHooks
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MAX_CRASHES, TERMINAL, Need, State
from holdfast.model.step import Reroute, Step
from holdfast.policy.fault_rules import may_be_billed
from holdfast.policy.transition import decide


class JobTable:
    """``live`` counts jobs without a terminal record, ``running`` those that a worker holds. ``need``: every job's."""

    def __init__(self, need: Need, hooks: PolicyHooks) -> None:
        self.need, self.hooks = need, hooks
        self.jobs: list[SimulatedJob] = []
        self.live = self.running = self.refused = 0
        self._delayed: list[tuple[float, int, SimulatedJob]] = []
        self._order = count()

    @property
    def waiting(self) -> int:
        return self.live - self.running

    @property
    def next_due(self) -> float:
        return self._delayed[0][0] if self._delayed else inf

    def submit(self, now: float, expires_in: float | None) -> SimulatedJob:
        job = SimulatedJob(len(self.jobs), now, None if expires_in is None else now + expires_in, self.need)
        self.jobs.append(job)
        self.live += 1
        return job

    def claim(self, call: SimulatedCall, worker: SimulatedWorker, now: float) -> bool:
        """Take a queued job under a new fence, unless its deadline has passed."""
        job = call.job
        if job.state is not State.QUEUED or (job.expires_at is not None and job.expires_at <= now):
            return False
        job.state, job.worker = State.RUNNING, worker
        job.fence += 1
        job.number += 1
        call.fence = job.fence
        self.running += 1
        return True

    def hedge(self, first: SimulatedCall, second: SimulatedCall) -> bool:
        """Write the row of a second call under the fence of the first, which may write no more if this is False."""
        if not self.hooks.holds(first):
            return False
        first.job.number += 1
        second.fence = first.fence
        return True

    def record(self, call: SimulatedCall, outcome: Outcome, step: Step, now: float) -> bool:
        """Write the end of a call. False: its fence moved, and nothing is written."""
        job = call.job
        if not self.hooks.holds(call):
            self.refused += 1
            return False
        if job.state is State.RUNNING:
            self.running -= 1
        job.worker = None
        fault = outcome if isinstance(outcome, Fault) else None
        move = decide(step, fault, call.target.name, job.expires_at, now)
        if fault is not None:
            job.attempts += move.uses_attempt
            job.calls += may_be_billed(fault)
            job.tries += move.failed_tries
        if move.ends:
            self._end(job, move.state, now, move.fault)
            return True
        avoid = {name: _date(wait, now) for name, wait in move.avoid.items()}
        job.need = replace(job.wants, avoid=avoid) if avoid else job.wants
        job.due = now + move.delay
        if isinstance(step, Reroute):
            job.state = State.QUEUED
        else:
            job.state = State.DELAYED
            heappush(self._delayed, (job.due, next(self._order), job))
        return True

    def release_due(self, now: float) -> list[SimulatedJob]:
        """Queue delayed jobs whose time has come."""
        due: list[SimulatedJob] = []
        while self._delayed and self._delayed[0][0] <= now:
            job = heappop(self._delayed)[2]
            if job.state is State.DELAYED:
                job.state = State.QUEUED
                due.append(job)
        return due

    def expire(self, job: SimulatedJob, now: float) -> None:
        """Its deadline has passed. A running one is over when its call is."""
        if job.state in {State.QUEUED, State.DELAYED}:
            self._end(job, State.EXPIRED, now, FaultKind.EXPIRED)

    def take_over(self, worker: SimulatedWorker, now: float) -> list[SimulatedJob]:
        """Queue the jobs of a worker whose lease ran out. Those that outlived three workers are dead."""
        queued: list[SimulatedJob] = []
        for job, calls in Counter(call.job for call in worker.calls if call.job.worker is worker).items():
            job.worker = None
            job.crashes += 1
            job.calls += calls
            self.running -= 1
            if job.crashes >= MAX_CRASHES:
                self._end(job, State.DEAD, now, FaultKind.POISON)
            else:
                job.state, job.due = State.QUEUED, now
                queued.append(job)
        return queued

    def counts(self) -> dict[State, int]:
        counted = dict.fromkeys(State, 0)
        for job in self.jobs:
            counted[job.state] += 1
        return counted

    def queued(self) -> list[SimulatedJob]:
        """The heads of the lane: nearest deadline, then oldest."""
        return [job for job in self.jobs if job.state is State.QUEUED]

    def _end(self, job: SimulatedJob, state: State, now: float, fault: FaultKind | None) -> None:
        if job.state not in TERMINAL:
            self.live -= 1
        job.state, job.ended, job.why = state, now, fault or job.why
        job.records += 1


def _date(wait: float | None, now: float) -> float | None:
    return None if wait is None else now + wait
