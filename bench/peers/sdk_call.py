"""The call that every queue makes: the official SDK's own ``create``, as in bare_loop.py. Retries are the queue's.

Where the provider is, and how many calls are in flight in one process, stand in the environment.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import anthropic
import httpx2

IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", "100"))
REDIS = os.environ.get("BENCH_REDIS", "")


def options() -> dict[str, Any]:
    return {"api_key": "k", "base_url": os.environ["BENCH_PROVIDER"], "max_retries": 0, "timeout": 60}


def limits() -> httpx2.Limits:
    return httpx2.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)


def body(number: int) -> dict[str, Any]:
    return {"model": "first-model", "max_tokens": 1000, "messages": [{"role": "user", "content": f"prompt {number}"}]}


@cache
def client() -> anthropic.AsyncAnthropic:
    """One client for an event loop."""
    http = anthropic.DefaultAioHttpClient(limits=limits(), trust_env=False)
    return anthropic.AsyncAnthropic(http_client=http, **options())


@cache
def blocking_client() -> anthropic.Anthropic:
    """One client for threads or greenlets."""
    return anthropic.Anthropic(http_client=anthropic.DefaultHttpxClient(limits=limits(), trust_env=False), **options())


async def ask(number: int) -> None:
    message = await client().messages.create(**body(number))
    assert message.content[0].text == f"answer to prompt {number}"


def ask_blocking(number: int) -> None:
    message = blocking_client().messages.create(**body(number))
    assert message.content[0].text == f"answer to prompt {number}"


def enqueue_all(enqueue: Callable[[int], None]) -> None:
    """Enqueue as many jobs as the command line says, and print how many a second that were."""
    jobs = int(sys.argv[1])
    began = time.perf_counter()
    enqueue(jobs)
    print(jobs / (time.perf_counter() - began))
