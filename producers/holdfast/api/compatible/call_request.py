"""A waiting call as a client sent it: its body byte for byte, and what its headers say of time-outs and repeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from starlette.requests import Request

from holdfast.api.body_limits import parse_json
from holdfast.model.errors import InvalidRequest
from holdfast.store.repeats import HALF
from holdfast.wire.request_headers import travelling

RETRY_COUNT = "x-stainless-retry-count"  # of both SDKs: 0 for the first try of a call
READ_TIMEOUT = "x-stainless-read-timeout"  # seconds
IDEMPOTENCY_KEY = "idempotency-key"
LONGEST_KEY = 255  # characters


@dataclass(frozen=True, slots=True)
class CallRequest:
    """``path`` is the route as the client names it, ``body`` a JSON object, and ``parsed`` the same, parsed."""

    path: str
    query: str
    """What follows the path; the provider is sent it too, but for what marks a client alone."""
    body: bytes
    parsed: Mapping[str, Any]
    headers: Mapping[str, str]
    fingerprint: str
    """Equal for two calls of one API key to one route with the same query, body and travelling headers."""
    tries_before: int = 0
    """How often the client has sent this call before, as its SDK counts; 0 where nothing says so."""
    key: str | None = None
    """The Idempotency-Key that the client gave the call itself."""
    read_timeout: float | None = None
    """Seconds without a byte after which the client gives up; None where it does not say."""

    @property
    def streams(self) -> bool:
        return self.parsed.get("stream") is True

    @property
    def model(self) -> str:
        """The model that the call names. Raises InvalidRequest."""
        model = self.parsed.get("model")
        if not isinstance(model, str) or not model:
            raise InvalidRequest("model", "you must provide a model parameter.")
        return model

    @property
    def line(self) -> bytes:
        """The call as an input line of a batch, its body as it came."""
        url = f"{self.path}?{self.query}" if self.query else self.path
        raws = {"url": msgspec.Raw(msgspec.json.encode(url)), "body": msgspec.Raw(self.body)}
        if self.headers:
            raws["headers"] = msgspec.Raw(msgspec.json.encode(dict(self.headers)))
        return msgspec.json.encode(raws)


async def read_call(request: Request, caller: str) -> CallRequest:
    """Read a waiting call of ``caller``. Raises InvalidRequest: its body is no JSON object, or costs too much."""
    body = await request.body()
    parsed = parse_json(body)
    if not isinstance(parsed, dict):
        raise InvalidRequest("body", "expected an object.")
    path, query = request.scope["path"], request.scope["query_string"].decode()
    headers = travelling(request.headers)
    return CallRequest(
        path=path,
        query=query,
        body=body,
        parsed=parsed,
        headers=headers,
        fingerprint=fingerprint(caller, path, query.encode(), body, repr(sorted(headers.items())).encode()),
        tries_before=tries_before(request),
        key=(request.headers.get(IDEMPOTENCY_KEY) or "")[:LONGEST_KEY] or None,
        read_timeout=_seconds(request.headers.get(READ_TIMEOUT)),
    )


def fingerprint(caller: str, path: str, *parts: bytes) -> str:
    """Return what two sendings of one call have in common, as 32 hex digits."""
    digest = blake2b(digest_size=16)
    for part in (caller.encode(), path.encode(), *parts):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def creation_fingerprint(caller: str, path: str, key: str | None, *said: bytes) -> str:
    """Return the fingerprint of a creation as ``store/repeats.py`` has it: its first half is its key's."""
    whole = fingerprint(caller, path, *said)
    return fingerprint(caller, path, key.encode())[:HALF] + whole[HALF:] if key else whole


def tries_before(request: Request) -> int:
    """Read how often a client has sent a request before; 0 where nothing says so."""
    text = request.headers.get(RETRY_COUNT, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0  # noqa: PLR2004 - digits


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "nan")
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None
