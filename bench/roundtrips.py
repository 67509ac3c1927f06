"""Conversations through the mapping, there and back: how many, and what was lost without a word (bar: nothing).

Each is written by chance in one of the three wire formats, carried to another one, and back. Whatever differs on the
other side must stand in the receipt.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from dialect.journeys import REFUSED, journeys


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    kinds: Counter[str] = Counter()
    losses: list[str] = []
    for seed, kind, lost in journeys(options.seed, options.conversations):
        kinds[kind] += 1
        losses += [f"seed {seed}: {loss}" for loss in lost]
    figures = {
        "conversations": options.conversations,
        "silent_losses": len(losses),
        "refused_besides": kinds.pop(REFUSED, 0),
        "kinds": dict(sorted(kinds.items())),
        "seconds": round(time.perf_counter() - began, 1),
        "pass": options.conversations >= 10_000 and not losses,
    }
    print(orjson.dumps(figures).decode())
    for loss in losses[:20]:
        print(loss, file=sys.stderr)
    sys.exit(1 if losses else 0)


if __name__ == "__main__":
    main()
