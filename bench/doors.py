"""The doors of the API to a measurement: each submits in the way of its own clients, and tells what came of it."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anthropic
import httpx2
import openai

PATIENCE = 900.0  # seconds: the time-out that the clients of a measurement set
MODEL, MOST = "bench", 20
Submit = Callable[[str], Awaitable[str | None]]  # a prompt to its answer; None: it comes later


class Doors:
    """Unmodified clients of one API. ``errors`` counts what they raised, ``wrong`` answers to another prompt.

    ``http_client`` is what OpenAI's SDK sends with; None: what it makes for itself.
    """

    def __init__(
        self, url: str, patience: float = PATIENCE, retries: int = 2, http_client: httpx2.AsyncClient | None = None
    ) -> None:
        self.errors, self.answered, self.wrong = Counter[str](), 0, 0
        about: dict[str, Any] = {"api_key": "none", "timeout": patience, "max_retries": retries}
        self._openai = openai.AsyncOpenAI(base_url=f"{url}/v1", http_client=http_client, **about)
        self._anthropic = anthropic.AsyncAnthropic(base_url=url, **about)
        limits = httpx2.Limits(max_connections=1_000)
        self._native = httpx2.AsyncClient(base_url=url, timeout=patience, limits=limits)

    @property
    def all(self) -> Mapping[str, Submit]:
        return {
            "native": self.native, "chat": self.chat, "responses": self.responses, "batch file": self.batch_file,
            "messages": self.messages, "message batch": self.message_batch,
        }  # fmt: skip

    async def close(self) -> None:
        await asyncio.gather(self._openai.close(), self._anthropic.close(), self._native.aclose())

    async def call(self, door: str, prompt: str) -> None:
        """Submit one prompt through a door, and note what came of it."""
        try:
            answer = await self.all[door](prompt)
        except Exception as error:  # noqa: BLE001 - whatever a client raises is what is counted
            self.errors[f"{door}: {type(error).__name__}"] += 1
            return
        if answer is not None:
            self.answered += 1
            self.wrong += answer != f"answer to {prompt}"

    async def native(self, prompt: str) -> None:
        answer = await self._native.post("/api/v1/jobs", json={"model": MODEL, "prompt": prompt})
        answer.raise_for_status()

    async def chat(self, prompt: str) -> str | None:
        messages = [{"role": "user", "content": prompt}]
        answer = await self._openai.chat.completions.create(model=MODEL, messages=messages, max_tokens=MOST)
        return answer.choices[0].message.content

    async def responses(self, prompt: str) -> str | None:
        answer = await self._openai.responses.create(model=MODEL, input=prompt, max_output_tokens=MOST)
        return answer.output_text

    async def batch_file(self, prompt: str) -> None:
        body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "max_tokens": MOST}
        line = {"custom_id": prompt, "method": "POST", "url": "/v1/chat/completions", "body": body}
        file = await self._openai.files.create(file=("in.jsonl", json.dumps(line).encode()), purpose="batch")
        await self._openai.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )

    async def messages(self, prompt: str) -> str | None:
        messages = [{"role": "user", "content": prompt}]
        answer = await self._anthropic.messages.create(model=MODEL, max_tokens=MOST, messages=messages)
        return answer.content[0].text

    async def message_batch(self, prompt: str) -> None:
        params = {"model": MODEL, "max_tokens": MOST, "messages": [{"role": "user", "content": prompt}]}
        await self._anthropic.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
