"""OpenAI Chat Completions: an answer as this API would have given it, whoever gave it."""

from typing import Any

from holdfast.model.reply import Finish, Reply
from holdfast.wire.answer_parts import (
    AnswerCall,
    AnswerPart,
    AnswerText,
    Located,
    Path,
    ReadAnswer,
    WebCitation,
    joined,
    parts_of,
    say_shared,
)
from holdfast.wire.arguments import write_arguments
from holdfast.wire.call_ids import CHAT_IDS
from holdfast.wire.chat.reply import FIGURES, FINISH, REASONS
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.usages import write_usage

Body = dict[str, Any]


def write_reply(reply: Reply, id_: str, created: int = 0) -> Body:
    """Write a reading alone as this API would have answered, where the body is not kept.

    ``id_`` without prefix, ``created`` in seconds.
    """
    kept = dict(reply.native.get(WIRE, {}))
    choice = {"logprobs": kept.pop("logprobs")} if "logprobs" in kept else {}
    return _completion(reply, id_, created, _choice(reply, parts_of(reply), set(), kept) | choice)


def write_answer(answer: ReadAnswer, wire: str, id_: str, said: set[Path]) -> Body:  # noqa: ARG001 - no reasoning here
    """Write an answer of the format ``wire``, and put the places of what this API can say of it into ``said``."""
    shared = say_shared(answer, said)
    choice = _choice(answer.reply, answer.parts, said, {})
    return _completion(answer.reply, id_, shared.pop("created"), choice) | shared


def _completion(reply: Reply, id_: str, created: int, choice: Body) -> Body:
    return {
        "id": f"chatcmpl-{id_}",
        "object": "chat.completion",
        "created": created,
        "model": reply.model,
        "choices": [choice],
        "usage": write_usage(reply.usage, *FIGURES),
    }


def _choice(reply: Reply, parts: tuple[AnswerPart, ...], said: set[Path], kept: Body) -> Body:
    texts = [part for part in parts if isinstance(part, AnswerText)]
    spoken = joined([part for part in texts if not part.is_refusal])
    refused = joined([part for part in texts if part.is_refusal])
    said.update(spoken.paths, refused.paths)
    message: Body = {"role": "assistant", "content": spoken.text or None, "refusal": refused.text or None, **kept}
    if spoken.citations:
        message["annotations"] = [_annotation(each, said) for each in spoken.citations]
    if calls := [_call(part, said) for part in parts if isinstance(part, AnswerCall)]:
        message["tool_calls"] = calls
    tokens = {"content": _tokens(spoken.logprobs, said), "refusal": _tokens(refused.logprobs, said)}
    logprobs = tokens if any(tokens.values()) else None
    reason = _reason(reply, is_worded=bool(refused.text))
    return {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": reason}


def _annotation(citation: WebCitation, said: set[Path]) -> Body:
    said.update(citation.paths)
    span = {"start_index": citation.start, "end_index": citation.end}
    return {"type": "url_citation", "url_citation": {"url": citation.url, "title": citation.title, **span}}


def _tokens(logprobs: Located | None, said: set[Path]) -> list[Any] | None:
    said.update(logprobs.paths if logprobs else ())
    return logprobs.value if logprobs else None


def _reason(reply: Reply, *, is_worded: bool) -> str:
    """The word for the end: the provider's own where it is one of this format and means the same.

    A refusal in words ends as any answer does.
    """
    if is_worded and reply.finish is Finish.REFUSED:
        return REASONS[Finish.STOP]
    word = reply.finish_word or ""
    return word if FINISH.get(word) is reply.finish else REASONS[reply.finish]


def _call(part: AnswerCall, said: set[Path]) -> Body:
    use, id_ = part.use, CHAT_IDS.fit(part.use.id)
    said.update(part.paths, (part.id_path,) if part.id_path is not None and id_ == use.id else ())
    named = {"id": id_, "type": "function", **use.native.get(WIRE, {})}
    if isinstance(use.input, str):
        return {**named, "type": "custom", "custom": {"name": use.name, "input": use.input}}
    return {**named, "function": {"name": use.name, "arguments": write_arguments(use.input)}}
