"""One scenario, one seed: virtual time runs until every job has ended, then the figures are drawn up."""

import gc
from math import ceil

from holdfast.lab.drill.bars import bars_for, hold
from holdfast.lab.drill.costs import costs
from holdfast.lab.drill.figures import Figures
from holdfast.lab.drill.fleet import Fleet, fleet_of
from holdfast.lab.drill.report import Course, Report
from holdfast.lab.drill.rig import REAL, Rig
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.drill.tally import percentile
from holdfast.lab.drill.targets import Guard
from holdfast.lab.drill.world import World, build, spare_per_second
from holdfast.model.job import State
from holdfast.policy.breaker import Closed
from holdfast.policy.verdict import ScopeKind

LATELY = 600.0  # seconds: a credential that is still shut after so long is dead
OVERTIME = 12 * 3600.0  # seconds after the last arrival: what is not over then is lost


def run_virtual(scenario: Scenario, seed: int, *, fleet: Fleet | None = None, rig: Rig = REAL) -> Report:
    """Run a scenario, on its own plan or another ``fleet``'s. The same arguments give the same report, byte for byte.

    The garbage collector rests meanwhile: a run makes no cycles worth looking for among a hundred thousand jobs.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        world = build(scenario, seed, fleet or fleet_of(scenario), rig)
        _Clock(world).start()
        world.loop.run(scenario.seconds + OVERTIME)
        return _report(world, seed)
    finally:
        if collects:
            gc.enable()


class _Clock:
    """What happens by itself: jobs arrive, providers heal, somebody takes samples."""

    def __init__(self, world: World) -> None:
        self.world, self.load = world, world.scenario.load
        self.gap = world.arrivals.expovariate

    def start(self) -> None:
        loop = self.world.loop
        loop.at(self.gap(self.load.jobs_per_second), self._arrive)
        loop.at(0.0, self._sample)
        for span in self.world.first.heals():
            loop.at(span[0], self._healed, span)

    def _arrive(self, _about: object) -> None:
        world, now = self.world, self.world.loop.now
        if now >= world.scenario.seconds:
            return
        world.accepted += 1
        world.loop.at(now + self.gap(self.load.jobs_per_second), self._arrive)
        job = world.ledger.submit(now, self.load.expires_in)
        job.breaks = job.id < self.load.breaking
        world.gate.waiting.append(job)
        if job.expires_at is not None:
            world.loop.at(float(ceil(job.expires_at)), world.pool.expire, job)
        world.pool.pump()

    def _sample(self, _about: object) -> None:
        world, now = self.world, self.world.loop.now
        world.tally.sample(now)
        if now < world.scenario.seconds or world.ledger.live:
            world.loop.at(now + world.tally.bar, self._sample)

    def _healed(self, span: tuple[float, float, float]) -> None:
        begin, end, takes = span
        self.world.tally.healed(begin, end, spare_per_second(self.world, takes), takes)


def _report(world: World, seed: int) -> Report:
    tally = world.tally
    tally.given_up(world.loop.now)
    world.audit.close(world.ledger.jobs, world.known_breaches)
    figures = _figures(world)
    found = figures.view() | {
        "first_5s_concurrency": tally.early_most,
        "credential_marked_dead": _credential_is_dead(world),
        "violations": sum(world.audit.found.values()),
    }
    return Report(
        world.scenario.name,
        seed,
        figures,
        hold(bars_for(world.scenario.bars, standard=world.fleet.standard), found),
        dict(sorted(world.audit.found.items())),
        costs(world.fleet.plan, tally, world.scenario.load, expired=world.ledger.counts()[State.EXPIRED]),
        Course(world.loop.now, tally.bar, tally.samples, tally.moves, tally.answers),
        dict(sorted(tally.routes.items())),
    )


def _figures(world: World) -> Figures:
    counts, tally = world.ledger.counts(), world.tally
    done, ended = counts[State.SUCCEEDED], sorted(tally.took)
    over = sum(counts[state] for state in (State.SUCCEEDED, State.DEAD, State.EXPIRED, State.CANCELLED))
    return Figures(
        accepted=world.accepted,
        succeeded=done,
        dead=counts[State.DEAD],
        lost=world.accepted - over,
        failed_calls=tally.failed,
        abandoned_calls=tally.abandoned,
        calls_per_done=round(tally.calls / done, 4) if done else 0.0,
        p50_s=round(percentile(ended, 0.5), 3),
        p99_s=round(percentile(ended, 0.99), 3),
        breaker_trips=tally.trips,
        probes=tally.probes,
        probes_concurrent_max=world.audit.probes_most,
        drain_ratio=round(tally.drain_ratio, 4),
        limit_breaches=sum(provider.breaches for provider in world.providers.values()),
        equation_holds=_balances(world, over),
    )


def _balances(world: World, over: int) -> bool:
    """Every ledger tells the same: producers', SQL's, and the calls that providers saw."""
    jobs, tally = world.ledger.jobs, world.tally
    return (
        world.accepted == len(jobs) == over + world.ledger.live
        and sum(job.records for job in jobs) == over
        and sum(job.number for job in jobs) == tally.calls
    )


def _credential_is_dead(world: World) -> bool:
    """Whether a credential is still shut though its provider has long been well."""
    return any(
        not isinstance(guard.breaker.state, Closed) and _was_well_lately(world, guard)
        for guard in world.gate.guards.values()
        if guard.kind is ScopeKind.CREDENTIAL
    )


def _was_well_lately(world: World, guard: Guard) -> bool:
    provider = world.providers[guard.targets[0].route.provider]
    return provider.was_well(world.loop.now - LATELY, world.loop.now)
