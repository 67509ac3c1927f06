"""OpenAI Responses: an answer becomes the neutral reply, and back."""

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import ToolUse
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.openai import read_inner_error, write_arguments
from holdfast.wire.reading import natives
from holdfast.wire.replies import read_usage, settle_finish, write_usage

# Why an answer is incomplete, as openai 3.57 names it. A test compares the keys with the SDK's own Literal.
INCOMPLETE: Mapping[str, Finish | FaultKind] = {
    "max_output_tokens": Finish.LENGTH,
    "max_messages": Finish.LENGTH,
    "content_filter": Finish.REFUSED,
    "steered": FaultKind.BAD_ANSWER,  # only over a WebSocket, which we do not use
}
FIGURES = ("input_tokens", "output_tokens")


def read_reply(body: Any) -> Reply:
    """Read the body of a 200. Raises BadAnswer."""
    read_inner_error(body)
    items = body.get("output")
    if not isinstance(items, list):
        raise BadAnswer("the answer is no response.")
    finish = _finish(body)
    said = _Said(cut=finish is Finish.LENGTH)
    for item in items:
        said.hear(item)
    text = "".join(said.texts or said.refusals)
    return Reply(
        text=text,
        tool_calls=tuple(said.calls),
        finish=Finish.REFUSED if said.refusals else settle_finish(finish, text, said.calls, "response"),
        usage=read_usage(body.get("usage"), *FIGURES),
        model=str(body.get("model") or ""),
        native=natives(WIRE, {"reasoning": said.reasoning} if said.reasoning else {}),
    )


def _finish(body: Mapping[str, Any]) -> Finish:
    match body:
        case {"status": "completed"}:
            return Finish.STOP
        case {"status": "incomplete", "incomplete_details": {"reason": str(reason)}}:
            found = INCOMPLETE.get(reason)
            if isinstance(found, Finish):
                return found
            raise BadAnswer(f"the response is incomplete: {reason}.", provider_code=reason)
        case {"status": str(status)}:
            raise BadAnswer(f"the response is {status}.", provider_code=status)
    raise BadAnswer("the response has no status.")


class _Said:
    """What the items of one response add up to."""

    def __init__(self, *, cut: bool) -> None:
        self.texts: list[str] = []
        self.refusals: list[str] = []
        self.calls: list[ToolUse] = []
        self.reasoning: list[Any] = []
        self._cut = cut

    def hear(self, item: Any) -> None:
        match item:
            case {"type": "message", "content": list(parts)}:
                for part in parts:
                    self._hear_part(part)
            case {"type": "function_call", "call_id": str(id_), "name": str(name), "arguments": str(arguments)}:
                self._call(id_, name, arguments)
            case {"type": "reasoning"}:
                self.reasoning.append(item)
            case _:
                raise BadAnswer("the response holds an item that is not carried.")

    def _hear_part(self, part: Any) -> None:
        match part:
            case {"type": "output_text", "text": str(text)}:
                if text:
                    self.texts.append(text)
            case {"type": "refusal", "refusal": str(text)}:
                self.refusals.append(text)
            case _:
                raise BadAnswer("the response holds a part that is not carried.")

    def _call(self, id_: str, name: str, arguments: str) -> None:
        try:
            given = orjson.loads(arguments or "{}")
        except orjson.JSONDecodeError:
            given = None
        if isinstance(given, dict):
            self.calls.append(ToolUse(id=id_, name=name, input=given))
        elif not self._cut:
            raise BadAnswer("the response calls a tool with arguments that are no JSON object.")


def write_reply(reply: Reply, id_: str, created: int = 0) -> dict[str, Any]:
    """Write a reply as this API would have answered. ``id_`` without prefix, ``created`` in seconds."""
    reason = "max_output_tokens" if reply.finish is Finish.LENGTH else None
    return {
        "id": f"resp_{id_}",
        "object": "response",
        "created_at": created,
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "model": reply.model,
        "output": [*reply.native.get(WIRE, {}).get("reasoning", ()), *_items(reply, id_)],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "usage": write_usage(reply.usage, *FIGURES),
    }


def _items(reply: Reply, id_: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.text or reply.finish is Finish.REFUSED:
        part: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        if reply.finish is Finish.REFUSED:
            part = {"type": "refusal", "refusal": reply.text}
        head = {"id": f"msg_{id_}", "type": "message", "role": "assistant", "status": "completed"}
        items.append({**head, "content": [part]})
    for number, call in enumerate(reply.tool_calls):
        named = {"call_id": call.id, "name": call.name, "arguments": write_arguments(call.input)}
        items.append({"id": f"fc_{id_}{number}", "type": "function_call", **named, "status": "completed"})
    return items
