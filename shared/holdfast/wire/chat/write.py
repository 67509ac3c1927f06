"""OpenAI Chat Completions, outbound: the neutral request becomes a body, and a report of what it could not say."""

from collections.abc import Iterator
from typing import Any

from holdfast.model.job import MappingReport
from holdfast.model.request import Document, Image, Part, Request, Role, Text, Thought, Tool, ToolResult, ToolUse, Turn
from holdfast.wire import openai
from holdfast.wire.chat.server_profile import OPENAI, ServerProfile, effort_of, reasons
from holdfast.wire.mapping_report import MappingReportBuilder, bare_text, placed
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.openai import write_arguments, write_source

MOST_STOPS = 4
Body = dict[str, Any]


def write_request(request: Request, model: str, profile: ServerProfile = OPENAI) -> tuple[Body, MappingReport]:
    """Write a body for ``model`` at a server of this profile. Raises Unmappable."""
    report = openai.open_report(request, WIRE)
    body: Body = {"model": model, "messages": _messages(request, report)}
    body |= _options(request, model, report, profile)
    if reasons(model):
        openai.drop_sampling(request, body, report)
    native = openai.native_fields(request.native, report)
    for key in native.keys() & profile.refused:
        report.change(key, f"dropped: {profile.name} refuses it")
    return body | {k: v for k, v in native.items() if k not in profile.refused}, report.report()


def _options(request: Request, model: str, report: MappingReportBuilder, profile: ServerProfile) -> Body:
    limit = OPENAI.max_tokens if reasons(model) else profile.max_tokens
    effort = effort_of(request.effort, model, profile)
    if request.user and profile.user is None:
        report.change("user", f"dropped: {profile.name} has no field for it")
    options: Body = {
        limit: request.max_tokens,
        "stop": _stops(request.stop, report),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "tools": [_tool(tool, report) for tool in request.tools] or None,
        "tool_choice": openai.write_choice(request, "function"),
        "parallel_tool_calls": request.parallel_tools if request.tools else None,
        "response_format": openai.write_format(request.output, report, "json_schema"),
        "reasoning_effort": openai.write_effort(request.effort, effort, f"{profile.name}'s {model}", report),
        profile.user or "user": openai.end_user(request.user, report) if profile.user else None,
    }
    return openai.given(options)


def _stops(stops: tuple[str, ...], report: MappingReportBuilder) -> list[str] | None:
    if len(stops) > MOST_STOPS:
        report.refuse(f"it has {len(stops)} stop sequences, and {MOST_STOPS} are the most.")
    return list(stops) or None


def _messages(request: Request, report: MappingReportBuilder) -> list[Body]:
    messages = [{"role": "system", "content": request.system}] if request.system else []
    for index, turn in enumerate(request.turns):
        messages += _turn(turn, f"turns[{index}]", report)
    return messages


def _turn(turn: Turn, place: str, report: MappingReportBuilder) -> Iterator[Body]:
    """A turn's messages: one for each tool result, then one for the rest."""
    content: list[Body] = []
    for part, where in placed(turn.parts, place):
        if isinstance(part, ToolResult):
            yield _result(part, where, report, content)
    for part, where in placed(turn.parts, place):
        content += _part(part, turn.role, where, report)
    calls = [_call(part, where, report) for part, where in placed(turn.parts, place) if isinstance(part, ToolUse)]
    native = report.native(turn.native, place)
    _tell_order(turn, report)
    if content or calls:
        message: Body = {"role": turn.role.value, "content": bare_text(content) if content else None}
        yield message | ({"tool_calls": calls} if calls else {}) | native
    elif not any(isinstance(part, ToolResult) for part in turn.parts):
        report.change(place, "dropped: nothing of it is left")


def _tell_order(turn: Turn, report: MappingReportBuilder) -> None:
    """Chat has one order: results, then what is said, then calls."""
    ranks = [0 if isinstance(part, ToolResult) else 2 if isinstance(part, ToolUse) else 1 for part in turn.parts]
    if ranks != sorted(ranks):
        report.change("turns", "parts were put into the one order that Chat knows: results, words, calls")


def _part(part: Part, role: Role, place: str, report: MappingReportBuilder) -> list[Body]:
    """Write a part of the content; tool uses and results stand outside of it."""
    match part:
        case Text():
            return [{"type": "text", "text": part.text, **report.native(part.native, place)}]
        case Image() | Document() if role is not Role.USER:
            report.refuse(f"{place} is a picture or document outside of a user turn.")
        case Image():
            return [_image(part, place, report)]
        case Document():
            return [_document(part, place, report)]
        case Thought():
            report.change(place, f"dropped: reasoning that is bound to {part.dialect}")
    return []


def _image(part: Image, place: str, report: MappingReportBuilder) -> Body:
    detail = {"detail": part.detail} if part.detail else {}
    native = report.native(part.native, place)
    return {"type": "image_url", "image_url": {"url": write_source(part), **detail}, **native}


def _document(part: Document, place: str, report: MappingReportBuilder) -> Body:
    if part.data is None:
        report.refuse(f"{place} is a document behind a URL; Chat Completions takes documents as data only.")
    file = {"filename": part.title or "document", "file_data": write_source(part)}
    return {"type": "file", "file": file, **report.native(part.native, place)}


def _result(part: ToolResult, place: str, report: MappingReportBuilder, pictures: list[Body]) -> Body:
    """A tool's result as text; what is not text goes into the user message behind the results."""
    if part.is_error:
        report.change(f"{place}.is_error", "dropped: Chat Completions has no such mark; the text tells it")
    texts: list[Body] = []
    for inner, where in placed(part.parts, place):
        written = _part(inner, Role.USER, where, report)
        if isinstance(inner, Text):
            texts += written
        else:
            report.change(where, "moved behind the tool results: they hold text alone here")
            pictures.extend([{"type": "text", "text": f"Part of the result of tool call {part.id}:"}, *written])
    content = bare_text(texts) or ""
    named = openai.call_id(part.id, openai.CHAT_ID)
    return {"role": "tool", "tool_call_id": named, "content": content, **report.native(part.native, place)}


def _call(part: ToolUse, place: str, report: MappingReportBuilder) -> Body:
    function = {"name": part.name, "arguments": write_arguments(part.input)}
    named = openai.call_id(part.id, openai.CHAT_ID)
    return {"id": named, "type": "function", "function": function, **report.native(part.native, place)}


def _tool(tool: Tool, report: MappingReportBuilder) -> Body:
    function: Body = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    function["strict"] = openai.strictness_of(tool, report)
    native = report.native(tool.native, f"tools[{tool.name}]")
    return {"type": "function", "function": openai.given(function), **native}
