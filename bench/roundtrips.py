"""Conversations through the mapping, there and back: how many, and what was lost without a word (bar: nothing).

Each is written by chance in one of the three wire formats, carried to another one, and back. Whatever differs on the
other side must stand in the report.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from figures import Figure, show
from wire.journeys import REFUSED, journeys

MANY = 10_000  # conversations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=MANY)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    kinds: Counter[str] = Counter()
    losses: list[str] = []
    for seed, kind, lost in journeys(options.seed, options.conversations):
        kinds[kind] += 1
        losses += [f"seed {seed}: {loss}" for loss in lost]
    figures = [
        Figure("conversations", options.conversations, ("≥", MANY)),
        Figure("lost without a word", len(losses), ("=", 0)),
        Figure("refused", kinds.pop(REFUSED, 0)),
        Figure("took", time.perf_counter() - began, None, "s"),
    ]
    for loss in losses[:20]:
        print(loss, file=sys.stderr)
    sys.exit(show("mapping there and back", figures, kinds=dict(sorted(kinds.items()))))


if __name__ == "__main__":
    main()
