"""OpenAI Responses: an answer becomes the neutral reply, and back."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.reply import Finish, Reply
from holdfast.model.request import ToolUse
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.call_ids import RESPONSES_IDS
from holdfast.wire.finishes import End, read_end
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.reply_arguments import write_arguments
from holdfast.wire.reply_builder import ReplyBuilder, left_of, texts_of
from holdfast.wire.told_failure import refuse_told_failure
from holdfast.wire.usages import read_usage, write_usage

# Why an answer is incomplete, as openai 3.57 names it. A test compares the keys with the SDK's own Literal.
INCOMPLETE: Mapping[str, Finish] = {
    "max_output_tokens": Finish.LENGTH,
    "max_messages": Finish.LENGTH,
    "content_filter": Finish.REFUSED,
    "steered": Finish.OTHER,
}
NO_ANSWER = frozenset({"failed", "cancelled", "queued", "in_progress"})  # of its statuses
REASONS: Mapping[Finish, str] = {Finish.LENGTH: "max_output_tokens", Finish.REFUSED: "content_filter"}
FIGURES = ("input_tokens", "output_tokens")
# Items that wait for the producer, but are no call of a function, and items that tell of work that the provider has
# done, or repeat what it was given. A test walks the SDK's union, so that new ones are seen.
ASKING = frozenset(
    {"computer_call", "local_shell_call", "shell_call", "apply_patch_call", "mcp_approval_request", "tool_search_call"}
)
OUTPUT = "_output"  # how the type of an item ends that answers another one with the same call id
DONE_THERE = frozenset(
    {
        "file_search_call", "web_search_call", "code_interpreter_call", "image_generation_call", "mcp_call",
        "mcp_list_tools", "mcp_approval_response", "program", "program_output", "additional_tools", "compaction",
        "tool_search_output", "function_call_output", "computer_call_output", "local_shell_call_output",
        "shell_call_output", "apply_patch_call_output", "custom_tool_call_output",
    }
)  # fmt: skip
READ = frozenset({"type", "id", "call_id", "name", "arguments", "input", "status"})  # of a call; the rest is native
WRITTEN = frozenset({"message", "function_call", "custom_tool_call", "reasoning"})


def read_reply(body: Any) -> Reply:
    """Read the body of a 200. Raises BadAnswer."""
    refuse_told_failure(body, answer="output")
    items = body.get("output")
    if not isinstance(items, list) or body.get("object") not in ("response", None):
        raise BadAnswer("the answer is no response.")
    built = ReplyBuilder(WIRE, "response", _end(body), body.get("id"))
    final, answered = _final(items), _answered(items)
    for index, item in enumerate(items):
        if index in final:
            _hear_message(built, item["content"], index)
        else:
            _hear(built, item, index, answered)
    return built.reply(body.get("model"), read_usage(body.get("usage"), *FIGURES), _native(items))


def _end(body: Mapping[str, Any]) -> End:
    """Read status and reason. Raises BadAnswer: the response failed, was cancelled, or is not there yet."""
    match body:
        case {"status": "completed"}:
            return End(Finish.STOP, "completed")
        case {"status": "incomplete", "incomplete_details": {"reason": str(reason)}}:
            return read_end(reason, INCOMPLETE, "response")
        case {"status": "incomplete"}:
            return End(Finish.OTHER, "incomplete")
        case {"status": str(status)} if status in NO_ANSWER:
            raise BadAnswer(f"the response is {status}.", provider_code=status)
        case {"status": str(status)}:
            return read_end(status, {}, "response")
    return End(None, None)


def _final(items: list[Any]) -> frozenset[int]:
    """The places of the messages that are the answer: all, but where one is marked as final, no commentary."""
    phases: dict[int, Any] = {}
    for index, item in enumerate(items):
        match item:
            case {"type": "message", "content": list()}:
                phases[index] = item.get("phase")
    return frozenset(index for index, phase in phases.items() if phase != "commentary") or frozenset(phases)


def _answered(items: list[Any]) -> frozenset[str]:
    """The ids of calls that the provider has answered itself."""
    outputs = (item for item in items if isinstance(item, dict) and str(item.get("type")).endswith(OUTPUT))
    return frozenset(str(item.get("call_id")) for item in outputs)


def _hear_message(built: ReplyBuilder, parts: list[Any], index: int) -> None:
    for place, part in enumerate(parts):
        match part:
            case {"type": "output_text" | "text", "text": str(text)}:
                built.texts += [text] if text else []
            case {"type": "refusal", "refusal": str(text)}:
                built.refusals.append(text)
            case {"type": kind}:
                built.unread(f"output[{index}].content[{place}]", kind)
            case _:
                built.unread(f"output[{index}].content[{place}]", None)


def _hear(built: ReplyBuilder, item: Any, index: int, answered: frozenset[str]) -> None:
    match item:
        case {"type": "message", "content": list()}:
            built.holds_more = True
            built.report.change(f"reply.output[{index}]", "apart from the text: commentary; it stands in the response")
        case {"type": "function_call"}:
            built.call(item.get("call_id"), item.get("name"), item.get("arguments"), left_of(item, READ))
        case {"type": "custom_tool_call"}:
            built.call_with_text(item.get("call_id"), item.get("name"), item.get("input"), left_of(item, READ))
        case {"type": "reasoning"}:
            built.reasoning += [*texts_of(item.get("summary"))] or [*texts_of(item.get("content"))]
            built.holds_more = True
        case {"type": str(kind)} if kind in ASKING:
            built.asks = built.asks or not (item.get("execution") == "server" or str(item.get("call_id")) in answered)
            built.holds_more = True
        case {"type": str(kind)} if kind in DONE_THERE:
            built.holds_more = True
        case {"type": kind}:
            built.unread(f"output[{index}]", kind)
        case _:
            built.unread(f"output[{index}]", None)


def _native(items: list[Any]) -> dict[str, Any]:
    """The items that a next turn repeats, in their order, where reasoning is among them: it needs its neighbours."""
    written = [item for item in items if isinstance(item, dict) and str(item.get("type")) in WRITTEN]
    return {"output": written} if any(item["type"] == "reasoning" for item in written) else {}


def write_reply(reply: Reply, id_: str, created: int = 0) -> dict[str, Any]:
    """Write a reply as this API would have answered. ``id_`` without prefix, ``created`` in seconds."""
    reason = _reason(reply)
    return {
        "id": f"resp_{id_}",
        "object": "response",
        "created_at": created,
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "model": reply.model,
        "output": reply.native.get(WIRE, {}).get("output") or _items(reply, id_),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "usage": write_usage(reply.usage, *FIGURES),
    }


def _reason(reply: Reply) -> str | None:
    """Why the response is incomplete. A refusal in words is complete, as this API has it."""
    word = reply.finish_word or ""
    if INCOMPLETE.get(word) is reply.finish:
        return word
    return None if reply.finish is Finish.REFUSED and reply.text else REASONS.get(reply.finish)


def _items(reply: Reply, id_: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.text or reply.finish is Finish.REFUSED:
        part: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        if reply.finish is Finish.REFUSED:
            part = {"type": "refusal", "refusal": reply.text}
        head = {"id": f"msg_{id_}", "type": "message", "role": "assistant", "status": "completed"}
        items.append({**head, "content": [part]})
    return items + [_call(call, f"{id_}{number}") for number, call in enumerate(reply.tool_calls)]


def _call(call: ToolUse, id_: str) -> dict[str, Any]:
    named = {"call_id": RESPONSES_IDS.fit(call.id), "name": call.name, "status": "completed"}
    native = call.native.get(WIRE, {})
    if native.get("type") == "custom":
        return {"id": f"ctc_{id_}", **named, **native, "type": "custom_tool_call", "input": call.input}
    return {
        "id": f"fc_{id_}",
        "type": "function_call",
        **named,
        **native,
        "arguments": write_arguments(call.input),
    }
