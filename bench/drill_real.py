"""Every scenario in compressed real time: the real pool, real HTTP, simulated providers. Figures against its bars.

At speed 20 a machine of two quiet cores keeps up with all of them; six scenarios take an hour and a half then.
"""

import argparse
import sys
from collections.abc import Iterator

from figures import Figure, show
from holdfast.lab.drill.catalogue import find, names
from holdfast.lab.drill.thresholds import CEILINGS
from holdfast.lab.real.run import RealTimeResult, run

SHOWN = ("accepted", "failed_calls", "abandoned_calls", "calls_per_done", "p50_s", "p99_s", "breaker_trips", "probes")


def figures(drill: RealTimeResult) -> Iterator[Figure]:
    view = drill.view()
    barred = {CEILINGS.get(bar.name, bar.name) for bar in drill.bars}
    for bar in drill.bars:
        yield Figure(bar.name, float(bar.found), ("≤", float(bar.most)))
    yield Figure("promises broken", sum(drill.violations.values()), ("=", 0))
    yield Figure("the ledgers tell the same", float(view["worst"]["equation_holds"]), ("=", 1))
    for name in (*SHOWN, "probes_concurrent_max", "drain_ratio", "limit_breaches"):
        if name not in barred:
            yield Figure(name, float(view["worst"][name]))
    yield Figure("a job waited for the machine, p99", view["overhead_p99_s"], unit="s of the drill")
    yield Figure("a call was on its way, p99", view["sending_p99_s"], unit="s of the drill")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", help="names or files; all where none is given")
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    missed = 0
    for name in given.scenario or names():
        drill = run(find(name), seeds=[given.seed], speed=given.speed)
        for sentence, times in drill.violations.items():
            print(f"BROKEN {sentence}, {times} times", file=sys.stderr)
        missed |= show(f"real drill of {name}", list(figures(drill)), speed=given.speed, seed=given.seed)
    return missed


if __name__ == "__main__":
    sys.exit(main())
