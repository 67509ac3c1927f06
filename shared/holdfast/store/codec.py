"""Values to what the tables hold, and back; requests have a module of their own. Providers' text crosses here."""

import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel

from holdfast.model import exact_json
from holdfast.model.job import MappingNote, MappingReport, Need
from holdfast.store.micros import to_micros, to_seconds_or_none

if TYPE_CHECKING:
    from holdfast.model.reply import Reply, Usage

COMPRESS_ABOVE = 2048  # bytes
ZLIB_LEVEL = 1  # three times as fast as the default, for a tenth more bytes
ZLIB_FIRST_BYTE = 0x78  # JSON objects start with 0x7b, so the first byte says which it is


def encode_reply(reply: "Reply") -> bytes:
    return deflate(exact_json.dumps(reply, _plain))


def decode_reply(body: bytes | None) -> "Reply | None":
    if body is None:
        return None
    from holdfast.model.reply import Reply  # noqa: PLC0415 - slow to import, and most looks read none

    return Reply.model_validate(exact_json.loads(inflate(body), lenient=True))


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


def encode_usage(usage: "Usage") -> str:
    return usage.model_dump_json(exclude_defaults=True)


def decode_usage(text: str | None) -> "Usage | None":
    if text is None:
        return None
    from holdfast.model.reply import Usage  # noqa: PLC0415 - the same

    return Usage.model_validate_json(text)


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
