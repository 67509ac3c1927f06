"""Requests to what the tables hold, and back. Producers' text crosses here."""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Must, OnRefusal, Request, Strictness
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.store.codec import deflate, inflate
from holdfast.store.request_outline import ENVELOPE, read_head
from holdfast.wire.written import reread

SIZE = b'"size":%d,'  # in an envelope, where quotation marks inside of texts are escaped
NO_SIZE = SIZE % 0
# Fields of a Request that its line says, not its body.
TERMS: Mapping[str, Callable[[Any], Any]] = {
    "strictness": Strictness,
    "on_refusal": OnRefusal,
    "written_in": str,
    "must": lambda rules: tuple(map(Must.model_validate, rules)),
    "repair": bool,
}


def encode_request(lane: str, request: Request) -> tuple[bytes, str]:
    """The request as it is stored, and the hash that tells a repeated submit from another job under the same key.

    What was written goes into an envelope byte for byte. The neutral form keeps the order of its keys, leaves empty
    fields out, and has the same hash in any order. Raises InvalidRequest for what is no JSON.
    """
    said = _hash_of(lane)
    try:
        body = _neutral(request, said) if request.written is None else _envelope(request, request.written.body, said)
    except TypeError as error:
        raise InvalidRequest("request", f"cannot be stored: {error}.") from None
    return body, said.hexdigest()


def encode_edited(request: Request) -> bytes:
    """A request as it is stored once an operator has changed it."""
    said = blake2b()
    return _neutral(request, said) if request.written is None else _envelope(request, request.written.body, said)


class WrittenCopies:
    """Encodes requests that were written like another one but for their bodies: as ``encode_request`` does."""

    def __init__(self, lane: str, request: Request) -> None:
        self._before, self._after = _head(request, 0).split(NO_SIZE, 1)
        self._said = _hash_of(lane)

    def encode(self, body: bytes) -> tuple[bytes, str]:
        head, said = self._before + SIZE % len(body) + self._after, self._said.copy()
        said.update(head)
        said.update(body)
        return head + deflate(body), said.hexdigest()


class TextCopies:
    """Encodes plain requests that differ from another one in their texts: as ``encode_request`` does.

    Where its texts belong, ``request`` holds what ``mark_text(mark, place)`` returns, each once.
    """

    def __init__(self, lane: str, request: Request, mark: str) -> None:
        filled, self._said = _filled(request), _hash_of(lane)
        self._body = _TextPlaces(exact_json.dumps(filled), mark)
        self._canonical = _TextPlaces(exact_json.canonical(filled), mark)

    def encode(self, texts: Sequence[str]) -> tuple[bytes, str]:
        written, said = [exact_json.dumps(text)[1:-1] for text in texts], self._said.copy()
        said.update(self._canonical.fill(written))
        return deflate(self._body.fill(written)), said.hexdigest()


def mark_text(mark: str, place: int) -> str:
    """Return what stands for the text with this number."""
    return f"{mark}:{place};"


class _TextPlaces:
    """JSON that is filled with texts, in whatever order they stand there."""

    def __init__(self, marked: bytes, mark: str) -> None:
        first, *rest = re.split(rf"{mark}:(\d+);".encode(), marked)
        self._first, self._rest = first, list(zip(map(int, rest[::2]), rest[1::2], strict=True))

    def fill(self, texts: Sequence[bytes]) -> bytes:
        parts = [self._first]
        for place, following in self._rest:
            parts += (texts[place], following)
        return b"".join(parts)


def _hash_of(lane: str) -> blake2b:
    return blake2b(lane.encode() + b"\0", digest_size=16)


def _neutral(request: Request, said: blake2b) -> bytes:
    filled = _filled(request)
    said.update(exact_json.canonical(filled))
    return deflate(exact_json.dumps(filled))


def _filled(request: Request) -> dict[str, Any]:
    return {name: value for name, value in request.model_dump(mode="json").items() if value not in (None, [], {})}


def _envelope(request: Request, body: bytes, said: blake2b) -> bytes:
    head = _head(request, len(body))
    said.update(head)
    said.update(body)
    return head + deflate(body)


def _head(request: Request, size: int) -> bytes:
    """What stands before a written body of ``size`` bytes."""
    written = request.written
    assert written
    said_of_it = any(getattr(request, name) for name in TERMS)
    terms = request.model_dump(mode="json", include=set(TERMS), exclude_defaults=True) if said_of_it else {}
    about = {"api": written.api, "path": written.path, "headers": dict(written.headers), "terms": terms, "size": size}
    return b"".join((ENVELOPE, exact_json.canonical(about), b"\n"))


def decode_request(body: bytes) -> Request:
    """Read what ``encode_request`` of this version or of an earlier one has made. The reading is made anew."""
    if not body.startswith(ENVELOPE):
        return Request.model_validate_json(inflate(body))
    about, start = read_head(body)
    whole = inflate(memoryview(body)[start:], about["size"])
    written = WrittenRequest(Api(about["api"]), about["path"], whole, about["headers"])
    terms = {name: TERMS[name](value) for name, value in about["terms"].items()}
    return reread(written).model_copy(update=terms)
