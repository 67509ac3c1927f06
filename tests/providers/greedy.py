"""Run by test_memory.py in a process of its own: every adapter against answers that want all of its memory."""

import asyncio
import gzip
import json
import resource
import zlib
from functools import cache

from holdfast.model.route import Api
from holdfast.providers.connect import connect
from holdfast.testing import Runtime
from providers.conftest import ask, fault
from providers.loopback import SITE, Loopback, base_url, http

MIB = 2**20
GIB = 2**30


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", "content-type: application/json", *lines, "", ""]).encode()


def floods(start: bytes):
    """Answer without end."""

    async def act(_, writer) -> None:
        writer.write(start)
        while True:
            writer.write(b" " * MIB)
            await writer.drain()

    return act


def says(data: bytes):
    async def act(_, writer) -> None:
        writer.write(data)
        await writer.drain()

    return act


@cache
def bomb(wbits: int) -> bytes:
    """A gigabyte of blanks in a few megabytes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, wbits)
    return b"".join([packer.compress(b" " * MIB) for _ in range(1024)] + [packer.flush()])


def acts():
    yield "a gigabyte that says so", floods(head(f"content-length: {GIB}"))
    yield "without end", floods(head())
    yield "gzip", says(http(200, bomb(31), content_encoding="gzip"))
    yield "deflate", says(http(200, bomb(15), content_encoding="deflate"))
    yield "gzip twice", says(http(200, gzip.compress(bomb(31)), content_encoding="gzip, gzip"))
    yield "brackets", says(http(200, b"[" + b"[]," * (8 * MIB) + b"[]]"))
    yield "headers without end", floods(b"HTTP/1.1 200 OK\r\nx-long: y")


async def measure(api: Api) -> dict[str, list[object]]:
    found = {}
    for name, act in acts():
        async with Loopback(act) as server:
            provider = connect(api, base_url(api, server.url), "k", concurrency=10, site=SITE)
            answer = await provider.complete("m", ask(), deadline=60.0, tag="t")
            await provider.close()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found[name] = [fault(answer).kind.value, peak]
    return found


async def main() -> None:
    Runtime.from_environment({}).crash_point("start")  # imports what every call needs before the first figure is taken
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found = {api.value: await measure(api) for api in Api}
    print(json.dumps({"before": before, "found": found}))  # noqa: T201 - its answer


if __name__ == "__main__":
    asyncio.run(main())
