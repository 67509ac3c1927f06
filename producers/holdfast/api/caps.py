"""Caps that hold while a body is read: its bytes here, its depth where it is parsed."""

from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.model.errors import InvalidRequest

MOST_BYTES = 32 * 1024 * 1024
MOST_LEVELS = 64  # of JSON inside JSON


class BodyCap:
    """Stops reading a body that grows beyond the cap, whatever its Content-Length says."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def receive_capped() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise HTTPException(413, f"a request body may have {self._most} bytes at most. Send it in parts.")
            return message

        await self._app(scope, receive_capped, send)


def parse_json(body: bytes) -> Any:
    """Parse a body of bounded depth. Raises InvalidRequest."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("body", f"is no JSON: {error}.", 'Send one job, or {"jobs": [...]}.') from None
    check_depth(value)
    return value


def check_depth(value: Any, most: int = MOST_LEVELS) -> None:
    """Refuse JSON that nests deeper than ``most``. Raises InvalidRequest."""
    level = [value]
    for _ in range(most):
        level = [child for each in level for child in children(each)]
        if not level:
            return
    raise InvalidRequest("body", f"nests deeper than {most} levels.")


def children(value: Any) -> list[Any]:
    """List what lies one level below; what cannot nest is left out."""
    match value:
        case dict():
            return [each for each in value.values() if isinstance(each, dict | list)]
        case list():
            return [each for each in value if isinstance(each, dict | list)]
        case _:
            return []
