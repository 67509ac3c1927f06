"""OpenAI Responses: an answer is taken apart, and becomes the neutral reply."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.reply import Finish, Reply
from holdfast.wire.answer_parts import (
    AnswerText,
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
from holdfast.wire.finishes import End, read_end
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.reply_builder import ReplyBuilder, left_of, texts_of
from holdfast.wire.told_failure import refuse_told_failure
from holdfast.wire.usages import read_usage

# Why an answer is incomplete, as openai 3.57 names it. A test compares the keys with the SDK's own Literal.
INCOMPLETE: Mapping[str, Finish] = {
    "max_output_tokens": Finish.LENGTH,
    "max_messages": Finish.LENGTH,
    "content_filter": Finish.REFUSED,
    "steered": Finish.OTHER,
}
COMPLETED = "completed"
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
    return _read(body)[1]


def read_answer(body: Any) -> ReadAnswer:
    """Take the body of a 200 apart. Raises BadAnswer."""
    built, reply = _read(body)
    items = body["output"]
    frames = [path for index in sorted(_final(items)) for path in _frame(items[index], ("output", index))]
    return built.answer(reply, [("object",), *frames, *_said(body, reply)], read_shared(body, "created_at"))


def _read(body: Any) -> tuple[ReplyBuilder, Reply]:
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
    return built, built.reply(body.get("model"), read_usage(body.get("usage"), *FIGURES), _native(items))


def _said(body: Mapping[str, Any], reply: Reply) -> list[Path]:
    """What every format says of the response itself. The word for the end, where it is the plain one."""
    paths: list[Path] = [("model",)] * (body.get("model") == reply.model)
    if reply.finish_word in {COMPLETED, REASONS.get(reply.finish)}:
        paths += [("status",), ("incomplete_details", "reason")]
    return paths + said_figures(body.get("usage"), ("usage",), figures_of(reply.usage, *FIGURES))


def _frame(item: Mapping[str, Any], at: Path) -> tuple[Path, ...]:
    """What every format says of an item by writing it: its type, who speaks, and that it is whole."""
    whole = [(*at, "status")] * (item.get("status") == COMPLETED)
    return ((*at, "type"), (*at, "role"), *whole)


def _end(body: Mapping[str, Any]) -> End:
    """Read status and reason. Raises BadAnswer: the response failed, was cancelled, or is not there yet."""
    match body:
        case {"status": "completed"}:
            return End(Finish.STOP, COMPLETED)
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
        at: Path = ("output", index, "content", place)
        match part:
            case {"type": "output_text" | "text", "text": str(text)}:
                cited = _citations(part.get("annotations"), (*at, "annotations"))
                tokens = read_logprobs(part.get("logprobs"), (*at, "logprobs"))
                built.say(AnswerText(text, ((*at, "type"), (*at, "text")), citations=cited, logprobs=tokens))
            case {"type": "refusal", "refusal": str(text)}:
                built.say(AnswerText(text, ((*at, "type"), (*at, "refusal")), is_refusal=True))
            case {"type": kind}:
                built.unread(f"output[{index}].content[{place}]", kind)
            case _:
                built.unread(f"output[{index}].content[{place}]", None)


def _citations(given: Any, at: Path) -> tuple[WebCitation, ...]:
    """The pages that a text is taken from, where each is told in whole."""
    found: list[WebCitation] = []
    for index, each in enumerate(given if isinstance(given, list) else ()):
        match each:
            case {"type": "url_citation", "url": str(url), "title": str(title)}:
                paths = tuple((*at, index, key) for key in ("type", "url", "title", "start_index", "end_index"))
                if (span := read_span(each)) is not None:
                    found.append(WebCitation(url, title, *span, paths))
    return tuple(found)


def _hear(built: ReplyBuilder, item: Any, index: int, answered: frozenset[str]) -> None:
    at: Path = ("output", index)
    match item:
        case {"type": "message", "content": list()}:
            built.holds_more = True
            built.report.change(f"reply.output[{index}]", "apart from the text: commentary; it stands in the response")
        case {"type": "function_call"}:
            said = ((*at, "call_id"), (*at, "name"), (*at, "arguments"), *_frame(item, at))
            built.call(item.get("call_id"), item.get("name"), item.get("arguments"), left_of(item, READ), *said)
        case {"type": "custom_tool_call"}:
            said = ((*at, "call_id"), (*at, "name"), (*at, "input"), *_frame(item, at))
            built.call_with_text(item.get("call_id"), item.get("name"), item.get("input"), left_of(item, READ), *said)
        case {"type": "reasoning"}:
            _hear_reasoning(built, item, at)
        case {"type": str(kind)} if kind in ASKING:
            built.asks = built.asks or not (item.get("execution") == "server" or str(item.get("call_id")) in answered)
            built.holds_more = True
        case {"type": str(kind)} if kind in DONE_THERE:
            built.holds_more = True
        case {"type": kind}:
            built.unread(f"output[{index}]", kind)
        case _:
            built.unread(f"output[{index}]", None)


def _hear_reasoning(built: ReplyBuilder, item: Mapping[str, Any], at: Path) -> None:
    """The summary, or what it sums up where the provider tells that alone."""
    key = next((key for key in ("summary", "content") if texts_of(item.get(key))), "")
    parts = range(len(item.get(key) or ()))
    said = [(*at, key, each, name) for each in parts for name in ("type", "text")]
    built.think(texts_of(item.get(key)), item, *_frame(item, at), *said)


def _native(items: list[Any]) -> dict[str, Any]:
    """The items that a next turn repeats, in their order, where reasoning is among them: it needs its neighbours."""
    written = [item for item in items if isinstance(item, dict) and str(item.get("type")) in WRITTEN]
    return {"output": written} if any(item["type"] == "reasoning" for item in written) else {}
