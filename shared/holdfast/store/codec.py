"""Values to what the tables hold, and back. Producers' and providers' text crosses here."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

import orjson
from pydantic import BaseModel

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import MappingNote, MappingReport, Need, NewJob
from holdfast.model.reply import Reply, Usage
from holdfast.model.request import OnRefusal, Request, Strictness
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.store.micros import to_micros, to_seconds_or_none
from holdfast.wire.written import reread

COMPRESS_ABOVE = 2048  # bytes
ZLIB_LEVEL = 1  # three times as fast as the default, for a tenth more bytes
ZLIB_FIRST_BYTE = 0x78  # JSON objects start with 0x7b, so the first byte says which it is
ENVELOPE = b"\x01"  # begins a request as it was written: its terms as JSON, a line feed, its body, deflated when large
# Fields of a Request that its line says, not its body.
TERMS: Mapping[str, Callable[[str], Any]] = {"strictness": Strictness, "on_refusal": OnRefusal, "written_in": str}


def encode_request(job: NewJob) -> tuple[bytes, str]:
    """The request as it is stored, and the hash that tells a repeated submit from another job under the same key.

    What was written goes into an envelope byte for byte. The neutral form keeps the order of its keys, leaves empty
    fields out, and has the same hash in any order. Raises InvalidRequest for what is no JSON.
    """
    said = blake2b(job.lane.encode() + b"\0", digest_size=16)
    try:
        body = _neutral(job.request, said) if job.request.written is None else _envelope(job.request, said)
    except TypeError as error:
        raise InvalidRequest(f"job {job.id}", f"the request cannot be stored: {error}.") from None
    return body, said.hexdigest()


def _neutral(request: Request, said: blake2b) -> bytes:
    filled = {name: value for name, value in request.model_dump(mode="json").items() if value not in (None, [], {})}
    said.update(exact_json.canonical(filled))
    return deflate(exact_json.dumps(filled))


def _envelope(request: Request, said: blake2b) -> bytes:
    written = request.written
    assert written
    terms = {name: value for name in TERMS if (value := getattr(request, name)) is not None}
    about: dict[str, Any] = {"api": written.api, "path": written.path, "headers": dict(written.headers), "terms": terms}
    about["size"] = len(written.body)
    head = b"".join((ENVELOPE, exact_json.canonical(about), b"\n"))
    for part in (head, written.body):
        said.update(part)
    return head + deflate(written.body)


def decode_request(body: bytes) -> Request:
    """Read what ``encode_request`` of this version or of an earlier one has made. The reading is made anew."""
    if not body.startswith(ENVELOPE):
        return Request.model_validate_json(inflate(body))
    end = body.index(b"\n")
    about = exact_json.loads(body[len(ENVELOPE) : end])
    whole = inflate(memoryview(body)[end + 1 :], about["size"])
    written = WrittenRequest(Api(about["api"]), about["path"], whole, about["headers"])
    terms = {name: TERMS[name](value) for name, value in about["terms"].items()}
    return reread(written).model_copy(update=terms)


def encode_reply(reply: Reply) -> bytes:
    return deflate(exact_json.dumps(reply, _plain))


def decode_reply(body: bytes | None) -> Reply | None:
    return None if body is None else Reply.model_validate(exact_json.loads(inflate(body), lenient=True))


def _plain(value: Any) -> Any:
    """What a reply holds besides JSON. Pydantic's own writer gives up at 255 levels and makes null of NaN."""
    fields = vars(value) if isinstance(value, BaseModel) else asdict(value)
    return {name: each for name, each in fields.items() if each is not None}


def encode_body(body: bytes) -> bytes:
    """Any bytes, compressed when large; what begins as compressed ones do is compressed too, so ``inflate`` knows."""
    return zlib.compress(body, ZLIB_LEVEL) if body[:1] == bytes([ZLIB_FIRST_BYTE]) else deflate(body)


def deflate(body: bytes) -> bytes:
    return zlib.compress(body, ZLIB_LEVEL) if len(body) > COMPRESS_ABOVE else body


def inflate(body: bytes | memoryview, size: int = zlib.DEF_BUF_SIZE) -> bytes:
    """``size``: of what comes out, where that is known: then no more memory is taken."""
    return zlib.decompress(body, bufsize=size) if body[:1] == bytes([ZLIB_FIRST_BYTE]) else bytes(body)


def encode_usage(usage: Usage) -> str:
    return usage.model_dump_json(exclude_defaults=True)


def decode_usage(text: str | None) -> Usage | None:
    return None if text is None else Usage.model_validate_json(text)


def encode_labels(labels: Mapping[str, str]) -> str | None:
    return orjson.dumps(dict(labels)).decode() if labels else None


def decode_labels(text: str | None) -> Mapping[str, str]:
    read: dict[str, str] = orjson.loads(text) if text else {}
    return read


def encode_mapping(report: MappingReport) -> str | None:
    changes = [[change.field, change.note] for change in report.notes]
    return orjson.dumps(changes).decode() if changes else None


def decode_mapping(text: str | None) -> tuple[MappingNote, ...]:
    return tuple(MappingNote(field, note) for field, note in orjson.loads(text)) if text else ()


def encode_avoid(avoid: Mapping[str, float | None], now: int) -> str | None:
    """Seconds from ``now`` (microseconds) become dates; None, for ever, stays null."""
    dates = {route: None if seconds is None else now + to_micros(seconds) for route, seconds in avoid.items()}
    return orjson.dumps(dates).decode() if dates else None


def decode_need(row: Any) -> Need:
    """The need of a job's row, of which ``input_tokens``, ``output_tokens``, ``avoid`` and ``expires_at`` are told."""
    dates: dict[str, int | None] = orjson.loads(row.avoid) if row.avoid else {}
    avoid = {route: to_seconds_or_none(date) for route, date in dates.items()}
    return Need(row.input_tokens, row.output_tokens, avoid, to_seconds_or_none(row.expires_at))
