"""OpenAI Responses: a whole answer as the events of a stream, for who asked for one.

Source: ``openai.types.responses.ResponseStreamEvent`` (3.57). An item that no event tells in parts comes whole,
with the events that begin and end it.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from holdfast.model import exact_json
from holdfast.wire.server_sent_events import pieces, write_event

Json = dict[str, Any]
ENDS: Mapping[str, str] = {"incomplete": "response.incomplete", "failed": "response.failed"}  # else: completed
# Items of one long text: its key, and what the events about it are called.
LONG: Mapping[str, tuple[str, str]] = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
    "mcp_call": ("arguments", "response.mcp_call_arguments"),
}
# Parts of a message and of reasoning that are texts: their key, and what the events about it are called.
TEXTS: Mapping[str, tuple[str, str]] = {
    "output_text": ("text", "response.output_text"),
    "refusal": ("refusal", "response.refusal"),
    "reasoning_text": ("text", "response.reasoning_text"),
}


def write_stream(body: bytes) -> Iterator[bytes]:
    """Yield the events of an answer. ``body`` is that of a call without ``stream``."""
    answer: Json = exact_json.loads(body, lenient=True)
    numbers = count()
    for event in _events(answer):
        yield write_event({**event, "sequence_number": next(numbers)}, event["type"])


def _events(answer: Json) -> Iterator[Json]:
    begun = {**answer, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(answer.get("output") or ()):
        yield from _item(item, index)
    yield {"type": ENDS.get(str(answer.get("status")), "response.completed"), "response": answer}


def _item(item: Json, index: int) -> Iterator[Json]:
    place = {"output_index": index}
    yield {"type": "response.output_item.added", **place, "item": _begun(item)}
    inside = place | {"item_id": item.get("id", "")}
    for number, part in enumerate(_list(item, "summary")):
        yield from _summary(part, inside | {"summary_index": number})
    for number, part in enumerate(_list(item, "content")):
        yield from _part(part, inside | {"content_index": number})
    key, name = LONG.get(str(item.get("type")), ("", ""))
    if isinstance(text := item.get(key), str):
        yield from ({"type": f"{name}.delta", **inside, "delta": piece} for piece in pieces(text))
        yield {"type": f"{name}.done", **inside, **({"name": item["name"]} if "name" in item else {}), key: text}
    yield {"type": "response.output_item.done", **place, "item": item}


def _begun(item: Json) -> Json:
    """An item before anything of it was said."""
    key, _ = LONG.get(str(item.get("type")), ("", ""))
    emptied: Json = {name: [] for name in ("summary", "content") if _list(item, name)}
    if isinstance(item.get(key), str):
        emptied[key] = ""
    return {**item, **emptied, **({"status": "in_progress"} if "status" in item else {})}


def _list(item: Json, key: str) -> list[Json]:
    found = item.get(key)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _summary(part: Json, place: Json) -> Iterator[Json]:
    yield {"type": "response.reasoning_summary_part.added", **place, "part": {**part, "text": ""}}
    yield from _text(str(part.get("text") or ""), "text", "response.reasoning_summary_text", place)
    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}


def _part(part: Json, place: Json) -> Iterator[Json]:
    key, name = TEXTS.get(str(part.get("type")), ("", ""))
    text = part.get(key)
    begun = part if not isinstance(text, str) else {**part, key: ""}
    yield {"type": "response.content_part.added", **place, "part": _without_marks(begun)}
    if isinstance(text, str):
        yield from _text(text, key, name, place, part.get("logprobs"))
        for number, mark in enumerate(_list(part, "annotations")):
            numbered = place | {"annotation_index": number, "annotation": mark}
            yield {"type": "response.output_text.annotation.added", **numbered}
    yield {"type": "response.content_part.done", **place, "part": part}


def _without_marks(part: Json) -> Json:
    return {**part, **{key: [] for key in ("annotations", "logprobs") if part.get(key)}}


def _text(text: str, key: str, name: str, place: Json, logprobs: Any = None) -> Iterator[Json]:
    """Yield a text in pieces, and then whole; how likely its tokens were comes with the first piece."""
    told: Json = {"logprobs": logprobs or []} if name == "response.output_text" else {}
    with_first = told
    for piece in pieces(text):
        yield {"type": f"{name}.delta", **place, "delta": piece, **with_first}
        with_first = {"logprobs": []} if told else {}
    yield {"type": f"{name}.done", **place, key: text, **told}
