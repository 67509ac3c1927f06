"""What a large request costs on its way through a worker: memory in copies of its body, and CPU.

The claim unpacks and reads what was stored, the adapter writes and sends it; the provider is another process. Memory is
Python's own peak (tracemalloc) over what stood before, and the growth of the resident set as the system counts it.
"""

import argparse
import asyncio
import base64
import gc
import random
import sys
import time
import tracemalloc
from pathlib import Path

from figures import Figure, show
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import SimSettings
from holdfast.model.reply import Reply
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.providers.connect import connect
from holdfast.providers.port import Provider
from holdfast.store.request_codec import decode_request, encode_request
from holdfast.wire.written import read_written

MEBI = 2**20
BODY = b'{"model":"bench","max_tokens":10,"messages":[{"role":"user","content":"%s"}]}'
MOST_COPIES = 3.0  # what was written, which is sent from where it stands, and its reading; and small objects


def stored(size: int) -> bytes:
    """A request of ``size`` bytes as it stands in SQL. Its text is random, and can hardly be compressed."""
    text = base64.b64encode(random.Random(1).randbytes(size * 3 // 4))
    written = WrittenRequest(Api.ANTHROPIC, "/v1/messages", BODY % text)
    return encode_request("bench.batch", read_written(written))[0]


async def call(provider: Provider, body: bytes) -> None:
    result = await provider.complete("m", decode_request(body), deadline=60.0, tag="t")
    if not isinstance(result.outcome, Reply):
        raise SystemExit(f"the call failed: {result.outcome}")


async def measure(url: str, size: int) -> tuple[float, float, float]:
    """Peaks in bytes as Python and as the system count them, and CPU seconds, of one call."""
    provider = connect(Api.ANTHROPIC, url, "sk-bench", concurrency=1)
    await call(provider, stored(1000))  # opens the connection, warms up caches
    body = stored(size)
    gc.collect()
    forget_peak()
    before, began = resident("VmRSS"), time.process_time()
    await call(provider, body)
    seconds, grown = time.process_time() - began, resident("VmHWM") - before
    gc.collect()
    tracemalloc.start()
    await call(provider, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await provider.close()
    return peak, grown, seconds


def forget_peak() -> None:
    """Set the peak of the resident set to what it is now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def resident(name: str) -> int:
    """A figure of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=5)
    size = parser.parse_args().mebibytes * MEBI
    with SimProcess(SimSettings(latency=(0, 0))) as sim:
        peak, grown, seconds = asyncio.run(measure(sim.url, size))
    figures = [
        Figure("peak of a call", peak / size, ("≤", MOST_COPIES), "copies of its body"),
        Figure("growth of the process", grown / size, ("≤", MOST_COPIES), "copies of its body"),
        Figure("CPU of a call", seconds * 1000, unit="ms"),
    ]
    return show(f"a request of {size // MEBI} MiB passing through", figures)


if __name__ == "__main__":
    sys.exit(main())
