"""Anthropic Messages, outbound: the neutral request becomes a body, and a report of what it could not say."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import takewhile
from typing import Any

from holdfast.model.job import MappingReport
from holdfast.model.request import (
    Document,
    Image,
    Output,
    Part,
    Request,
    Role,
    Text,
    Thought,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.wire import media
from holdfast.wire.anthropic.read import WIRE
from holdfast.wire.mapping_report import MappingReportBuilder, bare_text, placed
from holdfast.wire.schema import closed_schema

DEFAULT_MAX_TOKENS = 8_192  # the format requires a maximum; what it cuts is flagged by the finish
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
PREFILLS = re.compile(r"claude-(2|3|(opus|sonnet|haiku)-4-[0-5]\b|(opus|sonnet)-4-20)")  # later models answer 400
Block = dict[str, Any]


def write_request(request: Request, model: str) -> tuple[dict[str, Any], MappingReport]:
    """Write a body for ``model``. Raises Unmappable."""
    report = MappingReportBuilder(WIRE)
    system, leading = _lift_system(request, report)
    messages = _messages(request.turns, len(leading), report)
    _check_ends(messages, model, report)
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens or DEFAULT_MAX_TOKENS,
        "messages": messages,
    }
    native = dict(report.native(request.native))
    asked, config = _output(request.output, report)
    config |= native.pop("output_config", {}) | _effort(request.effort, report)
    blocks = native.pop("system", None)
    _put(body, "system", _system(system, blocks, [*leading, asked]))
    _put(body, "stop_sequences", _stops(request.stop, report))
    _put(body, "tools", [_tool(tool, report) for tool in request.tools])
    _put(body, "tool_choice", _choice(request))
    _put(body, "output_config", config)
    _put(body, "metadata", native.pop("metadata", {}) | ({"user_id": request.user} if request.user else {}))
    for name in ("temperature", "top_p"):
        if getattr(request, name) is not None:
            report.change(name, "dropped: Anthropic no longer takes sampling parameters")
    return body | native, report.report()


def _put(body: dict[str, Any], key: str, value: Any) -> None:
    if value:
        body[key] = value


def _lift_system(request: Request, report: MappingReportBuilder) -> tuple[str | None, list[str]]:
    """The system prompt, and the texts of the system turns at the very beginning; later ones keep their place."""
    leading = takewhile(lambda turn: turn.role is Role.SYSTEM, request.turns)
    return request.system, [_lifted(turn, f"turns[{index}]", report) for index, turn in enumerate(leading)]


def _lifted(turn: Turn, place: str, report: MappingReportBuilder) -> str:
    blocks = list(_blocks(turn.parts, place, report))
    native = report.native(turn.native, place)
    if any(block["type"] != "text" for block in blocks):
        report.refuse(f"{place} is a system turn that holds more than text.")
    for key in {key for block in blocks for key in block.keys() - {"type", "text"}} | native.keys():
        report.change(f"{place}.{key}", "dropped: the turn became part of the system prompt")
    return "\n\n".join(block["text"] for block in blocks)


def _system(text: str | None, blocks: Any, more: Iterable[str | None]) -> Any:
    """The system prompt, as blocks where the producer sent blocks; ``more`` is put behind it."""
    if blocks:
        return [*blocks, *({"type": "text", "text": each} for each in more if each)]
    return "\n\n".join(filter(None, (text, *more)))


def _messages(turns: Sequence[Turn], first: int, report: MappingReportBuilder) -> list[dict[str, Any]]:
    """Write the turns from ``first`` on; neighbours of one role become one message, as the API would read them."""
    messages: list[dict[str, Any]] = []
    for index, turn in enumerate(turns[first:], first):
        place = f"turns[{index}]"
        blocks = list(_blocks(turn.parts, place, report))
        if not blocks:
            report.change(place, "dropped: Anthropic refuses an empty turn")
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": turn.role.value, "content": blocks})
        messages[-1] |= report.native(turn.native, place)
    for message in messages:
        ordered = sorted(message["content"], key=lambda block: block["type"] != "tool_result")
        if ordered != message["content"]:
            report.change("turns", "tool results were moved before the rest of their turn: Anthropic demands it")
        message["content"] = bare_text(ordered)
    return messages


def _check_ends(messages: list[dict[str, Any]], model: str, report: MappingReportBuilder) -> None:
    if not messages:
        report.refuse("it has no turn with content.")
    if messages[0]["role"] != Role.USER:
        report.refuse("its first turn must be the user's.")
    if messages[-1]["role"] == Role.ASSISTANT and not PREFILLS.search(model):
        report.refuse(f"its last turn is the assistant's, and {model} continues no begun answer.")


def _blocks(parts: Iterable[Part], place: str, report: MappingReportBuilder) -> Iterator[Block]:
    for part, where in placed(parts, place):
        match part:
            case Text(text=""):
                report.change(where, "dropped: Anthropic refuses empty text")
            case Text():
                yield {"type": "text", "text": part.text, **report.native(part.native, where)}
            case Image():
                yield _image(part, where, report)
            case Document():
                yield _document(part, where, report)
            case ToolUse():
                native = report.native(part.native, where)
                yield {"type": "tool_use", "id": call_id(part.id), "name": part.name, "input": part.input, **native}
            case ToolResult():
                yield _result(part, where, report)
            case Thought():
                yield from report.thought(part, where)


def call_id(given: str) -> str:
    """The id itself, or, where Anthropic would refuse its characters, the same stand-in for the same id."""
    if CALL_ID.fullmatch(given):
        return given
    return f"toolu_{sha256(given.encode()).hexdigest()[:24]}"


def _image(part: Image, place: str, report: MappingReportBuilder) -> Block:
    if part.detail is not None:
        report.change(f"{place}.detail", "dropped: Anthropic chooses the detail of a picture itself")
    if part.url is not None:
        source = {"type": "url", "url": part.url}
    elif part.media_type in PICTURES:
        source = {"type": "base64", "media_type": part.media_type, "data": part.data or ""}
    else:
        report.refuse(f"{place} is {part.media_type}; pictures must be jpeg, png, gif or webp.")
    return {"type": "image", "source": source, **report.native(part.native, place)}


def _document(part: Document, place: str, report: MappingReportBuilder) -> Block:
    title = {"title": part.title} if part.title else {}
    native = report.native(part.native, place)
    return {"type": "document", "source": _document_source(part, place, report), **title, **native}


def _document_source(part: Document, place: str, report: MappingReportBuilder) -> Block:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.media_type == "application/pdf":
        return {"type": "base64", "media_type": part.media_type, "data": part.data}
    text = media.decode_text(part.data or "") if (part.media_type or "").startswith("text/") else None
    if text is None:
        report.refuse(f"{place} is {part.media_type}; documents must be PDF or text.")
    if part.media_type != "text/plain":
        report.change(f"{place}.media_type", f"{part.media_type} became text/plain, the only text that Anthropic knows")
    return {"type": "text", "media_type": "text/plain", "data": text}


def _result(part: ToolResult, place: str, report: MappingReportBuilder) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": call_id(part.id)}
    _put(block, "content", bare_text(list(_blocks(part.parts, place, report))))
    _put(block, "is_error", part.is_error)
    return block | report.native(part.native, place)


def _tool(tool: Tool, report: MappingReportBuilder) -> dict[str, Any]:
    place = f"tools[{tool.name}]"
    parameters, strict = _strictly(tool, place, report)
    written: dict[str, Any] = {"name": tool.name, "input_schema": parameters}
    _put(written, "description", tool.description)
    if strict is not None:
        written["strict"] = strict
    return written | report.native(tool.native, place)


def _strictly(tool: Tool, place: str, report: MappingReportBuilder) -> tuple[dict[str, Any], bool | None]:
    """A tool's schema and strictness. A strict one must be as Anthropic's decoding takes it, or the call is refused."""
    if not tool.strict:
        return tool.parameters, tool.strict
    schema, lost = closed_schema(tool.parameters)
    if schema is None:
        report.change(f"{place}.strict", "dropped: its schema has an open object, which strict decoding there refuses")
        return tool.parameters, False
    if lost:
        report.change(place, f"rules of its schema are told in words: {lost}")
    elif schema != tool.parameters:
        report.change(place, "its schema is written as Anthropic's strict decoding demands it, its objects closed")
    return schema, True


def _choice(request: Request) -> dict[str, Any] | None:
    choice, parallel = request.tool_choice, request.parallel_tools
    if not request.tools or (choice is None and parallel is None):
        return None
    mode = choice.mode if choice else "auto"
    written: dict[str, Any] = {"type": mode}
    _put(written, "name", choice.name if choice else None)
    if parallel is not None and mode != "none":
        written["disable_parallel_tool_use"] = not parallel
    return written


def _stops(stops: tuple[str, ...], report: MappingReportBuilder) -> list[str]:
    for stop in stops:
        if not stop.strip():
            report.change("stop", "a stop sequence of white space alone was dropped: Anthropic refuses it")
    return [stop for stop in stops if stop.strip()]


def _effort(effort: str | None, report: MappingReportBuilder) -> dict[str, Any]:
    if effort is None or effort in EFFORTS:
        return {"effort": effort} if effort else {}
    if effort == "minimal":
        report.change("effort", "minimal became low, the least that Anthropic knows")
        return {"effort": "low"}
    report.change("effort", f"dropped: Anthropic knows no effort {effort!r}")
    return {}


def _output(output: Output | None, report: MappingReportBuilder) -> tuple[str | None, dict[str, Any]]:
    """The shape of the answer: a sentence for the system prompt where decoding cannot be told, or ``format``."""
    if output is None:
        return None, {}
    if output.json_schema is None:
        why = "asked for in the system prompt: Anthropic has no plain JSON mode; the answer is checked"
        report.change("output", why)
        return "Answer with one JSON object and nothing else.", {}
    if output.description:
        report.change("output.description", "dropped: Anthropic has no field for it")
    schema, lost = closed_schema(output.json_schema)
    where = "output.json_schema"
    if schema is None:
        report.change(where, "asked for in the system prompt: it has an open object; the answer is checked")
        wanted = json.dumps(output.json_schema, ensure_ascii=False)
        return f"Answer with JSON that satisfies this JSON Schema and nothing else: {wanted}", {}
    if lost:
        report.change(where, f"told in words: {lost}; the answer is checked")
    elif schema != output.json_schema:
        report.change(where, "written as Anthropic demands it, its objects closed; the answer is checked")
    return None, {"format": {"type": "json_schema", "schema": schema}}
