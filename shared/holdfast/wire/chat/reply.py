"""OpenAI Chat Completions: an answer is taken apart, and becomes the neutral reply."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.reply import Finish, Reply
from holdfast.wire.answer_parts import (
    AnswerText,
    Located,
    Path,
    ReadAnswer,
    WebCitation,
    figures_of,
    read_logprobs,
    read_shared,
    read_span,
    said_figures,
)
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.finishes import read_end
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.reply_builder import ReplyBuilder, left_of, texts_of
from holdfast.wire.told_failure import refuse_told_failure
from holdfast.wire.usages import figure, read_usage

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
REASONING = ("reasoning_content", "reasoning", "reasoning_details")
FIRST: Path = ("choices", 0)
MESSAGE: Path = (*FIRST, "message")
BLOCKED = ("prompt_feedback", "promptFeedback", "prompt_filter_results", "prompt_annotations")  # Google's, Azure's


def read_reply(body: Any) -> Reply:
    """Read the body of a 200. Raises BadAnswer."""
    return _read(body)[1]


def read_answer(body: Any) -> ReadAnswer:
    """Take the body of a 200 apart: its first choice. Raises BadAnswer."""
    built, reply = _read(body)
    return built.answer(reply, _said(body, reply), read_shared(body, "created"))


def _read(body: Any) -> tuple[ReplyBuilder, Reply]:
    refuse_told_failure(body, answer="choices")
    match body:
        case {"choices": [dict(choice), *_] as choices}:
            return _read_choice(choice, body, len(choices))
        case {"choices": []} if _turned_away(body):
            blocked = ReplyBuilder(WIRE, "completion", read_end("content_filter", FINISH, "completion"))
            blocked.report.change("reply.finish", "taken as a refusal: the prompt was turned away without a choice")
            usage = read_usage(body.get("usage"), *FIGURES)
            return blocked, blocked.reply(body.get("model"), usage, {}, choices=0)
    raise BadAnswer("the answer is no chat completion.")


def _said(body: Mapping[str, Any], reply: Reply) -> list[Path]:
    """What every format says of the completion itself. The word for the end, where it is the plain one."""
    paths: list[Path] = [("object",), (*FIRST, "index"), (*MESSAGE, "role")]
    paths += [("model",)] * (body.get("model") == reply.model)
    plain = REASONS[Finish.STOP if reply.finish is Finish.REFUSED and reply.text else reply.finish]
    paths += [(*FIRST, "finish_reason")] * (reply.finish_word in {plain, REASONS[reply.finish]})
    return paths + said_figures(body.get("usage"), ("usage",), figures_of(reply.usage, *FIGURES))


def _turned_away(body: Mapping[str, Any]) -> bool:
    """Whether the prompt was: it was counted, and nothing was made of it, or the server says so in its own field."""
    usage = body.get("usage")
    return any(body.get(key) for key in BLOCKED) or bool(figure(usage, FIGURES[0]) and not figure(usage, FIGURES[1]))


def _read_choice(choice: Mapping[str, Any], body: Mapping[str, Any], choices: int) -> tuple[ReplyBuilder, Reply]:
    refuse_told_failure(choice, answer="message")  # OpenRouter's errors in the middle of an answer
    end = read_end(choice.get("finish_reason"), FINISH, "completion")
    message = choice.get("message")
    if message is None and end.finish is Finish.REFUSED:
        message = {}
    if not isinstance(message, dict):
        raise BadAnswer("the answer is no chat completion.")
    built = ReplyBuilder(WIRE, "completion", end, body.get("id"))
    logprobs = choice.get("logprobs")
    _hear(built, message, logprobs if isinstance(logprobs, dict) else {})
    kept = {key: value for key, value in left_of(message, READ).items() if value}
    if logprobs:
        kept = {"logprobs": logprobs} | kept
    return built, built.reply(body.get("model"), read_usage(body.get("usage"), *FIGURES), kept, choices)


def _hear(built: ReplyBuilder, message: Mapping[str, Any], logprobs: Mapping[str, Any]) -> None:
    _hear_reasoning(built, message)
    _hear_content(built, message, read_logprobs(logprobs.get("content"), (*FIRST, "logprobs", "content")))
    if refusal := message.get("refusal"):
        tokens = read_logprobs(logprobs.get("refusal"), (*FIRST, "logprobs", "refusal"))
        words = refusal if isinstance(refusal, str) else ""
        built.say(AnswerText(words, ((*MESSAGE, "refusal"),) if words else (), is_refusal=True, logprobs=tokens))
    calls = message.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        _hear_call(built, call, index)
    if not calls and isinstance(function := message.get("function_call"), Mapping):
        at = (*MESSAGE, "function_call")
        built.call(None, function.get("name"), function.get("arguments"), {}, at, (*at, "name"), (*at, "arguments"))


def _hear_content(built: ReplyBuilder, message: Mapping[str, Any], logprobs: Located | None) -> None:
    """Text, or parts of it: Mistral's models think in parts, others show pictures. Of sound, its transcript."""
    content, at = message.get("content"), (*MESSAGE, "content")
    match content, message.get("audio"):
        case ((None | "" | []), {"transcript": str(words)}):
            built.holds_more = True
            built.say(AnswerText(words, ((*MESSAGE, "audio", "transcript"),)))
        case str(text), _:
            built.say(AnswerText(text, (at,), False, _citations(message.get("annotations")), logprobs))
        case list(parts), _:
            for index, part in enumerate(parts):
                _hear_part(built, part, index)
        case unread, _ if unread is not None:
            raise BadAnswer("the completion's content is no text.")


def _citations(given: Any) -> tuple[WebCitation, ...]:
    """The pages that the text is taken from, where each is told in whole."""
    found: list[WebCitation] = []
    for index, each in enumerate(given if isinstance(given, list) else ()):
        match each:
            case {"type": "url_citation", "url_citation": {"url": str(url), "title": str(title), **where}}:
                at = (*MESSAGE, "annotations", index)
                keys = ("url", "title", "start_index", "end_index")
                paths = ((*at, "type"), *((*at, "url_citation", key) for key in keys))
                if (span := read_span(where)) is not None:
                    found.append(WebCitation(url, title, *span, paths))
    return tuple(found)


def _hear_part(built: ReplyBuilder, part: Any, index: int) -> None:
    at: Path = (*MESSAGE, "content", index)
    match part:
        case str(text):
            built.say(AnswerText(text, (at,)))
        case {"type": "text" | "output_text", "text": str(text)}:
            built.say(AnswerText(text, ((*at, "type"), (*at, "text"))))
        case {"type": "refusal", "refusal": str(text)}:
            built.say(AnswerText(text, ((*at, "type"), (*at, "refusal")), is_refusal=True))
        case {"type": "thinking" | "reasoning" as kind}:
            words = _words(part.get(kind)) or _words(part.get("text"))
            said = ((*at, "type"), (*at, kind)) if isinstance(part.get(kind), str) else ((*at, "type"),)
            built.think(words, {"content": [part]}, *said)
        case {"type": kind}:
            built.unread(f"content[{index}]", kind)
        case {"text": str(text)}:
            built.say(AnswerText(text, ((*at, "text"),)))
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
    words = (
        _words(message.get("reasoning_content"))
        or _words(message.get("reasoning"))
        or [*texts_of(details), *texts_of(details, "summary")]
    )
    if words or details:
        block = {key: message[key] for key in REASONING if message.get(key)}
        built.think(words, block, *((*MESSAGE, key) for key in REASONING[:2] if [message.get(key)] == words))


def _hear_call(built: ReplyBuilder, call: Any, index: int) -> None:
    at: Path = (*MESSAGE, "tool_calls", index)
    match call:
        case {"function": dict(function)}:
            said, left = _said_of(at, "function", "arguments"), left_of(call, READ_OF_CALL)
            built.call(call.get("id"), function.get("name"), function.get("arguments"), left, *said)
        case {"type": "custom", "custom": dict(custom)}:
            said, left = _said_of(at, "custom", "input"), left_of(call, READ_OF_CALL)
            built.call_with_text(call.get("id"), custom.get("name"), custom.get("input"), left, *said)
        case dict():
            built.asks = True
            built.unread(f"tool_calls[{index}]", call.get("type"))
        case _:
            built.unread(f"tool_calls[{index}]", None)


def _said_of(at: Path, kind: str, arguments: str) -> tuple[Path, ...]:
    return ((*at, "id"), (*at, "type"), (*at, "index"), (*at, kind, "name"), (*at, kind, arguments))
