"""What must never happen, watched while it could: the promises of docs/guarantees.md, in virtual time."""

from collections import Counter

from holdfast.lab.simulation.breaker import SimulatedBreaker
from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedJob
from holdfast.lab.simulation.provider import SimulatedProvider
from holdfast.model.fault import FaultKind
from holdfast.model.job import MAX_CALLS, TERMINAL, State
from holdfast.model.step import Retry, Snooze, Step
from holdfast.policy.fault_rules import FAULT_RULES, Scope

AT_ONCE = 0.05  # seconds: a rerouted job that is back on the route that refused it within these went nowhere else
EARLY = 310.0  # seconds: the longest wait that may be cut short because a deadline comes before its end
ASKED = 8  # failed calls of a job where others succeed: more tell nothing new
IDLE = 30.0  # seconds that a due job may lie, once its time has come
HERD, HERD_SHARE = 20, 0.5  # retries decided in one second, and the share of them that may come back in a tenth of one


class InvariantChecker:
    """``found`` counts violations by sentence. ``excused``: calls that kills and pauses may have cost."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.excused = 0
        self.repeated = 0
        self.probes_most = 0
        self._asked: Counter[SimulatedJob] = Counter()
        self._decided: Counter[int] = Counter()
        self._back: Counter[tuple[int, int]] = Counter()

    def again(self, call: SimulatedCall, now: float) -> None:
        """A job is called that was called before."""
        job = call.job
        if job.state in TERMINAL:
            self.found["I4: a call started for a job that was over"] += 1
        if job.answered:
            self.repeated += 1
        if job.acked:
            self.found["a job was called again after its lane was told that it is done"] += 1
        if (
            job.rerouted_by is call.target
            and now - job.refused_at < AT_ONCE
            and len(call.target.route.credentials) == 1
        ):
            self.found["a job came back at once to the route that had refused it"] += 1

    def decided(self, job: SimulatedJob, step: Step, now: float, *, spared: bool) -> None:
        """A call ended, and not well. ``spared``: its route is shut or wears many jobs out, as ``Health`` says."""
        if job.state not in TERMINAL and job.calls >= MAX_CALLS and not spared:
            self.found["a job had more calls that may have been billed than the cap allows"] += 1
        if isinstance(step, Retry | Snooze):
            self._decided[int(now)] += 1
            self._back[int(now), int(job.due * 10)] += 1

    def failed_alone(self, job: SimulatedJob) -> None:
        """A call failed at a provider that answers other jobs well."""
        self._asked[job] += 1
        if self._asked[job] == ASKED + 1:
            self.found["a job was asked again and again where others succeed"] += 1

    def released(self, job: SimulatedJob, now: float) -> None:
        if now - job.due > IDLE:
            self.found["I8: a due job was left lying"] += 1

    def probed(self, out: int) -> None:
        self.probes_most = max(self.probes_most, out)

    def tripped(self, guard: SimulatedBreaker, provider: SimulatedProvider, now: float) -> None:
        longest = max(target.route.deadline for target in guard.targets)
        if provider.was_well(now - longest - 5.0, now):
            self.found["a breaker opened though its provider was well"] += 1

    def close(self, jobs: list[SimulatedJob], breaches: int) -> None:
        """Look at all jobs when everything is at rest. ``breaches`` of limits that the settings name."""
        if breaches:
            self.found["I6: a provider refused calls beyond a limit that was known"] += breaches
        for job in jobs:
            self._close(job)
        if self.repeated > self.excused:
            self.found["I3: finished calls were repeated, more than kills and pauses excuse"] += 1
        if self.probes_most > 1:
            self.found["two probes of one breaker were out at once"] += 1
        for (second, _), together in self._back.items():
            if self._decided[second] >= HERD and together > HERD_SHARE * self._decided[second]:
                self.found["retries that were decided together came back together"] += 1

    def _close(self, job: SimulatedJob) -> None:
        if job.state not in TERMINAL:
            self.found["I1: a job never ended"] += 1
        elif job.records != 1:
            self.found["I2: a job has more than one terminal record"] += 1
        if _expired_early(job):
            self.found["a job expired long before its deadline"] += 1
        if job.state is State.DEAD and not job.fails and _is_not_its_fault(job):
            self.found["a fault of a route, a credential or an endpoint buried a job"] += 1
        if job.state is State.DEAD and not job.fails and job.progress.fault is FaultKind.INVALID_REQUEST:
            self.found["a job was buried for what its provider told everybody"] += 1


def _expired_early(job: SimulatedJob) -> bool:
    ended, deadline = job.progress.finished_at, job.expires_at
    return job.state is State.EXPIRED and ended is not None and deadline is not None and ended < deadline - EARLY


def _is_not_its_fault(job: SimulatedJob) -> bool:
    kind = job.progress.fault
    return kind is None or FAULT_RULES[kind].scope is not Scope.JOB
