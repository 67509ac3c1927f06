"""OpenAI Chat Completions: an answer becomes the neutral reply, and back."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.reply import Finish, Reply
from holdfast.model.request import ToolUse
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.call_ids import CHAT_IDS
from holdfast.wire.finishes import read_end
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.reply_arguments import write_arguments
from holdfast.wire.reply_builder import ReplyBuilder, left_of, texts_of
from holdfast.wire.told_failure import refuse_told_failure
from holdfast.wire.usages import figure, read_usage, write_usage

# All finish reasons of openai 3.57. A test compares the keys with the SDK's own Literal.
FINISH: Mapping[str, Finish] = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "content_filter": Finish.REFUSED,
    "function_call": Finish.TOOL_CALLS,
}
REASONS: Mapping[Finish, str] = {
    Finish.STOP: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL_CALLS: "tool_calls",
    Finish.REFUSED: "content_filter",
    Finish.OTHER: "stop",
}
FIGURES = ("prompt_tokens", "completion_tokens")
READ = frozenset({"role", "content", "refusal", "tool_calls", "function_call"})  # of a message; the rest is native
READ_OF_CALL = frozenset({"id", "type", "index", "function", "custom"})
BLOCKED = ("prompt_feedback", "promptFeedback", "prompt_filter_results", "prompt_annotations")  # Google's, Azure's


def read_reply(body: Any) -> Reply:
    """Read the body of a 200. Raises BadAnswer."""
    refuse_told_failure(body, answer="choices")
    match body:
        case {"choices": [dict(choice), *_] as choices}:
            return _read_choice(choice, body, len(choices))
        case {"choices": []} if _turned_away(body):
            blocked = ReplyBuilder(WIRE, "completion", read_end("content_filter", FINISH, "completion"))
            blocked.report.change("reply.finish", "taken as a refusal: the prompt was turned away without a choice")
            return blocked.reply(body.get("model"), read_usage(body.get("usage"), *FIGURES), {}, choices=0)
    raise BadAnswer("the answer is no chat completion.")


def _turned_away(body: Mapping[str, Any]) -> bool:
    """Whether the prompt was: it was counted, and nothing was made of it, or the server says so in its own field."""
    usage = body.get("usage")
    return any(body.get(key) for key in BLOCKED) or bool(figure(usage, FIGURES[0]) and not figure(usage, FIGURES[1]))


def _read_choice(choice: Mapping[str, Any], body: Mapping[str, Any], choices: int) -> Reply:
    refuse_told_failure(choice, answer="message")  # OpenRouter's errors in the middle of an answer
    end = read_end(choice.get("finish_reason"), FINISH, "completion")
    message = choice.get("message")
    if message is None and end.finish is Finish.REFUSED:
        message = {}
    if not isinstance(message, dict):
        raise BadAnswer("the answer is no chat completion.")
    built = ReplyBuilder(WIRE, "completion", end, body.get("id"))
    _hear(built, message)
    kept = {key: value for key, value in left_of(message, READ).items() if value}
    if logprobs := choice.get("logprobs"):
        kept = {"logprobs": logprobs} | kept
    return built.reply(body.get("model"), read_usage(body.get("usage"), *FIGURES), kept, choices)


def _hear(built: ReplyBuilder, message: Mapping[str, Any]) -> None:
    _hear_content(built, message.get("content"))
    if refusal := message.get("refusal"):
        built.refusals.append(refusal if isinstance(refusal, str) else "")
    _hear_reasoning(built, message)
    match message.get("audio"):
        case {"transcript": str(words)}:
            built.texts += [words] if not built.texts else []
            built.holds_more = True
    calls = message.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        _hear_call(built, call, index)
    if not calls and isinstance(function := message.get("function_call"), Mapping):
        built.call(None, function.get("name"), function.get("arguments"), {})


def _hear_content(built: ReplyBuilder, content: Any) -> None:
    """Text, or parts of it: Mistral's models think in parts, others show pictures."""
    if isinstance(content, str):
        built.texts += [content] if content else []
    elif isinstance(content, list):
        for index, part in enumerate(content):
            _hear_part(built, part, index)
    elif content is not None:
        raise BadAnswer("the completion's content is no text.")


def _hear_part(built: ReplyBuilder, part: Any, index: int) -> None:
    match part:
        case {"type": "text" | "output_text", "text": str(text)} | str(text):
            built.texts.append(text)
        case {"type": "refusal", "refusal": str(text)}:
            built.refusals.append(text)
        case {"type": "thinking" | "reasoning" as kind}:
            built.reasoning += _words(part.get(kind)) or _words(part.get("text"))
            built.holds_more = True
        case {"type": kind}:
            built.unread(f"content[{index}]", kind)
        case {"text": str(text)}:
            built.texts.append(text)
        case _:
            built.unread(f"content[{index}]", None)


def _words(told: Any) -> list[str]:
    """Reasoning in words: a text, or parts of it. None where it says nothing."""
    texts = [told] if isinstance(told, str) else texts_of(told)
    return [text for text in texts if text]


def _hear_reasoning(built: ReplyBuilder, message: Mapping[str, Any]) -> None:
    """Take the reasoning from the first field that tells it in words; several servers tell it twice.

    ``reasoning_content``: DeepSeek, Qwen, vLLM, SGLang, llama.cpp; ``reasoning``: Groq, OpenRouter, newer vLLM, Ollama;
    ``reasoning_details``: OpenRouter (their API references, "Reasoning").
    """
    details = message.get("reasoning_details")
    built.reasoning += (
        _words(message.get("reasoning_content"))
        or _words(message.get("reasoning"))
        or [*texts_of(details), *texts_of(details, "summary")]
    )


def _hear_call(built: ReplyBuilder, call: Any, index: int) -> None:
    match call:
        case {"function": dict(function)}:
            built.call(call.get("id"), function.get("name"), function.get("arguments"), left_of(call, READ_OF_CALL))
        case {"type": "custom", "custom": dict(custom)}:
            built.call_with_text(call.get("id"), custom.get("name"), custom.get("input"), left_of(call, READ_OF_CALL))
        case dict():
            built.asks = True
            built.unread(f"tool_calls[{index}]", call.get("type"))
        case _:
            built.unread(f"tool_calls[{index}]", None)


def write_reply(reply: Reply, id_: str, created: int = 0) -> dict[str, Any]:
    """Write a reply as this API would have answered. ``id_`` without prefix, ``created`` in seconds."""
    kept = dict(reply.native.get(WIRE, {}))
    logprobs = kept.pop("logprobs", None)
    refused = reply.finish is Finish.REFUSED and bool(reply.text)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused else reply.text or None,
        "refusal": reply.text if refused else None,
        **kept,
    }
    if reply.tool_calls:
        message["tool_calls"] = [_call(call) for call in reply.tool_calls]
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": _reason(reply)}
    return {
        "id": f"chatcmpl-{id_}",
        "object": "chat.completion",
        "created": created,
        "model": reply.model,
        "choices": [choice],
        "usage": write_usage(reply.usage, *FIGURES),
    }


def _reason(reply: Reply) -> str:
    """The word for the end: the provider's own where it is one of this format and means the same."""
    word = reply.finish_word or ""
    return word if FINISH.get(word) is reply.finish else REASONS[reply.finish]


def _call(call: ToolUse) -> dict[str, Any]:
    native = call.native.get(WIRE, {})
    named = {"id": CHAT_IDS.fit(call.id), "type": "function", **native}
    if native.get("type") == "custom":
        return {**named, "custom": {"name": call.name, "input": call.input}}
    return {**named, "function": {"name": call.name, "arguments": write_arguments(call.input)}}
