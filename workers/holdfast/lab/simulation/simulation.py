"""Puts the simulation together: providers, gate, ledger, workers and those who watch, for one scenario and one seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from random import Random

from holdfast.lab.drill.drill_plan import DrillPlan
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.simulation.breaker import SimulatedBreaker
from holdfast.lab.simulation.chaos_events import ChaosEvents
from holdfast.lab.simulation.event_queue import EventQueue
from holdfast.lab.simulation.gate import SimulatedGate
from holdfast.lab.simulation.invariants import InvariantChecker
from holdfast.lab.simulation.job_table import JobTable
from holdfast.lab.simulation.jobs import SimulatedWorker, need_of
from holdfast.lab.simulation.metrics import Metrics
from holdfast.lab.simulation.outcomes import outcome_of
from holdfast.lab.simulation.policy_hooks import PolicyHooks
from holdfast.lab.simulation.pool import SimulatedPool
from holdfast.lab.simulation.provider import SimulatedProvider
from holdfast.model.fault import Fault
from holdfast.policy.breaker_state import Breaker, Closed, Open

BARS = 400  # of a run's picture


@dataclass(slots=True)
class Simulation:
    """Everything of one run."""

    scenario: Scenario
    fleet: DrillPlan
    loop: EventQueue
    pool: SimulatedPool
    ledger: JobTable
    gate: SimulatedGate
    audit: InvariantChecker
    metrics: Metrics
    providers: dict[str, SimulatedProvider]
    arrivals: Random
    accepted: int = 0

    @property
    def first(self) -> SimulatedProvider:
        """The provider that falls ill."""
        return self.providers[self.fleet.plan.routes[0].provider]

    def failures_of(self, job: int) -> Mapping[str, Fault]:
        """What the calls of an odd job come to, by the names of providers; empty for all others."""
        failures: dict[str, Fault] = {}
        for odd in self.scenario.load.odd:
            chosen = {"both": slice(None), "first": slice(1), "second": slice(1, 2)}[odd.where]
            for route in self.fleet.plan.routes[chosen] if odd.has(job) else ():
                outcome = outcome_of(odd.mode, self.scenario.load, route.api)
                assert isinstance(outcome, Fault), "a job that is answered is not odd"
                failures[route.provider] = outcome
        return failures

    @property
    def known_breaches(self) -> int:
        """Calls that were refused though the settings name every limit."""
        known = all(bucket.estimate is None for bucket in self.gate.buckets.values() if bucket.name in self.limited)
        return sum(provider.breaches for provider in self.providers.values()) if known else 0

    @property
    def limited(self) -> set[str]:
        """Names of the buckets whose calls a provider counts."""
        return {bucket for provider in self.providers.values() for bucket in provider.limits}


def build(scenario: Scenario, seed: int, fleet: DrillPlan, hooks: PolicyHooks) -> Simulation:
    loop, audit = EventQueue(), InvariantChecker()
    ledger = JobTable(need_of(scenario.load), hooks)
    metrics = Metrics(ledger, scenario.seconds / BARS)
    chance = Random(f"{seed}/policy")  # noqa: S311  a seeded draw, so that a run can be repeated
    uniform = hooks.uniform or chance.uniform
    providers = _providers(scenario, fleet, seed)

    def moved(guard: SimulatedBreaker, before: Breaker, now: float) -> None:
        metrics.moved(guard, before, now)
        if isinstance(guard.breaker.state, Open) and isinstance(before.state, Closed) and not guard.forgot:
            audit.tripped(guard, providers[guard.targets[0].route.provider], now)

    gate = SimulatedGate(fleet, hooks, uniform, moved, audit.probed)
    pool = SimulatedPool(loop, gate, ledger, providers, _workers(fleet), audit, metrics, hooks, uniform)
    ChaosEvents(pool).plan(scenario.upsets)
    arrivals = Random(f"{seed}/arrivals")  # noqa: S311  as above
    return Simulation(scenario, fleet, loop, pool, ledger, gate, audit, metrics, providers, arrivals)


def spare_per_second(simulation: Simulation, takes: float) -> float:
    """Jobs a second that the pool can do beyond those that arrive, when all is well and a call takes so long."""
    most = simulation.fleet.slots / takes if takes else inf
    return min(most, sum(_admitted(simulation, takes).values())) - simulation.scenario.load.jobs_per_second


def _admitted(simulation: Simulation, takes: float) -> dict[str, float]:
    """Calls a second that each bucket and its routes admit at most."""
    most: dict[str, float] = {}
    for target in simulation.gate.targets:
        requests, tokens = simulation.providers[target.route.provider].limits.get(target.bucket, (inf, None))
        limit = min(requests, inf if tokens is None else tokens / simulation.scenario.load.input_tokens)
        slots = target.slots / takes if takes else inf
        most[target.bucket] = min(limit, most.get(target.bucket, 0.0) + slots)
    return most


def _workers(fleet: DrillPlan) -> list[SimulatedWorker]:
    each, more = divmod(fleet.slots, fleet.workers)
    return [SimulatedWorker(f"w{place}", each + (place < more)) for place in range(fleet.workers)]


def _providers(scenario: Scenario, fleet: DrillPlan, seed: int) -> dict[str, SimulatedProvider]:
    """The first provider is as the scenario says, the others as its ``second`` says."""
    providers: dict[str, SimulatedProvider] = {}
    for place, route in enumerate(fleet.plan.routes):
        if route.provider not in providers:
            chance = Random(f"{seed}/{place}")  # noqa: S311  as above
            phases = scenario.second if providers else scenario.phases
            limits = _limits(scenario, fleet, route.provider, first=not providers)
            providers[route.provider] = SimulatedProvider(
                phases, scenario.seconds, scenario.load, chance, limits, route.api
            )
    return providers


def _limits(
    scenario: Scenario, fleet: DrillPlan, provider: str, *, first: bool
) -> dict[str, tuple[float, float | None]]:
    """What a provider lets in for each bucket: as configured, and where nothing is, the first as the scenario says."""
    load, limits = scenario.load, {}
    for route in fleet.plan.routes:
        if route.provider != provider:
            continue
        configured, tokens = route.limits.requests_per_minute, route.limits.input_tokens_per_minute
        requests = configured / 60 if configured else load.limit_per_second if first else None
        if requests is None and tokens is None:
            continue
        for credential in route.credentials:
            limits[f"{provider}/{credential}:{route.group}"] = (requests or inf, tokens / 60 if tokens else None)
    return limits
