"""One bad job among a thousand on one route, for each kind of refusal: who notices, and what does it cost?

python bench/one_bad_job.py [--seeds 3]

In virtual time, through the real policy. The job is bad from its first call to its last, at two places of the file.
"""

import argparse
import sys

from figures import Figure, show
from holdfast.lab.drill.result import SeedReport
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.simulation.run import run_virtual

JOBS, RATE = 1_000, 20
MODES = [
    *(f"e{status}" for status in (400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 418)),
    *(f"e{status}" for status in (422, 424, 429, 451, 500, 501, 502, 503, 504, 520, 529)),
    "bad", "reset", "unreachable",
]  # fmt: skip
PLACES = (0, JOBS // 2)  # of the bad job


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(1, parser.parse_args().seeds + 1)
    done, calls, slower, noticed = 0, 0, 0.0, 0
    runs = 0
    for seed in seeds:
        without = run_virtual(scenario([]), seed)
        for mode in MODES:
            for place in PLACES:
                found = run_virtual(scenario([{"first": place, "mode": mode}]), seed)
                runs += 1
                done += found.figures.succeeded == without.figures.succeeded - 1 and found.figures.dead == 1
                calls = max(calls, found.figures.failed_calls)
                slower = max(slower, makespan(found) / makespan(without))
                noticed += found.figures.breaker_trips + sum(found.violations.values())
    figures = [
        Figure("kinds of refusal", len(MODES), ("≥", 30)),
        Figure("runs in which all others were done and it alone died", done, ("=", runs)),
        Figure("most calls of the bad job", calls, ("≤", 8)),
        Figure("makespan, times that without it", slower, ("≤", 1.1)),
        Figure("breakers that opened, and promises that broke", noticed, ("=", 0)),
    ]
    return show("one_bad_job", figures, seeds=len(seeds), runs=runs)


def scenario(odd: list[dict[str, object]]) -> Scenario:
    load = {"jobs_per_second": RATE, "takes": [0.2, 1.0], "limit_per_second": 200, "odd": odd}
    return Scenario.model_validate(
        {"name": "one_bad_job", "seconds": JOBS / RATE, "single_route": True, "phases": [{"at": 0}], "load": load}
    )


def makespan(report: SeedReport) -> float:
    """Seconds until the last job had ended."""
    return report.course.seconds


if __name__ == "__main__":
    sys.exit(main())
