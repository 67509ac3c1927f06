"""How faults show on the wire, below the level of error bodies: cut connections, silence, bodies that are wrong."""

import asyncio
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from aiohttp import web
from aiohttp.web_request import BaseRequest

from holdfast.lab.providers.calls import SeenCall
from holdfast.lab.providers.settings import InjectedFault
from holdfast.lab.providers.wire_format import WireFormat
from holdfast.testing import Clock

MEBIBYTE = 1 << 20
BOMB_MEBIBYTES = 256
HUGE_MEBIBYTES = 1024
SLOW = 30.0  # seconds
TRICKLE = 0.5  # seconds between two bytes
PAGE = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Something went wrong</h1></body></html>"
JSON = "application/json"


@dataclass(slots=True)
class Exchange:
    """One request on its way to an answer. ``label`` is what the log calls its end, where a status does not say it."""

    request: BaseRequest
    wire_format: WireFormat
    call: SeenCall
    number: int
    headers: dict[str, str]
    clock: Clock
    body: dict[str, Any] | None = None  # of success, once the model ran
    label: str | None = None


FaultResponse = Callable[[Exchange, InjectedFault], Awaitable[web.StreamResponse]]


def answer(exchange: Exchange, body: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=exchange.headers, content_type=JSON)


def page(exchange: Exchange, status: int) -> web.Response:
    return web.Response(body=PAGE, status=status, headers=exchange.headers, content_type="text/html")


async def _html(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    return page(exchange, {"html403": 403, "html502": 502}.get(fault.mode, 200))


async def _key_invalid(exchange: Exchange, _: InjectedFault) -> web.StreamResponse:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    said = {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [info]}
    return answer(exchange, [{"error": said}], 400)


async def _exhausted(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{fault.retry_after or 1.0:.9f}s"}
    quota = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}],
    }
    said = {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED", "details": [quota, wait]}
    return answer(exchange, [{"error": said}], 429)


async def _redirect(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    where = {"Location": "http://elsewhere.invalid/v1", **exchange.headers}
    return web.Response(status=307, headers=where)


async def _reset(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    """End the connection with a RST, which a plain close with nothing unread would not send."""
    exchange.label = fault.mode
    transport = exchange.request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _close(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    if exchange.request.transport is not None:
        exchange.request.transport.close()
    return web.Response()


async def _hang(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    """Say nothing until the caller goes away, which cancels this."""
    exchange.label = fault.mode
    await asyncio.Event().wait()
    return web.Response()


async def _slow(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    await asyncio.sleep(exchange.clock.real(SLOW if fault.delay is None else fault.delay))
    return answer(exchange, exchange.body)


async def _begin(exchange: Exchange, length: int | None) -> web.StreamResponse:
    response = web.StreamResponse(headers=exchange.headers)
    response.content_type = JSON
    response.content_length = length
    await response.prepare(exchange.request)
    return response


async def _headers(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    response = await _begin(exchange, len(orjson.dumps(exchange.body)))
    await asyncio.Event().wait()
    return response


async def _trickle(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    body = orjson.dumps(exchange.body)
    response = await _begin(exchange, len(body))
    for byte in body:
        await response.write(bytes([byte]))
        await asyncio.sleep(exchange.clock.real(TRICKLE if fault.delay is None else fault.delay))
    return response


async def _truncated(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    body = orjson.dumps(exchange.body)
    response = await _begin(exchange, len(body))
    await response.write(body[: len(body) // 2])
    if exchange.request.transport is not None:
        exchange.request.transport.close()
    return response


async def _gzip_bomb(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    bomb = await asyncio.to_thread(_bomb)
    headers = {"Content-Encoding": "gzip", **exchange.headers}
    return web.Response(body=bomb, headers=headers, content_type=JSON)


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(level=1, wbits=31)
    blank = b" " * MEBIBYTE
    return b"".join([*(packer.compress(blank) for _ in range(BOMB_MEBIBYTES)), packer.flush()])


async def _huge(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
    exchange.label = fault.mode
    response = await _begin(exchange, HUGE_MEBIBYTES * MEBIBYTE)
    blank = b" " * MEBIBYTE
    for _ in range(HUGE_MEBIBYTES):
        await response.write(blank)
    return response


async def _decline(exchange: Exchange, _: InjectedFault) -> web.StreamResponse:
    """A success of the call, and logged as one."""
    return answer(exchange, exchange.wire_format.refuse_to_answer(_body(exchange)))


def _spoiled(change: Callable[[Exchange], bytes]) -> FaultResponse:
    """An act that answers 200 with what ``change`` makes of the body."""

    async def act(exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
        exchange.label = fault.mode
        return web.Response(body=change(exchange), headers=exchange.headers, content_type=JSON)

    return act


def _body(exchange: Exchange) -> dict[str, Any]:
    return exchange.body or {}


def _bad_output(exchange: Exchange) -> bytes:
    """The right shape around a text that no schema accepts: the strings of the answer are blanked out."""
    return orjson.dumps(_retold(_body(exchange), "this is not what you asked for"))


def _retold(value: Any, text: str) -> Any:
    if isinstance(value, list):
        return [_retold(item, text) for item in value]
    if isinstance(value, dict):
        spoken = {"text", "content"}
        return {k: text if k in spoken and isinstance(v, str) else _retold(v, text) for k, v in value.items()}
    return value


FAULT_RESPONSES: Mapping[str, FaultResponse] = {
    "key-invalid": _key_invalid,
    "exhausted": _exhausted,
    "html403": _html,
    "html502": _html,
    "html": _html,
    "redirect": _redirect,
    "reset": _reset,
    "reset-after": _reset,
    "close": _close,
    "hang": _hang,
    "slow": _slow,
    "headers": _headers,
    "trickle": _trickle,
    "truncated": _truncated,
    "gzip-bomb": _gzip_bomb,
    "huge": _huge,
    "bad-json": _spoiled(lambda exchange: orjson.dumps(exchange.body)[:-1]),
    "wrong-json": _spoiled(lambda _: b'{"ok":true,"result":[1,2,3]}'),
    "empty": _spoiled(lambda _: b""),
    "no-content": _spoiled(lambda exchange: orjson.dumps(exchange.wire_format.without_content(_body(exchange)))),
    "no-usage": _spoiled(lambda exchange: orjson.dumps({k: v for k, v in _body(exchange).items() if k != "usage"})),
    "error-in-200": _spoiled(lambda exchange: orjson.dumps(exchange.wire_format.failed(_body(exchange)))),
    "bad-output": _spoiled(_bad_output),
    "refusal": _decline,
}
