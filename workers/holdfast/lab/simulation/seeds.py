"""Several seeds of one scenario, side by side on every core. A seed's report does not depend on who else runs."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

from holdfast.lab.drill.drill_plan import DrillPlan
from holdfast.lab.drill.result import DrillResult, SeedReport
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.simulation.run import run_virtual

Told = Callable[[int, int], None]  # seeds done, of how many


def run_seeds(
    scenario: Scenario,
    seeds: Sequence[int],
    *,
    fleet: DrillPlan | None = None,
    processes: int | None = None,
    told: Told = lambda _done, _all: None,
) -> DrillResult:
    """Run every seed, and hand their reports back in their order. Of several, only figures: their courses are long."""
    yours = fleet.view() if fleet else None
    if len(seeds) == 1:
        return DrillResult([run_virtual(scenario, seeds[0], fleet=fleet)], yours=yours)
    reports = []
    with _mapping(processes or len(os.sched_getaffinity(0)), len(seeds)) as mapped:
        for report in mapped(partial(_run, scenario, fleet), seeds):
            reports.append(report)
            told(len(reports), len(seeds))
    return DrillResult(reports, yours=yours)


def _run(scenario: Scenario, fleet: DrillPlan | None, seed: int) -> SeedReport:
    return run_virtual(scenario, seed, fleet=fleet).without_course()


@contextmanager
def _mapping(processes: int, seeds: int) -> Iterator[Callable[..., Iterator[SeedReport]]]:
    if processes == 1:
        yield map
        return
    with get_context("spawn").Pool(min(processes, seeds), signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        yield pool.imap
