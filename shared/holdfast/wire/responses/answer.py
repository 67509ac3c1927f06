"""OpenAI Responses: an answer as this API would have given it, whoever gave it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from holdfast.model.reply import Finish, Reply
from holdfast.wire.answer_parts import (
    AnswerCall,
    AnswerPart,
    AnswerReasoning,
    AnswerText,
    Path,
    ReadAnswer,
    WebCitation,
    joined,
    parts_of,
    say_shared,
)
from holdfast.wire.arguments import write_arguments
from holdfast.wire.call_ids import RESPONSES_IDS
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.responses.reply import COMPLETED, FIGURES, INCOMPLETE, REASONS
from holdfast.wire.returned_reasoning import seal
from holdfast.wire.usages import write_usage

Body = dict[str, Any]


def write_reply(reply: Reply, id_: str, created: int = 0) -> Body:
    """Write a reading alone as this API would have answered, where the body is not kept.

    ``id_`` without prefix, ``created`` in seconds.
    """
    parts = parts_of(reply)
    output = reply.native.get(WIRE, {}).get("output") or list(_items(parts, "", id_, set()))
    return _response(reply, id_, created, output, is_worded=bool(reply.text))


def write_answer(answer: ReadAnswer, wire: str, id_: str, said: set[Path]) -> Body:
    """Write an answer of the format ``wire``, and put the places of what this API can say of it into ``said``."""
    shared = say_shared(answer, said)
    output = list(_items(answer.parts, wire, id_, said))
    is_worded = any(isinstance(part, AnswerText) and part.is_refusal for part in answer.parts)
    created = shared.pop("created")
    return _response(answer.reply, id_, created, output, is_worded=is_worded) | shared


def _response(reply: Reply, id_: str, created: int, output: list[Body], *, is_worded: bool) -> Body:
    reason = _reason(reply, is_worded=is_worded)
    return {
        "id": f"resp_{id_}",
        "object": "response",
        "created_at": created,
        "status": "incomplete" if reason else COMPLETED,
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "model": reply.model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "usage": write_usage(reply.usage, *FIGURES),
    }


def _reason(reply: Reply, *, is_worded: bool) -> str | None:
    """Why the response is incomplete. A refusal in words is complete, as this API has it."""
    if is_worded and reply.finish is Finish.REFUSED:
        return None
    word = reply.finish_word or ""
    return word if INCOMPLETE.get(word) is reply.finish else REASONS.get(reply.finish)


def _items(parts: Sequence[AnswerPart], wire: str, id_: str, said: set[Path]) -> Iterator[Body]:
    """Write the items in the order of the answer; neighbouring words are one message."""
    number = 0
    for kind, group in groupby(parts, type):
        if kind is AnswerText:
            yield _message([part for part in group if isinstance(part, AnswerText)], f"{id_}{number or ''}", said)
            number += 1
            continue
        for part in group:
            if isinstance(part, AnswerReasoning):
                yield _reasoning(part, wire, f"{id_}{number}", said)
            elif isinstance(part, AnswerCall):
                yield _call(part, f"{id_}{number}", said)
            number += 1


def _message(texts: Sequence[AnswerText], id_: str, said: set[Path]) -> Body:
    content = [_part(joined(list(group)), said, is_refusal=refused) for refused, group in groupby(texts, _is_refusal)]
    head = {"id": f"msg_{id_}", "type": "message", "role": "assistant", "status": COMPLETED}
    return {**head, "content": content}


def _is_refusal(text: AnswerText) -> bool:
    return text.is_refusal


def _part(text: AnswerText, said: set[Path], *, is_refusal: bool) -> Body:
    said.update(text.paths)
    if is_refusal:
        return {"type": "refusal", "refusal": text.text}
    annotations = [_annotation(each, said) for each in text.citations]
    said.update(text.logprobs.paths if text.logprobs else ())
    logprobs = [_logprob(each) for each in text.logprobs.value] if text.logprobs else []
    return {"type": "output_text", "text": text.text, "annotations": annotations, "logprobs": logprobs}


def _annotation(citation: WebCitation, said: set[Path]) -> Body:
    said.update(citation.paths)
    span = {"start_index": citation.start, "end_index": citation.end}
    return {"type": "url_citation", "url": citation.url, "title": citation.title, **span}


def _logprob(token: Body) -> Body:
    """Write a token's logprob; its bytes, which Chat may leave out, are those of its text."""
    made = {**token, "bytes": token["bytes"] if token.get("bytes") is not None else list(token["token"].encode())}
    if "top_logprobs" in token:
        made["top_logprobs"] = [_logprob(each) for each in token["top_logprobs"]]
    return made


def _reasoning(part: AnswerReasoning, wire: str, id_: str, said: set[Path]) -> Body:
    said.update(part.paths)
    summary = [{"type": "summary_text", "text": part.words}] if part.words else []
    return {"id": f"rs_{id_}", "type": "reasoning", "summary": summary, "encrypted_content": seal(wire, part.block)}


def _call(part: AnswerCall, id_: str, said: set[Path]) -> Body:
    use = part.use
    call_id, native = RESPONSES_IDS.fit(use.id), use.native.get(WIRE, {})
    said.update(part.paths, (part.id_path,) if part.id_path is not None and call_id == use.id else ())
    named = {"call_id": call_id, "name": use.name, "status": COMPLETED, **native}
    if isinstance(use.input, str):
        return {"id": f"ctc_{id_}", **named, "type": "custom_tool_call", "input": use.input}
    return {"id": f"fc_{id_}", "type": "function_call", **named, "arguments": write_arguments(use.input)}
