"""What the queue adds to one call: until it is picked up by an idle pool, and what a caller over HTTP waits longer.

* pick-up: one job every 50 ms into a pool that has nothing else to do. From the call of `submit` in this process until
  the provider sees the request.
* added: OpenAI's SDK asks for one completion after another at a steady rate, once the provider itself and once
  Holdfast's server, which queues the call, has a worker make it, and answers. The rate is half of what the server
  came to with 100 callers just before. Both take turns; what is shown is the difference of their percentiles. The
  provider takes 0.2 s. Client, server, worker and provider share this machine.

python bench/latency.py [--picked 200] [--seconds 5] [--rounds 3]
"""

import argparse
import asyncio
import sys
import time
from contextlib import suppress

import openai

from api_server import served
from figures import Figure, medians, percentile, show
from holdfast.lab.providers.control import change
from holdfast.lab.providers.settings import SimSettings
from provider_core import keep_to_last_core
from rig import Rig, rig

LIMITS = "limits = { requests_per_minute = 6000000 }"
PAUSE = 0.05  # seconds between two jobs
LATENCY = 0.2  # seconds of the provider
CALLERS = 100
GIVEN_UP = 20.0  # seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picked", type=int, default=200, help="jobs of which the pick-up is measured")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one turn under load")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with rig(SimSettings(latency=(0, 0)), limits=LIMITS) as running, served(running) as server:
        keep_to_last_core(running.sim.pid)
        running.start(1)
        pick_up(running, 20)  # opens connections
        figures = [*pick_up(running, given.picked), *asyncio.run(added(running, server.url, given))]
    return show("latency", figures)


def pick_up(running: Rig, jobs: int) -> list[Figure]:
    running.sim.reset()
    submitted = {}
    for number in range(jobs):
        began = time.time()
        submitted[str(running.holdfast.submit(f"prompt {number}", model="bench"))] = began
        time.sleep(PAUSE)
    running.until(lambda: running.sim.counts()["calls"] >= jobs)
    times = [1000 * (call["started"] - submitted[call["tag"].partition("/")[0]]) for call in running.sim.calls()]
    return [
        Figure("pick-up p50", percentile(times, 0.5), ("≤", 10), "ms"),
        Figure("pick-up p99", percentile(times, 0.99), ("≤", 30), "ms"),
    ]


async def added(running: Rig, url: str, given: argparse.Namespace) -> list[Figure]:
    """Latencies under half load, through the server less those of the provider itself."""
    change(running.sim.url, {"latency": (LATENCY, LATENCY)})
    direct, through = client(f"{running.sim.url}/v1"), client(f"{url}/v1")
    await closed_loop(through, 1.0)  # opens connections
    full = await closed_loop(through, given.seconds)
    rounds = []
    for _ in range(given.rounds):
        found = {}
        for name, caller in (("direct", direct), ("through Holdfast", through)):
            times = await steady_load(caller, full / 2, given.seconds)
            found |= {
                f"{name}: {word}": 1000 * percentile(times, share) for word, share in (("p50", 0.5), ("p99", 0.99))
            }
        rounds.append(found)
    await asyncio.gather(direct.close(), through.close())
    middle = medians(rounds)
    return [
        Figure("added p50", middle["through Holdfast: p50"] - middle["direct: p50"], ("≤", 10), "ms"),
        Figure("added p99", middle["through Holdfast: p99"] - middle["direct: p99"], None, "ms"),
        *(Figure(name, value, None, "ms") for name, value in middle.items()),
        Figure(f"server with {CALLERS} callers", full, None, "calls/s"),
    ]


def client(url: str) -> openai.AsyncOpenAI:
    http = openai.DefaultAioHttpClient(trust_env=False)
    return openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0, timeout=GIVEN_UP, http_client=http)


async def call(caller: openai.AsyncOpenAI) -> float:
    """Seconds of one completion, or until it was given up."""
    began = time.perf_counter()
    with suppress(openai.APITimeoutError):
        await caller.chat.completions.create(model="bench", messages=[{"role": "user", "content": "A word?"}])
    return time.perf_counter() - began


async def closed_loop(caller: openai.AsyncOpenAI, seconds: float) -> float:
    """Calls a second of callers that each ask again as soon as they are answered."""
    end_by, done = time.perf_counter() + seconds, 0

    async def ask() -> None:
        nonlocal done
        while time.perf_counter() < end_by:
            await call(caller)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CALLERS)))
    return done / (time.perf_counter() - began)


async def steady_load(caller: openai.AsyncOpenAI, rate: float, seconds: float) -> list[float]:
    """Latencies of calls that begin at a steady rate, whatever became of those before."""
    began, calls = time.perf_counter(), []
    for number in range(max(1, int(rate * seconds))):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        calls.append(asyncio.create_task(call(caller)))
    return await asyncio.gather(*calls)


if __name__ == "__main__":
    sys.exit(main())
