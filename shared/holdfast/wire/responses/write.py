"""OpenAI Responses, outbound: the neutral request becomes a body, and a report of what it could not say."""

from collections.abc import Iterator
from typing import Any

from holdfast.model.job import MappingReport
from holdfast.model.request import Document, Image, Part, Request, Role, Text, Thought, Tool, ToolResult, ToolUse, Turn
from holdfast.wire import openai
from holdfast.wire.chat.server_profile import OPENAI, effort_of, reasons
from holdfast.wire.mapping_report import MappingReportBuilder, bare_text, placed
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.openai import write_arguments, write_source

Body = dict[str, Any]


def write_request(request: Request, model: str) -> tuple[Body, MappingReport]:
    """Write a body for ``model``. Raises Unmappable."""
    report = openai.open_report(request, WIRE)
    items = [item for index, turn in enumerate(request.turns) for item in _turn(turn, f"turns[{index}]", report)]
    if not items:
        report.refuse("nothing of its turns is left.")
    body: Body = {"model": model, "input": items}
    native = openai.native_fields(request.native, report)
    text = {"format": openai.write_format(request.output, report, None), **native.pop("text", {})}
    effort = openai.write_effort(request.effort, effort_of(request.effort, model, OPENAI), model, report)
    reasoning = {"effort": effort, **native.pop("reasoning", {})}
    options: Body = {
        "instructions": request.system,
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "tools": [_tool(tool, report) for tool in request.tools] or None,
        "tool_choice": openai.write_choice(request, None),
        "parallel_tool_calls": request.parallel_tools if request.tools else None,
        "text": openai.given(text) or None,
        "reasoning": openai.given(reasoning) or None,
        "safety_identifier": openai.end_user(request.user, report),
    }
    body |= openai.given(options)
    if request.stop:
        report.change("stop", "dropped: Responses has no stop sequences")
    if reasons(model):
        openai.drop_sampling(request, body, report)
    return body | native, report.report()


def _turn(turn: Turn, place: str, report: MappingReportBuilder) -> Iterator[Body]:
    """A turn's items in order; neighbouring texts and pictures are one message."""
    native = report.native(turn.native, place)
    content: list[Body] = []
    for part, where in placed(turn.parts, place):
        if isinstance(part, Text | Image | Document):
            content.append(_content(part, turn.role, where, report))
            continue
        if content:
            yield _message(turn.role, content, native)
            content = []
        yield from _item(part, where, report)
    if content:
        yield _message(turn.role, content, native)


def _message(role: Role, content: list[Body], native: Body) -> Body:
    return {"role": role.value, "content": bare_text(content), **native}


def _item(part: Part, place: str, report: MappingReportBuilder) -> Iterator[Body]:
    match part:
        case ToolUse():
            named = {
                "call_id": openai.call_id(part.id, openai.RESPONSES_ID),
                "name": part.name,
                "arguments": write_arguments(part.input),
            }
            yield {"type": "function_call", **named, **report.native(part.native, place)}
        case ToolResult():
            yield _result(part, place, report)
        case Thought():
            yield from report.thought(part, place)


def _content(part: Text | Image | Document, role: Role, place: str, report: MappingReportBuilder) -> Body:
    native = report.native(part.native, place)
    if isinstance(part, Text):
        return {"type": "output_text" if role is Role.ASSISTANT else "input_text", "text": part.text, **native}
    if role is not Role.USER:
        report.refuse(f"{place} is a picture or document outside of a user turn.")
    if isinstance(part, Image):
        detail = {"detail": part.detail} if part.detail else {}
        return {"type": "input_image", "image_url": write_source(part), **detail, **native}
    if part.url is not None:
        return {"type": "input_file", "file_url": part.url, **_filename(part), **native}
    return {"type": "input_file", "filename": part.title or "document", "file_data": write_source(part), **native}


def _filename(part: Document) -> Body:
    return {"filename": part.title} if part.title else {}


def _result(part: ToolResult, place: str, report: MappingReportBuilder) -> Body:
    if part.is_error:
        report.change(f"{place}.is_error", "dropped: Responses has no such mark; the text tells it")
    output = bare_text([_content(inner, Role.USER, where, report) for inner, where in placed(part.parts, place)]) or ""
    named = openai.call_id(part.id, openai.RESPONSES_ID)
    return {"type": "function_call_output", "call_id": named, "output": output, **report.native(part.native, place)}


def _tool(tool: Tool, report: MappingReportBuilder) -> Body:
    written: Body = {"type": "function", "name": tool.name, "parameters": tool.parameters}
    written["strict"] = bool(openai.strictness_of(tool, report))  # a missing one would mean true, here alone
    if tool.description is not None:
        written["description"] = tool.description
    return written | report.native(tool.native, f"tools[{tool.name}]")
