"""Puts the twin together: providers, gate, ledger, workers and those who watch, for one scenario and one seed."""

from dataclasses import dataclass
from random import Random

from holdfast.model.route import Api, Limits, Plan, Price, Route
from holdfast.policy.breaker import Breaker, Closed, Open
from holdfast.sim.drill.audit import Audit
from holdfast.sim.drill.gate import Gate
from holdfast.sim.drill.jobs import Worker
from holdfast.sim.drill.ledger import Ledger
from holdfast.sim.drill.loop import Loop
from holdfast.sim.drill.pool import Pool
from holdfast.sim.drill.provider import Provider
from holdfast.sim.drill.rig import Rig
from holdfast.sim.drill.scenario import Scenario
from holdfast.sim.drill.tally import Tally
from holdfast.sim.drill.targets import Guard
from holdfast.sim.drill.upsets import Upsets

BARS = 400  # of a run's picture
DEADLINE, SLOW_AFTER = 120.0, 20.0  # seconds: the settings' own defaults


def plan_of(scenario: Scenario) -> Plan:
    """Two routes (or one), with the limit of the first known or not."""
    load = scenario.load
    per_minute = load.limit_per_second * 60 if load.limit_per_second and load.limit_known else None
    tokens = load.tokens_per_second * 60 if load.tokens_per_second else None
    routes = [_route("first", Limits(per_minute, tokens)), _route("second", Limits())]
    return Plan("smart", tuple(routes[: 1 if scenario.single_route else 2]))


def _route(provider: str, limits: Limits) -> Route:
    return Route(provider, "model", Api.ANTHROPIC, "model", ("main",), limits, Price(), DEADLINE, SLOW_AFTER)


def settled_plan(plan: Plan, *, single_route: bool) -> Plan:
    """A plan of the configuration, cut to its first route where the scenario knows no other."""
    return Plan(plan.model, plan.routes[:1]) if single_route else plan


@dataclass(slots=True)
class World:
    """Everything of one run. ``first``: the provider that falls ill."""

    scenario: Scenario
    loop: Loop
    pool: Pool
    ledger: Ledger
    gate: Gate
    audit: Audit
    tally: Tally
    providers: dict[str, Provider]
    arrivals: Random
    accepted: int = 0

    @property
    def first(self) -> Provider:
        return self.providers[self.gate.plan.routes[0].provider]


def build(scenario: Scenario, seed: int, plan: Plan, places: int, rig: Rig) -> World:
    """``places``: calls in flight over all workers."""
    loop, ledger, audit = Loop(), Ledger(), Audit()
    tally = Tally(ledger, scenario.seconds / BARS)
    chance = Random(f"{seed}/policy")  # noqa: S311  a seeded draw, so that a run can be repeated
    uniform = rig.uniform or chance.uniform
    providers = _providers(scenario, plan, seed)

    def moved(guard: Guard, before: Breaker, now: float) -> None:
        tally.moved(guard, before, now)
        if isinstance(guard.breaker.state, Open) and isinstance(before.state, Closed):
            audit.tripped(guard, providers[guard.targets[0].route.provider], now)

    gate = Gate(plan, rig, uniform, moved, audit.probed)
    workers = max(1, min(scenario.load.workers, places))
    crew = [Worker(f"w{place}", places // workers + (place < places % workers)) for place in range(workers)]
    pool = Pool(loop, gate, ledger, providers, crew, audit, tally, rig, uniform)
    Upsets(pool).plan(scenario.upsets)
    arrivals = Random(f"{seed}/arrivals")  # noqa: S311  as above
    return World(scenario, loop, pool, ledger, gate, audit, tally, providers, arrivals)


def _providers(scenario: Scenario, plan: Plan, seed: int) -> dict[str, Provider]:
    """The first provider is as the scenario says, the others as its ``second`` says; unlimited but for the first."""
    providers: dict[str, Provider] = {}
    for place, route in enumerate(plan.routes):
        if route.provider not in providers:
            chance = Random(f"{seed}/{place}")  # noqa: S311  as above
            phases = scenario.second if place else scenario.phases
            limit = None if place else scenario.load.limit_per_second
            configured = route.limits.requests_per_minute
            if configured is not None:
                limit = configured / 60
            providers[route.provider] = Provider(phases, scenario.load, chance, limit)
    return providers
