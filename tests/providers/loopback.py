"""A provider on the loopback, made of bytes: every test says what stands on the wire."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

from holdfast.model.route import Api, Site

Act = Callable[["Seen", asyncio.StreamWriter], Awaitable[None]]
SAID = "It holds."
USED = {"input": 12, "output": 34}


@dataclass
class Seen:
    """One request as it arrived. Header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Loopback:
    """Reads requests whole, then does what ``act`` says with the connection."""

    act: Act
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    async def __aenter__(self) -> Self:
        self.heard = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append(Seen(head[0].split()[1], headers, body))
                self.heard.set()
                await self.act(self.seen[-1], writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def http(status: int, body: bytes, **headers: str) -> bytes:
    """A whole answer. Underscores in header names stand for hyphens."""
    named = {"content-type": "application/json", "content-length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


def says(data: bytes) -> Act:
    async def act(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return act


def answers(status: int, body: Any, **headers: str) -> Act:
    return says(http(status, body if isinstance(body, bytes) else orjson.dumps(body), **headers))


async def resets(_: Seen, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def closes(_: Seen, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def hangs(_: Seen, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def cuts(data: bytes) -> Act:
    """Says the beginning of an answer and closes."""

    async def act(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return act


def trickles(data: bytes) -> Act:
    """Says a byte at a time, slowly enough never to end, quickly enough that no single read times out."""

    async def act(_: Seen, writer: asyncio.StreamWriter) -> None:
        head, end, body = data.partition(b"\r\n\r\n")
        writer.write(head + end)
        for byte in body:
            await asyncio.sleep(0.02)
            writer.write(bytes([byte]))

    return act


SITE = Site(region="eu-west-1", project="p-1", workspace_id="wrkspc_1", api_version="2024-10-21")
BASES = {
    Api.OPENAI_CHAT: "/v1",
    Api.OPENAI_RESPONSES: "/v1",
    Api.ANTHROPIC_VERTEX: "/v1",
    Api.ANTHROPIC_GOOGLE_CLOUD: "/v1/projects/p-1/locations/eu-west-1/workspaces/wrkspc_1/invoke",
    Api.ANTHROPIC_FOUNDRY: "/anthropic",
    Api.ANTHROPIC_BEDROCK_MANTLE: "/anthropic",
    Api.OPENAI_BEDROCK: "/openai/v1",
    Api.OPENAI_BEDROCK_RESPONSES: "/openai/v1",
}


def base_url(api: Api, url: str) -> str:
    return url + BASES.get(api, "")


def success(api: Api, text: str = SAID, **changes: Any) -> dict[str, Any]:
    """The usual answer of an API, with keys changed."""
    return {**_SUCCESS[api.wire](text), **changes}


_SUCCESS: dict[Api, Callable[[str], dict[str, Any]]] = {
    Api.ANTHROPIC: lambda text: {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": text}],
        "usage": {"input_tokens": USED["input"], "output_tokens": USED["output"]},
    },
    Api.OPENAI_CHAT: lambda text: {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-x",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": USED["input"], "completion_tokens": USED["output"], "total_tokens": 46},
    },
    Api.OPENAI_RESPONSES: lambda text: {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-x", "status": "completed", "error": None,
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}],
        "usage": {"input_tokens": USED["input"], "output_tokens": USED["output"], "total_tokens": 46},
    },
}  # fmt: skip


def error(api: Api, type_: str, message: str = "no", code: str | None = None) -> dict[str, Any]:
    """An error body in the shape of an API."""
    if api.wire is Api.ANTHROPIC:
        details = {"details": {"error_code": code}} if code else {}
        return {"type": "error", "error": {"type": type_, "message": message, **details}, "request_id": "req_1"}
    return {"error": {"type": type_, "message": message, "param": None, "code": code}}
