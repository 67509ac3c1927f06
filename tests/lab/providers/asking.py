"""Ask a simulated provider in each of its wire formats, without an SDK."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from holdfast.lab.providers import SimProvider, SimSettings

KEY = {"authorization": "Bearer k"}
PATIENT = aiohttp.ClientTimeout(total=30)


def messages(prompt: str = "hi", **more: Any) -> tuple[str, dict[str, Any]]:
    turns = [{"role": "user", "content": prompt}]
    return "/v1/messages", {"model": "claude", "max_tokens": 500, "messages": turns, **more}


def chat(prompt: str = "hi", **more: Any) -> tuple[str, dict[str, Any]]:
    return "/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": prompt}], **more}


def responses(prompt: str = "hi", **more: Any) -> tuple[str, dict[str, Any]]:
    return "/v1/responses", {"model": "gpt", "input": prompt, **more}


class Asker:
    """``ask(*chat("hi"))`` answers the status, the headers and the parsed body."""

    def __init__(self, sim: SimProvider, http: aiohttp.ClientSession) -> None:
        self.sim, self.http = sim, http

    async def ask(self, path: str, body: dict[str, Any], **headers: str) -> tuple[int, Any, Any]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(self.sim.url + path, json=body, headers={**KEY, **given}) as response:
            return response.status, response.headers, await response.json(content_type=None)

    async def status(self, path: str, body: dict[str, Any], **headers: str) -> int:
        return (await self.ask(path, body, **headers))[0]

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, self.sim.url + path, json=body) as response:
            return response.status, await response.json()


@asynccontextmanager
async def asking(**settings: Any) -> AsyncIterator[Asker]:
    """A provider that answers at once unless told otherwise, and someone to ask it."""
    wanted = SimSettings.model_validate({"latency": (0, 0), **settings})
    async with SimProvider(wanted) as sim, aiohttp.ClientSession(timeout=PATIENT) as http:
        yield Asker(sim, http)
