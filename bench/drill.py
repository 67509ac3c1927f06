"""How fast the drill is: one seed of each published outage against real time, and many seeds of a rough hour.

    python bench/drill.py [--seeds 1000] [--processes 2]

The rough hour has an outage of every kind on both sides: the provider fails, hangs and refuses; our processes are
killed, stopped and told the wrong time, and Redis forgets. No seed may break a promise.
"""

import argparse
import os
import sys
import time

from figures import Figure, show
from holdfast.lab.drill.catalogue import find, names
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.simulation.run import run_virtual
from holdfast.lab.simulation.seeds import run_seeds

BEST_OF = 2  # runs of a seed; the faster one tells what the code needs, the slower what else ran on the machine
TIMES = 4_000.0  # as fast as real time
MOST_SECONDS = 600.0  # for a thousand seeds on two cores
HOUR = Scenario.model_validate(
    {
        "name": "rough_hour",
        "seconds": 3_600,
        "phases": [
            {"at": 300, "mix": [{"share": 0.5, "mode": "e500"}]},
            {"at": 600, "mix": [{"share": 0.7, "mode": "e529"}, {"share": 0.3, "mode": "hang"}]},
            {"at": 1_200, "mix": []},
            {"at": 1_500, "mix": [{"share": 0.9, "mode": "e401"}]},
            {"at": 1_800, "mix": [{"share": 0.4, "mode": "slow", "takes": [30, 40]}]},
            {"at": 2_400, "mix": [{"share": 0.2, "mode": "reset"}, {"share": 0.5, "mode": "e429"}]},
            {"at": 3_000, "mix": []},
        ],
        "second": [{"at": 700, "mix": [{"share": 1.0, "mode": "e503"}]}, {"at": 900, "mix": []}],
        "upsets": [
            {"at": 100, "what": "kill", "worker": 0},
            {"at": 450, "what": "pause", "worker": 1, "seconds": 40},
            {"at": 800, "what": "lose_redis"},
            {"at": 1_600, "what": "kill_before_record", "worker": 1},
            {"at": 1_900, "what": "skew", "worker": 0, "seconds": 3_600},
            {"at": 2_500, "what": "kill_after_record", "worker": 0},
            {"at": 3_100, "what": "lose_redis"},
        ],
    }
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    figures = [Figure(f"{name}: times real time", speed(find(name)), ("≥", TIMES)) for name in names()]
    began = time.perf_counter()
    drill = run_seeds(HOUR, range(1, options.seeds + 1), processes=options.processes, told=told)
    seconds = time.perf_counter() - began
    broken = {"violations": drill.violations, "failing_seeds": drill.failing_seeds[:20]}
    figures += [
        Figure("a rough hour, all seeds", seconds, ("≤", MOST_SECONDS * options.seeds / 1_000), "s"),
        Figure("broken promises", sum(drill.violations.values()), ("=", 0)),
        Figure("jobs lost", drill.worst.lost, ("=", 0)),
        Figure("jobs dead", drill.worst.dead, ("=", 0)),
    ]
    return show("drill", figures, seeds=options.seeds, processes=options.processes, **broken)


def speed(scenario: Scenario) -> float:
    """Virtual seconds for each second of this process's own time."""
    ratios = []
    for _ in range(BEST_OF):
        began = time.process_time()
        report = run_virtual(scenario, 1)
        ratios.append(report.course.seconds / (time.process_time() - began))
    return max(ratios)


def told(done: int, seeds: int) -> None:
    if done % 100 == 0:
        sys.stderr.write(f"{done} of {seeds} seeds\n")


if __name__ == "__main__":
    sys.exit(main())
