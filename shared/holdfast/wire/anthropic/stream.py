"""Anthropic Messages: a whole answer as the events of a stream, for who asked for one.

What an SDK accumulates of these events is the answer. Events, their order and their deltas are those of
``anthropic.types.RawMessageStreamEvent`` (2.14) and its beta; a block that is streamed in no parts starts whole.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.model import exact_json
from holdfast.wire.server_sent_events import pieces, write_event

Json = dict[str, Any]
PING = write_event({"type": "ping"}, "ping")
CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
ENDS = ("stop_reason", "stop_sequence", "stop_details")  # null until the end is known
END_FACTS = (*ENDS, "container")  # MessageDelta
LATE_FACTS = ("context_management", "input_transformations")  # of the beta, beside the delta
LATE_USAGE = (  # MessageDeltaUsage, and what more the beta has; each is a total
    "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens", "server_tool_use",
    "output_tokens_details", "iterations", "fallback_credit",
)  # fmt: skip


def write_stream(body: bytes) -> Iterator[bytes]:
    """Yield the events of a message, one at a time. ``body`` is the answer of a call without ``stream``."""
    message: Json = exact_json.loads(body, lenient=True)
    yield _event({"type": "message_start", "message": _begun(message)})
    for index, block in enumerate(message.get("content") or ()):
        yield from _block_events(index, block)
    yield _event(_message_delta(message))
    yield _event({"type": "message_stop"})


def write_stream_error(error: Json) -> bytes:
    """Write an error that came when the stream had begun, and no status can tell of it any more."""
    return write_event(error, "error")


def _event(data: Json) -> bytes:
    return write_event(data, data["type"])


def _begun(message: Json) -> Json:
    usage = _usage(message) | {"output_tokens": 0}
    return {**message, "content": [], **_unknown_end(message), "usage": usage}


def _unknown_end(message: Json) -> Json:
    return {"stop_reason": None, "stop_sequence": None} | {key: None for key in ENDS if key in message}


def _usage(message: Json) -> Json:
    usage = message.get("usage")
    return {"input_tokens": 0, "output_tokens": 0} | (usage if isinstance(usage, dict) else {})


def _message_delta(message: Json) -> Json:
    usage = _usage(message)
    return {
        "type": "message_delta",
        "delta": {"stop_reason": None, "stop_sequence": None} | _given(message, END_FACTS),
        "usage": {key: usage[key] for key in LATE_USAGE if key in usage},
        **_given(message, LATE_FACTS),
    }


def _given(message: Json, keys: tuple[str, ...]) -> Json:
    return {key: message[key] for key in keys if message.get(key) is not None}


def _block_events(index: int, block: Json) -> Iterator[bytes]:
    begun, deltas = _parts(block)
    yield _event({"type": "content_block_start", "index": index, "content_block": begun})
    for delta in deltas:
        yield _event({"type": "content_block_delta", "index": index, "delta": delta})
    yield _event({"type": "content_block_stop", "index": index})


def _parts(block: Json) -> tuple[Json, Iterator[Json]]:
    """Return how a block begins, and what is added to it until it is whole."""
    match block:
        case {"type": "text", "text": str(text)}:
            return _text_begun(block), _text_deltas(text, block)
        case {"type": "thinking", "thinking": str(text)}:
            return _emptied(block, "thinking", "signature"), _thinking_deltas(text, block)
        case {"type": str(kind), "input": dict(given)} if kind in CALLS:
            return {**block, "input": {}}, _input_deltas(given)
        case {"type": "compaction"}:
            return {**block, "content": None}, iter([_compaction_delta(block)])
    return block, iter(())


def _emptied(block: Json, *texts: str) -> Json:
    return {**block, **{key: "" for key in texts if isinstance(block.get(key), str)}}


def _text_begun(block: Json) -> Json:
    return _emptied(block, "text") | ({"citations": []} if block.get("citations") else {})


def _text_deltas(text: str, block: Json) -> Iterator[Json]:
    yield from ({"type": "text_delta", "text": piece} for piece in pieces(text))
    yield from ({"type": "citations_delta", "citation": each} for each in block.get("citations") or ())


def _thinking_deltas(text: str, block: Json) -> Iterator[Json]:
    yield from ({"type": "thinking_delta", "thinking": piece} for piece in pieces(text))
    if block.get("signature"):
        yield {"type": "signature_delta", "signature": block["signature"]}


def _input_deltas(given: Mapping[str, Any]) -> Iterator[Json]:
    written = exact_json.dumps(given).decode()
    yield from ({"type": "input_json_delta", "partial_json": piece} for piece in pieces(written))


def _compaction_delta(block: Json) -> Json:
    return {"type": "compaction_delta", **{key: block[key] for key in ("content", "encrypted_content") if key in block}}
