"""OpenAI Chat Completions: an answer becomes the neutral reply, and back."""

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.model.reply import Finish, Reply
from holdfast.model.request import ToolUse
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.openai import read_inner_error, write_arguments
from holdfast.wire.reading import natives
from holdfast.wire.replies import read_finish, read_usage, settle_finish, write_usage

# All finish reasons of openai 3.57. A test compares the keys with the SDK's own Literal.
FINISH: Mapping[str, Finish] = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "content_filter": Finish.REFUSED,
    "function_call": Finish.TOOL_CALLS,
}
# Seen from compatible servers.
COMPATIBLE_FINISH: Mapping[str, Finish] = {
    "eos": Finish.STOP,
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
}
ENDS = {**COMPATIBLE_FINISH, **FINISH}
REASONS: Mapping[Finish, str] = {
    Finish.STOP: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL_CALLS: "tool_calls",
    Finish.REFUSED: "content_filter",
}
FIGURES = ("prompt_tokens", "completion_tokens")


def read_reply(body: Any) -> Reply:
    """Read the body of a 200. Raises BadAnswer."""
    read_inner_error(body)
    match body:
        case {"choices": [{"message": dict(message)} as choice, *_]}:
            pass
        case _:
            raise BadAnswer("the answer is no chat completion.")
    text, refusal = _text(message.get("content")), _text(message.get("refusal"))
    finish = (
        Finish.REFUSED if refusal else read_finish(choice.get("finish_reason"), ENDS, "completion", "finish reason")
    )
    calls = tuple(_calls(message.get("tool_calls"), cut=finish is Finish.LENGTH))
    return Reply(
        text=text or refusal,
        tool_calls=calls,
        finish=settle_finish(finish, text, calls, "completion"),
        usage=read_usage(body.get("usage"), *FIGURES),
        model=str(body.get("model") or ""),
        native=_native(choice, message),
    )


def _text(content: Any) -> str:
    """Text of a message; some servers send it in parts."""
    match content:
        case None:
            return ""
        case str():
            return content
        case [*parts] if all(isinstance(part, dict) for part in parts):
            return "".join(str(part.get("text") or "") for part in parts)
    raise BadAnswer("the completion's content is no text.")


def _calls(calls: Any, *, cut: bool) -> list[ToolUse]:
    read: list[ToolUse] = []
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        match call:
            case {"function": {"name": str(name), **function}}:
                given = _arguments(function.get("arguments"))
            case _:
                raise BadAnswer("the completion holds a tool call of another shape.")
        if given is None and not cut:
            raise BadAnswer("the completion calls a tool with arguments that are no JSON object.")
        if given is not None:
            read.append(ToolUse(id=_id(call.get("id"), index, read), name=name, input=given))
    return read


def _id(given: Any, index: int, earlier: list[ToolUse]) -> str:
    """The call's id; a stand-in where a server sent none, or the same one twice."""
    if isinstance(given, str) and given and all(call.id != given for call in earlier):
        return given
    return f"call_{index}_{given}" if isinstance(given, str) and given else f"call_{index}"


def _arguments(given: Any) -> dict[str, Any] | None:
    """Arguments as text, as the format has it, or as the object itself, as some servers send it."""
    try:
        value = orjson.loads(given or "{}") if isinstance(given, str | None) else given
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _native(choice: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What was asked for beyond the answer itself: log probabilities, annotations, reasoning in words."""
    kept = {"logprobs": choice.get("logprobs")}
    kept |= {key: message.get(key) for key in ("annotations", "reasoning_content")}
    return natives(WIRE, {key: value for key, value in kept.items() if value})


def write_reply(reply: Reply, id_: str, created: int = 0) -> dict[str, Any]:
    """Write a reply as this API would have answered. ``id_`` without prefix, ``created`` in seconds."""
    native = reply.native.get(WIRE, {})
    kept: dict[str, Any] = {key: native[key] for key in ("annotations", "reasoning_content") if key in native}
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None, **kept}
    if reply.tool_calls:
        message["tool_calls"] = [_call(call) for call in reply.tool_calls]
    choice = {"index": 0, "message": message, "logprobs": native.get("logprobs")}
    return {
        "id": f"chatcmpl-{id_}",
        "object": "chat.completion",
        "created": created,
        "model": reply.model,
        "choices": [{**choice, "finish_reason": REASONS[reply.finish]}],
        "usage": write_usage(reply.usage, *FIGURES),
    }


def _call(call: ToolUse) -> dict[str, Any]:
    function = {"name": call.name, "arguments": write_arguments(call.input)}
    return {"id": call.id, "type": "function", "function": function}
