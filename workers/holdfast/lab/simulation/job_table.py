"""The jobs of the simulation, as SQL keeps them: ``policy.transition`` moves them, guards say whether it may."""

from collections import Counter
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from math import inf

from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedJob, SimulatedWorker
from holdfast.lab.simulation.policy_hooks import Outcome, PolicyHooks
from holdfast.model.fault import Fault
from holdfast.model.job import TERMINAL, Need, State
from holdfast.model.step import Step
from holdfast.policy.fault_rules import may_be_billed
from holdfast.policy.transition import JobProgress, claimed, decide, expired, released, taken_over

WAITING = frozenset({State.QUEUED, State.DELAYED})


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
        after = claimed(call.job.progress, worker.name, now)
        if after is None:
            return False
        call.job.progress = after
        call.fence = after.fence
        self.running += 1
        return True

    def hedge(self, first: SimulatedCall, second: SimulatedCall) -> bool:
        """Write the row of a second call under the fence of the first, which may write no more if this is False."""
        if not self.hooks.holds(first):
            return False
        progress = first.job.progress
        first.job.progress = progress._replace(number=progress.number + 1, open_calls=progress.open_calls + 1)
        second.fence = first.fence
        return True

    def end_beside(self, call: SimulatedCall, outcome: Fault) -> None:
        """Write the end of a hedged job's call that decides nothing."""
        progress = call.job.progress
        call.job.progress = progress._replace(calls=progress.calls + may_be_billed(outcome))

    def record(self, call: SimulatedCall, outcome: Outcome, step: Step, now: float) -> bool:
        """Write the end of a call. False: its fence moved, and nothing is written."""
        job = call.job
        if not self.hooks.holds(call):
            self.refused += 1
            return False
        fault = outcome if isinstance(outcome, Fault) else None
        move = decide(step, fault, call.target.name, job.expires_at, now)
        if fault is not None and may_be_billed(fault):
            move = move._replace(calls=1)
        after = self.hooks.finished(job.progress, move, now)
        if after is None:
            return False
        self._become(job, after)
        if after.state in WAITING:
            job.due = now if after.available_at is None else after.available_at
            job.need = replace(job.wants, avoid=after.avoid) if after.avoid else job.wants
        if after.state is State.DELAYED:
            heappush(self._delayed, (job.due, next(self._order), job))
        return True

    def release_due(self, now: float) -> list[SimulatedJob]:
        """Queue delayed jobs whose time has come."""
        due: list[SimulatedJob] = []
        while self._delayed and self._delayed[0][0] <= now:
            job = heappop(self._delayed)[2]
            if after := released(job.progress, now):
                job.progress = after
                due.append(job)
        return due

    def expire(self, job: SimulatedJob, now: float) -> None:
        """Its deadline has passed. A running one is over when its call is."""
        if after := expired(job.progress, now):
            self._become(job, after)

    def take_over(self, worker: SimulatedWorker, now: float) -> list[SimulatedJob]:
        """Queue the jobs of a worker whose lease ran out. Those that outlived too many workers are dead."""
        held = Counter(call.job for call in worker.calls if call.job.progress.worker == worker.name)
        for job, calls in held.items():
            after = taken_over(job.progress._replace(open_calls=calls), now)
            assert after is not None, "who holds a job runs it"
            self._become(job, after)
            job.due = now
        return [job for job in held if job.state is State.QUEUED]

    def counts(self) -> dict[State, int]:
        counted = dict.fromkeys(State, 0)
        for job in self.jobs:
            counted[job.state] += 1
        return counted

    def queued(self) -> list[SimulatedJob]:
        """The heads of the lane: nearest deadline, then oldest."""
        return [job for job in self.jobs if job.state is State.QUEUED]

    def _become(self, job: SimulatedJob, after: JobProgress) -> None:
        before = job.progress
        job.progress = after
        self.running -= before.state is State.RUNNING
        if after.state in TERMINAL:
            self.live -= before.state not in TERMINAL
            job.records += 1
