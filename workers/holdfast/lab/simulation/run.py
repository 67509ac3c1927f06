"""One scenario, one seed: virtual time runs until every job has ended, then the figures are drawn up."""

import gc
from collections.abc import Mapping
from math import ceil

from holdfast.lab.drill.drill_plan import DrillPlan, plan_of
from holdfast.lab.drill.figures import ENDED, DrillFigures, draw_up
from holdfast.lab.drill.result import SeedReport, Timeline
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.drill.thresholds import bars_for, hold
from holdfast.lab.simulation.breaker import SimulatedBreaker
from holdfast.lab.simulation.costs import costs
from holdfast.lab.simulation.policy_hooks import REAL, PolicyHooks
from holdfast.lab.simulation.simulation import Simulation, build, spare_per_second
from holdfast.model.job import State
from holdfast.policy.breaker_state import Closed
from holdfast.policy.signals import ScopeKind

LATELY = 600.0  # seconds: a credential that is still shut after so long is dead
OVERTIME = 12 * 3600.0  # seconds after the last arrival: what is not over then is lost


def run_virtual(
    scenario: Scenario, seed: int, *, fleet: DrillPlan | None = None, hooks: PolicyHooks = REAL
) -> SeedReport:
    """Run a scenario, on its own plan or another ``fleet``'s. The same arguments give the same report, byte for byte.

    The garbage collector rests meanwhile: a run makes no cycles worth looking for among a hundred thousand jobs.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        simulation = build(scenario, seed, fleet or plan_of(scenario), hooks)
        _Clock(simulation).start()
        simulation.loop.run(scenario.seconds + OVERTIME)
        return _report(simulation, seed)
    finally:
        if collects:
            gc.enable()


class _Clock:
    """What happens by itself: jobs arrive, providers heal, somebody takes samples."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation, self.load = simulation, simulation.scenario.load
        self.gap = simulation.arrivals.expovariate

    def start(self) -> None:
        loop = self.simulation.loop
        loop.at(self.gap(self.load.jobs_per_second), self._arrive)
        loop.at(0.0, self._sample)
        for span in self.simulation.first.heals():
            loop.at(span[0], self._healed, span)

    def _arrive(self, _about: object) -> None:
        simulation, now = self.simulation, self.simulation.loop.now
        if now >= simulation.scenario.seconds:
            return
        simulation.accepted += 1
        simulation.loop.at(now + self.gap(self.load.jobs_per_second), self._arrive)
        job = simulation.ledger.submit(now, self.load.expires_in)
        job.breaks = job.id < self.load.breaking
        if self.load.odd:
            job.fails = simulation.failures_of(job.id)
        simulation.gate.waiting.append(job)
        if job.expires_at is not None:
            simulation.loop.at(float(ceil(job.expires_at)), simulation.pool.expire, job)
        simulation.pool.pump()

    def _sample(self, _about: object) -> None:
        simulation, now = self.simulation, self.simulation.loop.now
        simulation.metrics.sample(now)
        if now < simulation.scenario.seconds or simulation.ledger.live:
            simulation.loop.at(now + simulation.metrics.bar, self._sample)

    def _healed(self, span: tuple[float, float, float]) -> None:
        begin, end, takes = span
        self.simulation.metrics.healed(begin, end, spare_per_second(self.simulation, takes), takes)


def _report(simulation: Simulation, seed: int) -> SeedReport:
    metrics, counts = simulation.metrics, simulation.ledger.counts()
    metrics.given_up(simulation.loop.now)
    simulation.audit.close(simulation.ledger.jobs, simulation.known_breaches)
    figures = _figures(simulation, counts)
    found = figures.view() | {
        "first_5s_concurrency": metrics.early_most,
        "credential_marked_dead": _credential_is_dead(simulation),
        "violations": sum(simulation.audit.found.values()),
    }
    return SeedReport(
        simulation.scenario.name,
        seed,
        figures,
        hold(bars_for(simulation.scenario.bars, standard=simulation.fleet.standard), found),
        dict(sorted(simulation.audit.found.items())),
        costs(simulation.fleet.plan, metrics, simulation.scenario.load, expired=counts[State.EXPIRED]),
        Timeline(simulation.loop.now, metrics.bar, metrics.samples, metrics.moves, metrics.answers),
        dict(sorted(metrics.routes.items())),
    )


def _figures(simulation: Simulation, counts: Mapping[State, int]) -> DrillFigures:
    metrics = simulation.metrics
    return draw_up(
        simulation.accepted,
        counts,
        metrics.took,
        metrics.calls,
        failed_calls=metrics.failed,
        abandoned_calls=metrics.abandoned,
        breaker_trips=metrics.trips,
        probes=metrics.probes,
        probes_concurrent_max=simulation.audit.probes_most,
        drain_ratio=round(metrics.drain_ratio, 4),
        limit_breaches=sum(provider.breaches for provider in simulation.providers.values()),
        equation_holds=_balances(simulation, sum(counts[state] for state in ENDED)),
    )


def _balances(simulation: Simulation, over: int) -> bool:
    """Every ledger tells the same: producers', SQL's, and the calls that providers saw."""
    jobs, metrics = simulation.ledger.jobs, simulation.metrics
    return (
        simulation.accepted == len(jobs) == over + simulation.ledger.live
        and sum(job.records for job in jobs) == over
        and sum(job.number for job in jobs) == metrics.calls
    )


def _credential_is_dead(simulation: Simulation) -> bool:
    """Whether a credential is still shut though its provider has long been well."""
    return any(
        not isinstance(guard.breaker.state, Closed) and _was_well_lately(simulation, guard)
        for guard in simulation.gate.breakers.values()
        if guard.kind is ScopeKind.CREDENTIAL
    )


def _was_well_lately(simulation: Simulation, guard: SimulatedBreaker) -> bool:
    provider = simulation.providers[guard.targets[0].route.provider]
    return provider.was_well(simulation.loop.now - LATELY, simulation.loop.now)
