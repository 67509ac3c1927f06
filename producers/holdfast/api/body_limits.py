"""Limits that hold while a body is read: its bytes, its time, and the memory that all large ones have together.

What is inside is limited where it is parsed: depth, number of values, numbers that are none (docs/decisions/0022).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import orjson
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.api.problems import UNAVAILABLE, of_http
from holdfast.model.errors import InvalidRequest
from holdfast.model.json_bounds import MOST_BRACKETS, has_too_many_brackets, is_deeper

MOST_BYTES = 32 * 1024 * 1024
FEWER_BYTES = 1024 * 1024  # where no prompts are sent, and what needs no part of the budget
MOST_LEVELS = 64  # of JSON inside JSON
LARGE_BODIES = 2 * MOST_BYTES  # for all large bodies at once, from their first byte to their answer
IDLE_SECONDS = 30.0  # seconds without a byte, or without memory
BODY_SECONDS = 120.0  # for a whole body
CALLS = (
    "chat/completions",
    "responses",
    "embeddings",
    "completions",
    "moderations",
    "messages",
    "messages/count_tokens",
)
LARGE = frozenset({"/api/v1/jobs", *(f"/v1/{path}" for path in CALLS)})
STREAMED: Mapping[str, int] = {  # bytes that go to the disk as they come
    "/v1/messages/batches": 256 * 1024 * 1024,
    "/v1/files": 201 * 1024 * 1024,  # a file, and the form around it
}
STREAM_SECONDS = 3_600.0  # for a whole body of these
ONE_OR_MANY = 'Send one job, or {"jobs": [...]}.'
PLAIN = frozenset({"", "identity"})


class MemoryBudget:
    """Bytes that large bodies share. A request waits for its part, at most ``timeout`` seconds."""

    def __init__(self, size: int = LARGE_BODIES, timeout: float = IDLE_SECONDS) -> None:
        self._free, self._timeout = size, timeout
        self._given_back = asyncio.Condition()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[None]:
        """Hold ``size`` bytes. Raises HTTPException."""
        if not size:
            yield
            return
        try:
            async with asyncio.timeout(self._timeout), self._given_back:
                await self._given_back.wait_for(lambda: self._free >= size)
                self._free -= size
        except TimeoutError:
            raise HTTPException(UNAVAILABLE, "too many large requests are being read. Send it again later.") from None
        try:
            yield
        finally:
            async with self._given_back:
                self._free += size
                self._given_back.notify_all()


class BodyLimitMiddleware:
    """Stops reading a body that grows beyond its limit, whatever its Content-Length says, or that comes too slowly."""

    def __init__(
        self,
        app: ASGIApp,
        budget: MemoryBudget | None = None,
        idle: float = IDLE_SECONDS,
        total: float = BODY_SECONDS,
    ) -> None:
        self._app, self._budget = app, budget or MemoryBudget()
        self._idle, self._total = idle, total

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        most = STREAMED.get(path, MOST_BYTES if path in LARGE else FEWER_BYTES)
        total = STREAM_SECONDS if path in STREAMED else None
        try:
            announced = announced_size(Headers(scope=scope), most)
            async with self._budget.reserve(0 if announced <= FEWER_BYTES or path in STREAMED else announced):
                await self._app(scope, self._capped(receive, most, total), send)
        except HTTPException as refusal:  # of ours; those of endpoints have been answered further in
            await of_http(scope, refusal)(scope, receive, send)

    def _capped(self, receive: Receive, most: int, total: float | None = None) -> Callable[[], Awaitable[Message]]:
        read, whole, deadline = 0, False, time.monotonic() + (total or self._total)

        async def receive_capped() -> Message:
            nonlocal read, whole
            if whole:  # what comes now is the end of the connection, whenever that is
                return await receive()
            try:
                async with asyncio.timeout(min(self._idle, deadline - time.monotonic())):
                    message = await receive()  # ``wait_for`` swallows cancellations before Python 3.12
            except TimeoutError:
                raise HTTPException(408, "the body came too slowly.", {"connection": "close"}) from None
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read > most:
                raise too_large(most)
            return message

        return receive_capped


def announced_size(headers: Headers, most: int) -> int:
    """Read how long a body says it is; without a word of that it may be as long as can be. Raises HTTPException."""
    if any(each.strip().lower() not in PLAIN for each in headers.get("content-encoding", "").split(",")):
        raise HTTPException(415, "a compressed body is not read. Send it without Content-Encoding.")
    length = headers.get("content-length")
    if length is None:
        return most if "transfer-encoding" in headers else 0
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else most + 1  # noqa: PLR2004 - digits
    if size > most:
        raise too_large(most)
    return size


def too_large(most: int) -> HTTPException:
    detail = f"a request body may have {most} bytes at most here. Send it in parts."
    return HTTPException(413, detail, {"connection": "close"})  # what is left of it is not read


def split_object(body: bytes) -> dict[str, msgspec.Raw]:
    """Cut a body that is an object into its members, each as it was written. Raises InvalidRequest."""
    refuse_brackets(body)
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except RecursionError:
        raise InvalidRequest("body", f"nests deeper than {MOST_LEVELS} levels.") from None
    except msgspec.ValidationError:
        raise InvalidRequest("body", "expected an object.", ONE_OR_MANY) from None
    except msgspec.DecodeError as error:
        raise InvalidRequest("body", f"is no JSON: {error}.", ONE_OR_MANY) from None


def refuse_brackets(body: bytes) -> None:
    """Refuse what would be costly to parse, by a scan of its bytes. Raises InvalidRequest."""
    if has_too_many_brackets(body):
        problem = f"holds more than {MOST_BRACKETS} brackets."
        raise InvalidRequest("body", problem, "Send the jobs in several requests; they may join one batch.")


def parse_json(body: bytes) -> Any:
    """Parse a body of bounded depth and bounded cost. Raises InvalidRequest."""
    refuse_brackets(body)
    try:
        value = orjson.loads(body)  # refuses NaN, infinities, half characters, and more than 1,024 levels at once
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("body", f"is no JSON: {error}.") from None
    check_depth(value)
    return value


def check_depth(value: Any, most: int = MOST_LEVELS) -> None:
    """Refuse JSON that nests deeper than ``most``. Raises InvalidRequest."""
    if is_deeper(value, most):
        raise InvalidRequest("body", f"nests deeper than {most} levels.")
