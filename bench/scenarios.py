"""Every published outage in virtual time: its bars, what a simple reference policy came to, and what ours does.

python bench/scenarios.py [--seeds 20]
"""

import argparse
import sys

from figures import Figure, show
from holdfast.lab.drill.catalogue import find, names
from holdfast.lab.drill.result import DrillResult
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.drill.thresholds import FIGURES, FLOORS
from holdfast.lab.simulation.seeds import run_seeds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    figures: list[Figure] = []
    broken: dict[str, dict[str, int]] = {}
    for name in names():
        scenario = find(name)
        drill = run_seeds(scenario, range(1, seeds + 1))
        figures += rows(scenario, drill)
        broken |= {name: drill.violations} if drill.violations else {}
    return show("scenarios", figures, seeds=seeds, violations=broken)


def rows(scenario: Scenario, drill: DrillResult) -> list[Figure]:
    """The worst of each figure that a bar asks for, and broken promises; the reference stands in the name."""
    found = [
        Figure(
            f"{scenario.name}: {FIGURES[bar.name]}{reference(scenario, FIGURES[bar.name])}",
            float(bar.found),
            ("≥" if bar.name in FLOORS else "≤", float(bar.most)),
        )
        for bar in drill.bars
    ]
    return [*found, Figure(f"{scenario.name}: broken promises", sum(drill.violations.values()), ("=", 0))]


def reference(scenario: Scenario, figure: str) -> str:
    if figure not in scenario.reference:
        return ""
    least, most = scenario.reference[figure]
    return f" (reference {least:g})" if least == most else f" (reference {least:g} to {most:g})"


if __name__ == "__main__":
    sys.exit(main())
