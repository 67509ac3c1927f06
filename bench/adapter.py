"""Calls a second: our adapter against a bare loop over the SDK's own ``create``, on the same transport and server.

    python bench/adapter.py [--in-flight 200,1000] [--calls 4000] [--pairs 3] [--api anthropic]

The server is another process that answers every request with the same bytes. Loops run in turn, ours first in every
second pair, so that a warming or throttled machine favours neither. Prints calls a second, milliseconds of CPU a call
(the steadier figure on a busy machine), and ours / bare: medians over the pairs.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any

import anthropic
import httpx2
import openai
import orjson

from holdfast.model.reply import Reply
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Api
from holdfast.providers.connect import connect

PROMPT = "Summarise the following in one sentence. " * 20
SAID = "A queue holds work until it can be done. " * 20
BODIES: dict[Api, dict[str, Any]] = {
    Api.ANTHROPIC: {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": SAID}], "usage": {"input_tokens": 200, "output_tokens": 200},
    },
    Api.OPENAI_CHAT: {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": SAID}}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 200, "total_tokens": 400},
    },
}  # fmt: skip


class Canned(asyncio.Protocol):
    """Answers every request with the same bytes. Knows just enough HTTP for that: a head, and a length."""

    answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(self.answer)  # type: ignore[attr-defined]  # what a TCP server gets can write


def serve(body: bytes, told: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: r\r\ncontent-length: %d\r\n\r\n"
    Canned.answer = head % len(body) + body

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0, backlog=4096)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def timed(call: Callable[[], Awaitable[None]], calls: int, in_flight: int) -> tuple[float, float]:
    """Calls a second, and milliseconds of CPU a call, of ``in_flight`` loops that make ``calls`` calls together."""
    left = iter(range(calls))

    async def loop() -> None:
        for _ in left:
            await call()

    began, burnt = time.perf_counter(), time.process_time()
    await asyncio.gather(*(loop() for _ in range(in_flight)))
    rate = calls / (time.perf_counter() - began)
    return rate, 1000 * (time.process_time() - burnt) / calls


def bare_loop(api: Api, url: str) -> tuple[Callable[[], Awaitable[None]], Any]:
    """What a program without us would write: the SDK on its aiohttp transport."""
    limits = httpx2.Limits(max_connections=0)
    turns: Any = [{"role": "user", "content": PROMPT}]
    if api is Api.ANTHROPIC:
        claude = anthropic.AsyncAnthropic(
            api_key="k", base_url=url, max_retries=0, http_client=anthropic.DefaultAioHttpClient(limits=limits)
        )

        async def ask() -> None:
            message = await claude.messages.create(model="m", max_tokens=500, messages=turns)
            assert message.content[0].type == "text"

        return ask, claude
    gpt = openai.AsyncOpenAI(
        api_key="k", base_url=f"{url}/v1", max_retries=0, http_client=openai.DefaultAioHttpClient(limits=limits)
    )

    async def ask_chat() -> None:
        completion = await gpt.chat.completions.create(model="m", max_completion_tokens=500, messages=turns)
        assert completion.choices[0].message.content

    return ask_chat, gpt


async def measure(api: Api, port: int, in_flight: int, calls: int, pairs: int) -> None:
    url = f"http://127.0.0.1:{port}"
    base = url if api is Api.ANTHROPIC else f"{url}/v1"
    provider = connect(api, base, "k", concurrency=0)
    bare, client = bare_loop(api, url)
    request = Request(turns=(Turn(role=Role.USER, parts=(Text(text=PROMPT),)),), max_tokens=500)

    async def ours() -> None:
        answer = await provider.complete("m", request, deadline=60, tag="job/0/1")
        assert isinstance(answer.outcome, Reply), answer.outcome

    await timed(ours, in_flight, in_flight)
    await timed(bare, in_flight, in_flight)
    seen: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    for pair in range(pairs):
        order = [("ours", ours), ("bare", bare)]
        for name, call in order if pair % 2 else reversed(order):
            seen[name].append(await timed(call, calls, in_flight))
    for name, runs in seen.items():
        figures = "  ".join(f"{rate:6.0f}/s {cpu:.3f} ms" for rate, cpu in runs)
        print(f"{api:<12} {in_flight:>5} in flight  {name}  {figures}")
    both = list(zip(seen["ours"], seen["bare"], strict=True))
    by_time = statistics.median(ours[0] / bare[0] for ours, bare in both)
    by_cpu = statistics.median(bare[1] / ours[1] for ours, bare in both)
    print(f"{api:<12} {in_flight:>5} in flight  ours / bare = {by_time:.2f} by the clock, {by_cpu:.2f} by CPU")
    await provider.close()
    await client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", default="200,1000")
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--api", default="anthropic,openai-chat")
    options = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    for api in map(Api, options.api.split(",")):
        here, there = spawn.Pipe()
        server = spawn.Process(target=serve, args=(orjson.dumps(BODIES[api]), there), daemon=True)
        server.start()
        port = here.recv()
        for in_flight in map(int, options.in_flight.split(",")):
            asyncio.run(measure(api, port, in_flight, options.calls, options.pairs))
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
