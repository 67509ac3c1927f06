"""Anthropic Messages: an answer becomes the neutral reply, and back."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import ToolUse
from holdfast.wire.anthropic.read import WIRE
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.reading import natives
from holdfast.wire.replies import count, read_finish, settle_finish

# All stop reasons of anthropic 2.14. A test compares the keys with the SDK's own Literal.
FINISH: Mapping[str, Finish | FaultKind] = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.REFUSED,
    "pause_turn": FaultKind.BAD_ANSWER,  # only server tools pause, and those are refused before
    "model_context_window_exceeded": FaultKind.TOO_LONG,
}
STOP_REASONS: Mapping[Finish, str] = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.REFUSED: "refusal",
}
DETAILS = ("stop_sequence", "stop_details")  # what more the format says about the end
KEPT = ("thinking", "redacted_thinking")


def read_reply(body: Any) -> Reply:
    """Read the body of a 200. Raises BadAnswer."""
    if not isinstance(body, Mapping):
        raise BadAnswer("the answer is no JSON object.")
    if body.get("type") == "error":
        error = body.get("error")
        code = error.get("type") if isinstance(error, Mapping) else None
        raise BadAnswer("the provider told of a failure inside a 200.", provider_code=str(code) if code else None)
    blocks = body.get("content")
    if body.get("type") != "message" or not isinstance(blocks, list):
        raise BadAnswer("the answer is no message.")
    finish = read_finish(body.get("stop_reason"), FINISH, "message", "stop reason")
    text, calls, kept = _content(blocks)
    return Reply(
        text=text,
        tool_calls=calls,
        finish=settle_finish(finish, text, calls, "message"),
        usage=read_usage(body.get("usage")),
        model=str(body.get("model") or ""),
        native=natives(WIRE, _details(body, kept)),
    )


def _content(blocks: list[Any]) -> tuple[str, tuple[ToolUse, ...], list[Any]]:
    """Split the blocks into text, tool calls and what is bound to the provider."""
    texts: list[str] = []
    calls: list[ToolUse] = []
    kept: list[Any] = []
    for block in blocks:
        match block:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "tool_use", "id": str(call), "name": str(name), "input": dict(given)}:
                calls.append(ToolUse(id=call, name=name, input=given))
            case {"type": kind} if kind in KEPT:
                kept.append(block)
            case _:
                raise BadAnswer("the message holds a block that is not carried.")
    return "".join(texts), tuple(calls), kept


def _details(body: Mapping[str, Any], kept: list[Any]) -> dict[str, Any]:
    details = {key: body[key] for key in DETAILS if body.get(key) is not None}
    return details | ({"thinking": kept} if kept else {})


def read_usage(usage: Any) -> Usage:
    """Total input is the sum of three figures here. Without figures, the usage is marked as estimated."""
    if not isinstance(usage, Mapping) or not isinstance(usage.get("output_tokens"), int):
        return Usage(estimated=True)
    cached, written = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
    details = usage.get("output_tokens_details")
    return Usage(
        input=count(usage, "input_tokens") + cached + written,
        output=count(usage, "output_tokens"),
        cached=cached,
        cache_written=written,
        reasoning=count(details, "thinking_tokens"),
    )


def write_reply(reply: Reply, id_: str) -> dict[str, Any]:
    """Write a reply as this API would have answered. ``id_`` without prefix."""
    native = reply.native.get(WIRE, {})
    content: list[dict[str, Any]] = [*native.get("thinking", ())]
    if reply.text:
        content.append({"type": "text", "text": reply.text, "citations": None})
    content += [{"type": "tool_use", "id": c.id, "name": c.name, "input": c.input} for c in reply.tool_calls]
    ended_by = native.get("stop_sequence")
    return {
        "id": f"msg_{id_}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": "stop_sequence" if ended_by is not None else STOP_REASONS[reply.finish],
        "stop_sequence": ended_by,
        "stop_details": native.get("stop_details"),
        "usage": _usage(reply.usage),
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": max(0, usage.input - usage.cached - usage.cache_written),
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": usage.cache_written,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }
