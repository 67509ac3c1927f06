"""Anthropic Messages: an answer as this API would have given it, whoever gave it."""

from collections.abc import Iterator
from typing import Any

from holdfast.model.reply import Reply, Usage
from holdfast.wire.answer_parts import (
    AnswerCall,
    AnswerPart,
    AnswerReasoning,
    AnswerText,
    Path,
    ReadAnswer,
    parts_of,
)
from holdfast.wire.anthropic.read import WIRE
from holdfast.wire.anthropic.reply import FINISH, STOP_REASONS
from holdfast.wire.call_ids import ANTHROPIC_IDS
from holdfast.wire.returned_reasoning import seal

Block = dict[str, Any]


def write_reply(reply: Reply, id_: str, created: int = 0) -> Block:  # noqa: ARG001 - this API tells no time
    """Write a reading alone as this API would have answered, where the body is not kept. ``id_`` without prefix."""
    native = reply.native.get(WIRE, {})
    content = native.get("content") or list(_content(parts_of(reply), "", set()))
    return _message(reply, id_, content, native)


def write_answer(answer: ReadAnswer, wire: str, id_: str, said: set[Path]) -> Block:
    """Write an answer of the format ``wire``, and put the places of what this API can say of it into ``said``."""
    said.update(answer.paths)
    return _message(answer.reply, id_, list(_content(answer.parts, wire, said)), {})


def _message(reply: Reply, id_: str, content: list[Block], native: Block) -> Block:
    reason, ended_by = _reason(reply), native.get("stop_sequence")
    return {
        "id": f"msg_{id_}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": ended_by if reason == "stop_sequence" else None,
        "stop_details": native.get("stop_details"),
        "container": native.get("container"),
        "usage": _usage(reply.usage),
    }


def _content(parts: tuple[AnswerPart, ...], wire: str, said: set[Path]) -> Iterator[Block]:
    for part in parts:
        said.update(part.paths)
        match part:
            case AnswerText(text):
                yield {"type": "text", "text": text, "citations": None}
            case AnswerReasoning("", block):
                yield {"type": "redacted_thinking", "data": seal(wire, block)}
            case AnswerReasoning(words, block):
                yield {"type": "thinking", "thinking": words, "signature": seal(wire, block)}
            case AnswerCall():
                yield _call(part, said)


def _call(part: AnswerCall, said: set[Path]) -> Block:
    use, id_ = part.use, ANTHROPIC_IDS.fit(part.use.id)
    if part.id_path is not None and id_ == use.id:
        said.add(part.id_path)
    given = use.input if isinstance(use.input, dict) else {"input": use.input}  # a custom tool takes text
    return {"type": "tool_use", "id": id_, "name": use.name, "input": given, **use.native.get(WIRE, {})}


def _reason(reply: Reply) -> str:
    """The word for the end: the provider's own where it is one of this format and means the same."""
    word = reply.finish_word or ""
    return word if FINISH.get(word) is reply.finish else STOP_REASONS[reply.finish]


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": max(0, usage.input - usage.cached - usage.cache_written),
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": usage.cache_written,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }
