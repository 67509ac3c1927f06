"""OpenAI Chat Completions: a whole answer as the events of a stream, for who asked for one.

What an SDK accumulates of these events is the answer. Source: ``openai.types.chat.ChatCompletionChunk`` and
``openai.lib.streaming.chat`` (3.57), which merges deltas key by key; a value that comes once is taken as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.model import exact_json
from holdfast.wire.server_sent_events import pieces, write_event

Json = dict[str, Any]
DONE = b"data: [DONE]\n\n"
HEAD = ("id", "created", "model", "service_tier", "system_fingerprint")  # of every chunk
OF_CHOICE = ("message", "text", "logprobs", "finish_reason")  # told in parts, or at the end
TEXTS = ("reasoning_content", "reasoning", "content", "refusal")  # texts that come in pieces, in this order
CALLED: Mapping[str, str] = {"function": "arguments", "custom": "input"}  # kinds of calls, and what of each is long


def write_stream(body: bytes, *, usage: bool = False) -> Iterator[bytes]:
    """Yield the events of an answer, to a conversation or of the older completions.

    Args:
        body: The answer of a call without ``stream``.
        usage: Whether the call asked for the usage, which then comes last.
    """
    answer: Json = exact_json.loads(body, lenient=True)
    head = _head(answer) | ({"usage": None} if usage else {})
    first = {key: value for key, value in answer.items() if key not in {*HEAD, "object", "choices", "usage"}}
    for choice in answer.get("choices") or ():
        for part in _choice_parts(choice):
            yield write_event(head | first | {"choices": [{"index": choice.get("index", 0), **part}]})
            first = {}
    if usage:
        yield write_event(head | first | {"choices": [], "usage": answer.get("usage")})
    yield DONE


def _head(answer: Json) -> Json:
    is_text = answer.get("object") == "text_completion"
    named = {key: answer[key] for key in HEAD if key in answer}
    return named | {"object": "text_completion" if is_text else "chat.completion.chunk"}


def _choice_parts(choice: Json) -> Iterator[Json]:
    """Yield what is said of one choice, chunk by chunk."""
    rest = {key: value for key, value in choice.items() if key not in {*OF_CHOICE, "index"}}
    nothing: Json = {"text": ""} if "text" in choice else {"delta": {}}
    logprobs, end = choice.get("logprobs"), {"finish_reason": None}
    for part in _parts(choice):
        yield rest | part | {"logprobs": None} | end
        rest = {}
    if logprobs:
        yield nothing | {"logprobs": logprobs} | end
    yield rest | nothing | {"logprobs": None, "finish_reason": choice.get("finish_reason")}


def _parts(choice: Json) -> Iterator[Json]:
    if "text" in choice:
        yield from ({"text": piece} for piece in pieces(choice["text"] or ""))
        return
    message = choice.get("message") or {}
    yield {"delta": _whole(message)}
    yield from ({"delta": delta} for delta in _deltas(message))


def _whole(message: Json) -> Json:
    """What of a message comes at once, first: its role, and whatever nobody here knows."""
    texts = {key: value for key, value in message.items() if key in TEXTS}
    rest = {key: value for key, value in message.items() if key not in {*TEXTS, "role", "tool_calls", "function_call"}}
    begun = {key: "" if isinstance(value, str) else value for key, value in texts.items()}
    return {"role": message.get("role", "assistant"), **begun, **rest}


def _deltas(message: Json) -> Iterator[Json]:
    for key in TEXTS:
        if isinstance(text := message.get(key), str):
            yield from ({key: piece} for piece in pieces(text))
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield from ({"tool_calls": [{"index": index, **delta}]} for delta in _call_deltas(call))
    if isinstance(called := message.get("function_call"), dict):
        yield from ({"function_call": delta} for delta in _in_pieces(called, "arguments"))


def _call_deltas(call: Json) -> Iterator[Json]:
    """Yield a call of a tool: its names at once, then what it is called with in pieces."""
    for kind, long in CALLED.items():
        if isinstance(inner := call.get(kind), dict):
            begun, *rest = _in_pieces(inner, long)
            yield {**call, kind: begun}
            yield from ({kind: delta} for delta in rest)
            return
    yield call


def _in_pieces(value: Json, long: str) -> Iterator[Json]:
    text = value.get(long)
    if not isinstance(text, str):
        yield value
        return
    yield {**value, long: ""}
    yield from ({long: piece} for piece in pieces(text))
