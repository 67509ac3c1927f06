"""1,000 calls in flight in one worker process, answers after 1 s: the pool against a bare loop over the same SDK.

The loop is `asyncio` with a semaphore around `messages.create` of the official SDK on its aiohttp transport, in a
process of its own as the worker is. The two take turns in one run, so that a busy machine hits both.

python bench/in_flight.py             with a limit in the configuration
python bench/in_flight.py --unknown   without one, and each round with a pool that has learned nothing yet
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from holdfast.model.job import Priority, lane_name
from rig import Rig, rig

IN_FLIGHT, JOBS, LATENCY = 1000, 5000, 1.0
LANE = lane_name("bench", Priority.BATCH)
LOOP = Path(__file__).with_name("bare_loop.py")


def span(running: Rig) -> float:
    """Seconds from the first call to the last answer, as the provider saw them."""
    seen = running.sim.counts()
    if seen["by_status"] != {"200": seen["calls"]}:
        raise SystemExit(f"not every call was answered: {seen['by_status']}")
    return float(seen["last_at"] - seen["first_at"])


def loop_rate(running: Rig, jobs: int, in_flight: int) -> float:
    running.sim.reset()
    command = [sys.executable, LOOP, running.sim.url, str(jobs), str(in_flight)]
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return jobs / span(running)


def pool_rate(running: Rig, jobs: int) -> float:
    """All jobs are ready before the first call, as they are for the loop: submitting is not part of it."""
    running.sim.reset()
    running.lanes.set_paused(LANE, True)
    batch = running.submit(jobs)
    running.lanes.set_paused(LANE, False)
    running.until_done(batch)
    if running.lost(batch, jobs):
        raise SystemExit(f"{running.lost(batch, jobs)} jobs were lost")
    return jobs / span(running)


def take_turns(given: argparse.Namespace, rounds: int) -> list[tuple[float, float]]:
    """Jobs a second of the loop and of a new pool, round by round."""
    found = []
    sim = SimSettings(latency=(LATENCY, LATENCY))
    limits = "" if given.unknown else "limits = { requests_per_minute = 600000 }"
    with rig(sim, limits=limits, concurrency=given.in_flight) as running:
        running.start(1)
        for _ in range(rounds):
            found.append((loop_rate(running, given.jobs, given.in_flight), pool_rate(running, given.jobs)))
            sys.stderr.write("loop {:.0f}/s, pool {:.0f}/s\n".format(*found[-1]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--unknown", action="store_true", help="No limit is configured.")
    given = parser.parse_args()
    rounds = given.rounds
    found = (
        [pair for _ in range(rounds) for pair in take_turns(given, 1)] if given.unknown else take_turns(given, rounds)
    )
    loop, pool = [one for one, _ in found], [one for _, one in found]
    shares = [one / other for one, other in zip(pool, loop, strict=True)]
    figures = [
        Figure("pool over bare loop, median of rounds", statistics.median(shares), ("≥", 0.8)),
        Figure("pool", statistics.median(pool), unit="jobs/s"),
        Figure("bare loop", statistics.median(loop), unit="jobs/s"),
    ]
    name = f"{given.in_flight} in flight in one process"
    return show(f"{name}, no limit known" if given.unknown else name, figures, pool=pool, loop=loop)


if __name__ == "__main__":
    sys.exit(main())
