"""A drill in compressed real time: the real pool, real HTTP, simulated providers, and time that runs faster for all.

Every duration stays as it is configured; the clock of all processes runs ``speed`` times faster (testing/clock.py).
What the machine itself needs is not compressed: at speed 60, ten milliseconds of a worker are 0.6 s of the drill.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.lab.drill.drill_plan import DrillPlan, plan_of
from holdfast.lab.drill.result import DrillResult, SeedReport
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.drill.thresholds import bars_for, hold
from holdfast.lab.local_pool import LocalPool, local_pool
from holdfast.lab.providers import control
from holdfast.lab.real.configuration import KEY, configuration, script_of, sims_of
from holdfast.lab.real.evidence import DrillEvidence, gather
from holdfast.lab.real.feed import JobFeeder, arrivals, warm_up
from holdfast.lab.real.figures import Overhead, course, extras, figures, overhead
from holdfast.lab.status_line import StatusLine
from holdfast.model.errors import HoldfastError, InvalidRequest
from holdfast.model.ids import new_id
from holdfast.model.job import DEFAULT_TENANT
from holdfast.store.batches import count_unfinished, open_batch
from holdfast.testing.clock import fast_clock

OVERTIME = 1_800.0  # seconds after the last arrival, at least; what is not over then is lost
REAL_OVERTIME = 60.0  # real seconds, at least
LOOK = 0.05  # real seconds between two looks whether all is over
BEARABLE = 1.0  # seconds of the drill that one call in a hundred may wait for the machine


@dataclass(frozen=True, slots=True)
class RealTimeResult(DrillResult):
    """A drill in real time says besides how fast time ran, and what the machine added to every job."""

    speed: float
    overheads: Sequence[Overhead]

    @property
    def bottleneck(self) -> bool:
        """Whether the pool on this machine, not the providers, was what was measured."""
        return any(max(each.p99_s, each.sending_p99_s) > BEARABLE for each in self.overheads)

    @property
    def remark(self) -> str:
        """How fast time ran, and whether the figures speak of the pool or of the machine."""
        machine = max(self.overheads, key=lambda each: max(each.p99_s, each.sending_p99_s))
        said = (
            f"Played {self.speed:g} times as fast as it was. While all was well a job waited {machine.p50_s:.2f} s "
            f"(p99 {machine.p99_s:.2f} s) for this machine; one call in a hundred was on its way for "
            f"{machine.sending_p99_s:.2f} s."
        )
        slower = " The pool itself was the bottleneck: choose a lower --speed to measure the outage."
        return said + slower if self.bottleneck else said

    def view(self) -> dict[str, Any]:
        return DrillResult.view(self) | {
            "speed": self.speed,
            "overhead_p50_s": max(each.p50_s for each in self.overheads),
            "overhead_p99_s": max(each.p99_s for each in self.overheads),
            "sending_p99_s": max(each.sending_p99_s for each in self.overheads),
            "pool_was_the_bottleneck": self.bottleneck,
        }


class DrillFailed(HoldfastError):
    """The drill itself did not work; nothing is said of the pool."""

    code = "drill_failed"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the drill could not be played: {self.why}"


class DrillPool(LocalPool):
    """The pool of a drill, in which no worker may end."""

    failure = DrillFailed


def run(scenario: Scenario, *, seeds: Sequence[int], speed: float, fleet: DrillPlan | None = None) -> RealTimeResult:
    """Play a scenario through, once for each seed. ``fleet``: what is drilled; None: the scenario's own plan.

    Raises InvalidRequest, DrillFailed.
    """
    if scenario.upsets:
        raise InvalidRequest(scenario.name, "has upsets of our own processes; these are played in --virtual time only.")
    played = [play(scenario, seed, speed, fleet or plan_of(scenario)) for seed in seeds]
    return RealTimeResult([report for report, _ in played], speed, [each for _, each in played])


def play(scenario: Scenario, seed: int, speed: float, plan: DrillPlan) -> tuple[SeedReport, Overhead]:
    """One seed. Everything that was started is ended, whatever happens."""
    with (
        fast_clock(speed),
        StatusLine(f"{scenario.name}: providers and workers start") as line,
        _pool(scenario, seed, speed, plan) as on,
    ):
        evidence = _act(on, plan, scenario, seed, line)
    limit = plan.limit(scenario) if len(plan.providers) == 1 else None
    bars = bars_for(scenario.bars, standard=plan.standard)
    return _report(scenario, seed, evidence, bars, plan.slots, limit), overhead(scenario, evidence)


@contextmanager
def _pool(scenario: Scenario, seed: int, speed: float, plan: DrillPlan) -> Iterator[DrillPool]:
    os.environ.setdefault(KEY, "no-key-is-needed")
    with tempfile.TemporaryDirectory(prefix="holdfast-drill-") as name:
        directory = Path(name)
        sims = sims_of(scenario, plan, seed)
        with local_pool(DrillPool, directory, sims, lambda urls: configuration(plan, urls, directory, speed)) as pool:
            pool.start(plan.workers)
            yield pool


def _act(on: DrillPool, plan: DrillPlan, scenario: Scenario, seed: int, line: StatusLine) -> DrillEvidence:
    batch = new_id()
    on.store.write(open_batch, batch, "drill", DEFAULT_TENANT)
    times, feeder = arrivals(scenario, seed), JobFeeder(on, plan.plan.model, batch, scenario.load)
    warm_up(on, plan)
    for place, sim in enumerate(on.sims):
        control.play(sim.url, script_of(scenario, place))
    began = on.clock.now()

    def look() -> None:
        on.check()
        at = f"{on.clock.now() - began:,.0f} of {scenario.seconds:,.0f} s"
        line.show(f"{scenario.name}: seed {seed}, {at}, {len(feeder.accepted):,} jobs accepted")

    feeder.feed(times, began, look)
    _await_the_end(on, batch, look)
    on.stop_workers()
    line.show(f"{scenario.name}: reading the three ledgers")
    return gather(on, plan.providers, batch, feeder.accepted, began)


def _await_the_end(on: DrillPool, batch: str, look: Callable[[], None]) -> None:
    """Wait until every job has ended, or it has been too long."""
    end_by = time.monotonic() + max(on.clock.real(OVERTIME), REAL_OVERTIME)
    while on.store.read(count_unfinished, batch) and time.monotonic() < end_by:
        look()
        time.sleep(LOOK)


def _report(  # noqa: PLR0917  the whole of what a report is made of
    scenario: Scenario,
    seed: int,
    evidence: DrillEvidence,
    bars: Mapping[str, float | bool],
    slots: int,
    limit: float | None,
) -> SeedReport:
    found = figures(scenario, evidence, slots, limit)
    went = course(evidence)
    most = max(went.samples, key=lambda sample: sample.waiting)
    return SeedReport(
        scenario=scenario.name,
        seed=seed,
        figures=found,
        bars=hold(bars, found.view() | extras(scenario, evidence)),
        violations=dict(sorted(evidence.broken.items())),
        costs={"peak_backlog": float(most.waiting), "peak_at_s": round(most.at, 1)},
        course=went,
        routes=dict(sorted(evidence.routes.items())),
    )
