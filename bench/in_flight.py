"""Calls in flight in one process: `holdfast run` as a newcomer types it, against a bare loop over the same SDK.

The loop is `asyncio` with a semaphore around `messages.create` of the official SDK on its aiohttp transport. `run` is
the real command in an empty folder: it stores every line, starts a worker and a Redis of its own, and writes every
answer down; once without any limit in the configuration, once with one that is too high to be felt. The three take
turns in one run, so that a busy machine hits all of them.

"calls a second" are jobs over the span from the first call to the last answer at the provider, "whole command" is what
a user waits from typing it until the prompt is back, "first call" how long that takes of it.

python bench/in_flight.py [--in-flight 1000] [--latency 1.0] [--jobs 5000] [--rounds 3]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from figures import Figure, median_ratio, medians, show, take_rounds
from holdfast.lab.providers.process import SimProcess
from newcomer import ENOUGH, CommandRun, folder, run_command, run_file
from provider_core import provider

IN_FLIGHT, JOBS, LATENCY = 1000, 5000, 1.0
LOOP = Path(__file__).with_name("bare_loop.py")
BARS = {True: 0.9, False: 0.95}  # by whether answers take time


def loop(sim: SimProcess, given: argparse.Namespace) -> CommandRun:
    command = [sys.executable, str(LOOP), sim.url, str(given.jobs), str(given.in_flight)]
    with tempfile.TemporaryDirectory() as name:
        return run_command(sim, command, Path(name))


def pool(sim: SimProcess, given: argparse.Namespace, limits: str) -> CommandRun:
    with folder(sim.url, given.jobs, given.in_flight, limits=limits) as path:
        ran = run_file(sim, path)
        if ran.failed or ran.seen["calls"] - ran.refusals < given.jobs:
            raise SystemExit(f"not every job was answered: {ran.seen['by_status']}, {ran.failed} lines are wrong")
        return ran


def one_round(sim: SimProcess, given: argparse.Namespace) -> dict[str, float]:
    """Every way once, and what each came to."""
    ways = {
        "bare loop": loop(sim, given),
        "run, no limit configured": pool(sim, given, ""),
        "run, a limit configured": pool(sim, given, ENOUGH),
    }
    found: dict[str, float] = {}
    for way, ran in ways.items():
        found[way] = given.jobs / ran.span
        found[f"{way}: whole command"] = ran.seconds
        found[f"{way}: first call after"] = ran.first_call
        found[f"{way}: refusals"] = ran.refusals
    sys.stderr.write("  " + ", ".join(f"{way} {found[way]:.0f}/s" for way in ways) + "\n")
    return found


def compared(rounds: list[dict[str, float]], bar: float) -> list[Figure]:
    middle = medians(rounds)
    figures = []
    for way in ("run, no limit configured", "run, a limit configured"):
        figures += [
            Figure(f"{way}, over the bare loop", median_ratio(rounds, way, "bare loop"), ("≥", bar)),
            Figure(f"{way}: whole command, the loop's over it", median_ratio(rounds, *whole(way))),
            Figure(f"{way}: refusals", max(each[f"{way}: refusals"] for each in rounds), ("=", 0)),
        ]
    for name, value in middle.items():
        if not name.endswith("refusals"):
            figures.append(Figure(name, value, None, "s" if ": " in name else "calls/s"))
    return figures


def whole(way: str) -> tuple[str, str]:
    """Seconds are better the fewer: the loop's over the other way's."""
    return "bare loop: whole command", f"{way}: whole command"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    parser.add_argument("--latency", type=float, default=LATENCY, help="seconds until the provider answers")
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with provider(latency=(given.latency, given.latency), headers=False) as sim:
        rounds = take_rounds(lambda: one_round(sim, given), given.rounds)
    name = f"{given.in_flight} in flight in one process"
    if given.latency != LATENCY:
        name += f", answers after {given.latency:g} s"
    return show(name, compared(rounds, BARS[given.latency > 0]), jobs=given.jobs, rounds=len(rounds))


if __name__ == "__main__":
    sys.exit(main())
