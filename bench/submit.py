"""What handing work in costs: durable submits one by one and in batches, and over HTTP from 32 clients at once.

Nothing runs the jobs meanwhile. Each is in the database, synced, when the submit returns. "one by one" and "batched"
are calls of the client library in this process, "over HTTP" are POSTs to a real server in another process, each of
one job, from 32 clients on connections that they keep. Latencies are of one submit.

python bench/submit.py [--database sqlite|postgres] [--jobs 2000] [--batch 20000] [--rounds 3]
"""

import argparse
import asyncio
import sys
import time

import aiohttp

from api_server import served, timed
from databases import add_choice, kept_in, named
from figures import Figure, medians, percentile, show, take_rounds
from holdfast.lab.providers.settings import SimSettings
from rig import Rig, rig

CLIENTS = 32
BODY = {"model": "bench", "prompt": "Say in one sentence what the following text is about. " * 8}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2000, help="of a round, one by one")
    parser.add_argument("--batch", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    add_choice(parser)
    given = parser.parse_args()
    with kept_in(given.database), rig(SimSettings()) as running, served(running) as server:
        one_round(running, server.url, 100, 1000)  # opens connections, fills caches
        middle = medians(take_rounds(lambda: one_round(running, server.url, given.jobs, given.batch), given.rounds))
    bars: dict[str, tuple[str, float]] = {
        "one by one": ("≥", 1500),
        "batched": ("≥", 20_000),
        "over HTTP, 32 clients": ("≥", 1000),
        "one by one: p99": ("≤", 10),
    }
    figures = [
        Figure(name, value, bars.get(name), "ms" if ": p" in name else "jobs/s") for name, value in middle.items()
    ]
    return show(named("submit", given.database), figures)


def one_round(running: Rig, url: str, jobs: int, batch: int) -> dict[str, float]:
    times = [timed(lambda: running.holdfast.submit(BODY["prompt"], model="bench")) for _ in range(jobs)]
    batched = timed(lambda: running.holdfast.submit([BODY["prompt"]] * batch, model="bench"))
    over_http = asyncio.run(post_all(f"{url}/api/v1/jobs", jobs))
    return {
        "one by one": jobs / sum(times),
        "one by one: p50": 1000 * percentile(times, 0.5),
        "one by one: p99": 1000 * percentile(times, 0.99),
        "batched": batch / batched,
        **over_http,
    }


async def post_all(url: str, jobs: int) -> dict[str, float]:
    """Submit jobs one by one from all clients; how many a second, and how long one takes in milliseconds."""
    left, times = iter(range(jobs)), []

    async def client(session: aiohttp.ClientSession) -> None:
        for _ in left:
            began = time.perf_counter()
            async with session.post(url, json=BODY) as answer:
                await answer.read()
                assert answer.status == 202, await answer.text()
            times.append(time.perf_counter() - began)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
        rate = jobs / (time.perf_counter() - began)
    name = f"over HTTP, {CLIENTS} clients"
    return {
        name: rate,
        f"{name}: p50": 1000 * percentile(times, 0.5),
        f"{name}: p99": 1000 * percentile(times, 0.99),
    }


if __name__ == "__main__":
    sys.exit(main())
