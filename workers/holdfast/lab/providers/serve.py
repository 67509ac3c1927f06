"""Run simulated providers until told to stop: one for a bench, or a pair to try Holdfast on without keys."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import orjson

from holdfast.lab.providers.server import SimProvider
from holdfast.lab.providers.settings import SimSettings

Announce = Callable[[Sequence[SimProvider]], None]

CONFIG = """\
# Two simulated providers: break one with `holdfast sim break anthropic`, heal it with `holdfast sim heal`.
[providers.anthropic]
api = "anthropic"
base_url = "{anthropic}"
credentials = [{{ name = "main", secret = "command:echo simulated" }}]

[providers.openai]
api = "openai-chat"
base_url = "{openai}/v1"
credentials = [{{ name = "main", secret = "command:echo simulated" }}]

[models.smart]
routes = [
  {{ provider = "anthropic", model = "claude-opus-4-8", price = {{ input = 5.0, output = 25.0 }} }},
  {{ provider = "openai", model = "gpt-5.4", price = {{ input = 2.5, output = 15.0 }} }},
]
"""


def config(anthropic: str, openai: str) -> str:
    """A ready holdfast.toml for two simulated providers at these URLs."""
    return CONFIG.format(anthropic=anthropic, openai=openai)


def serve_forever(settings: SimSettings, *, until_eof: bool = False) -> None:
    """Run one provider until SIGINT or SIGTERM, after one JSON line with its URL on standard output.

    ``until_eof`` ends it also when standard input ends: its parent is gone.
    """

    def announce(sims: Sequence[SimProvider]) -> None:
        sys.stdout.write(orjson.dumps({"url": sims[0].url, "pid": os.getpid()}).decode() + "\n")
        sys.stdout.flush()

    asyncio.run(_run([settings], announce, until_eof=until_eof))


def serve(port: int, settings: SimSettings | None = None) -> None:
    """Run an Anthropic-like provider on ``port`` and an OpenAI-like one on the next, and print a holdfast.toml."""
    base = settings or SimSettings()
    pair = [base.model_copy(update={"port": port}), base.model_copy(update={"port": port + 1 if port else 0})]

    def announce(sims: Sequence[SimProvider]) -> None:
        sys.stdout.write(config(sims[0].url, sims[1].url))
        sys.stdout.flush()

    asyncio.run(_run(pair, announce))


async def _run(settings: Sequence[SimSettings], announce: Announce, *, until_eof: bool = False) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        sims = [await stack.enter_async_context(SimProvider(each)) for each in settings]
        if until_eof:
            loop.add_reader(sys.stdin.fileno(), _watch_input, stopped)
        gc.freeze()  # no call waits while what was loaded at the start is looked through
        announce(sims)
        await stopped.wait()


def _watch_input(stopped: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopped.set()
