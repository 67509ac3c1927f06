"""Clients that wait on one API process while a batch runs: what a call takes beyond the provider's own answer.

All clients live in one process, and send by the aiohttp transport that OpenAI's SDK offers. Its other one takes longer
the more connections it has: with a thousand, 5 ms of CPU a call, and 0.1 s for the slowest hundredth of calls that go
to the provider itself.

python bench/doors_waiters.py [--clients 1000] [--jobs 20000] [--own-transport]
"""

import argparse
import asyncio
import statistics
import time

import openai

from api_server import ApiServer, resident, served
from doors import Doors
from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from rig import Rig, rig

BESIDE = "second/second-model"  # the batch's: beside it, calls would wait for a free slot at their own provider
LATENCY, ROUNDS = 10.0, 3  # seconds of an answer; calls that each client makes
MEBIBYTE = 1024 * 1024


async def one_client(doors: Doors, name: int, pause: float, took: list[float]) -> None:
    """Begin somewhere within an answer's time, so that as many calls begin in each second."""
    await asyncio.sleep(pause)
    for call in range(ROUNDS):
        began = time.perf_counter()
        await doors.call("chat", f"prompt of {name}, {call}")
        took.append(time.perf_counter() - began)


async def wait_all(api: ApiServer, clients: int, *, own: bool) -> tuple[Doors, list[float], list[int]]:
    """Have all clients wait. Returns what each call took, and the server's memory second by second."""
    http_client = None if own else openai.DefaultAioHttpClient(trust_env=False)
    doors, took, memory = Doors(api.url, http_client=http_client), list[float](), list[int]()
    waiting = [asyncio.create_task(one_client(doors, n, n * LATENCY / clients, took)) for n in range(clients)]
    everybody = asyncio.gather(*waiting)
    while not everybody.done():
        memory.append(resident(api.pid))
        await asyncio.wait({everybody}, timeout=1.0)
    await doors.close()
    return doors, took, memory


def measure(running: Rig, api: ApiServer, clients: int, jobs: int, *, own: bool) -> list[Figure]:
    batch = running.holdfast.submit([f"prompt {number}" for number in range(jobs)], model=BESIDE).inner
    doors, took, memory = asyncio.run(wait_all(api, clients, own=own))
    left = running.lost(batch, jobs)
    added = [each - LATENCY for each in sorted(took)]
    warm = memory[int(LATENCY * 1.5)] if len(memory) > LATENCY * 1.5 else memory[-1]
    return [
        Figure("calls not answered", clients * ROUNDS - doors.answered, ("=", 0)),
        Figure("answers to another prompt", doors.wrong, ("=", 0)),
        Figure("added latency, p99", added[int(len(added) * 0.99)], ("≤", 0.25), "s"),
        Figure("added latency, p50", statistics.median(added), unit="s"),
        Figure("added latency, longest", added[-1], unit="s"),
        Figure("memory at the end over memory when all wait", memory[-1] / warm, ("≤", 1.1)),
        Figure("memory at most", max(memory) / MEBIBYTE, unit="MiB"),
        Figure("jobs of the batch left", left),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=20_000, help="of the batch that runs meanwhile")
    parser.add_argument("--own-transport", action="store_true", help="send by the SDK's own transport")
    given = parser.parse_args()
    limits = f"limits = {{ concurrency = {given.clients + 100}, requests_per_minute = 60000 }}"
    sim = SimSettings(latency=(LATENCY, LATENCY))
    with rig(sim, sim, limits=limits, concurrency=2 * given.clients + 200) as running, served(running) as api:
        running.start(1)
        figures = measure(running, api, given.clients, given.jobs, own=given.own_transport)
    return show(f"{given.clients} clients wait while a batch of {given.jobs:,} runs", figures)


if __name__ == "__main__":
    raise SystemExit(main())
