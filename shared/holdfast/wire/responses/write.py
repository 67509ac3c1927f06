"""OpenAI Responses, outbound: the neutral request becomes a body, and a report of what it could not say."""

from collections.abc import Iterator
from typing import Any

from holdfast.model.job import MappingReport
from holdfast.model.request import (
    Document,
    Image,
    Opaque,
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
from holdfast.wire import openai_write as openai
from holdfast.wire.arguments import arguments_of, write_arguments
from holdfast.wire.call_ids import RESPONSES_IDS, with_call_ids
from holdfast.wire.chat.adapt import drop_sampling
from holdfast.wire.chat.server_profile import OPENAI, effort_of, reasons
from holdfast.wire.mapping_report import MappingReportBuilder, bare_text, merged, placed
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.openai_write import write_source

Body = dict[str, Any]


def write_request(request: Request, model: str) -> tuple[Body, MappingReport]:
    """Write a body for ``model``. Raises Unmappable."""
    report = openai.open_report(request, WIRE)
    request = with_call_ids(report.choosable(request), RESPONSES_IDS, report)
    items = _items(request, report)
    native = openai.native_fields(request.native, report)
    if not items and not (request.native.get(WIRE) or request.system):
        report.refuse("nothing of its turns is left.")
    body: Body = {"model": model, **({"input": items} if items else {}), **_options(request, model, report)}
    if request.stop:
        report.change("stop", "dropped: Responses has no stop sequences")
    if reasons(model):
        _drop_sampling(body, model, request, report)
    return merged(body, native), report.report()


def _options(request: Request, model: str, report: MappingReportBuilder) -> Body:
    effort = openai.write_effort(request.effort, effort_of(request.effort, model, OPENAI), model, report)
    shape = openai.write_format(request.output, report, None, OPENAI.decoding)
    tools = [_tool(tool, report) for tool in request.tools]
    tools += [block for tool in request.provider_tools for block in report.opaque(tool)]
    options: Body = {
        "instructions": request.system,
        "max_output_tokens": openai.most_tokens(request, report),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "tools": tools or None,
        "tool_choice": openai.write_choice(request, None),
        "parallel_tool_calls": request.parallel_tools,
        "text": {"format": shape} if shape else None,
        "reasoning": {"effort": effort} if effort else None,
    }
    return openai.given(options | openai.end_user(request, OPENAI.user, OPENAI.name, report))


def _drop_sampling(body: Body, model: str, request: Request, report: MappingReportBuilder) -> None:
    if request.effort != "none":
        drop_sampling(body, model, report)


def _items(request: Request, report: MappingReportBuilder) -> list[Body]:
    items: list[Body] = []
    for index, turn in enumerate(request.turns):
        written = list(_turn(turn, f"turns[{index}]", report))
        items += written
        if not written:
            report.empty(request, index)
    return items


def _turn(turn: Turn, place: str, report: MappingReportBuilder) -> Iterator[Body]:
    """A turn's items in order; neighbouring texts and pictures are one message."""
    native = report.native(turn.native, place)
    content: list[Body] = []
    written = 0
    for part, where in placed(turn.parts, place):
        if isinstance(part, Text | Image | Document) or (isinstance(part, Opaque) and not part.as_turn):
            content += _content(part, turn.role, where, report)
            continue
        if content:
            yield _message(turn.role, content, native)
            content, written = [], written + 1
        for item in _item(part, where, report):
            yield item
            written += 1
    if content or (native and not written):
        yield _message(turn.role, content, native)


def _message(role: Role, content: list[Body], native: Body) -> Body:
    return {"role": role.value, "content": bare_text(content), **native}


def _item(part: Part, place: str, report: MappingReportBuilder) -> Iterator[Body]:
    match part:
        case ToolUse():
            named = {
                "call_id": part.id,
                "name": part.name,
                "arguments": write_arguments(arguments_of(part, place, report)),
            }
            yield {"type": "function_call", **named, **report.native(part.native, place)}
        case ToolResult():
            yield _result(part, place, report)
        case Thought():
            yield from report.thought(part, place)
        case Opaque():
            yield from report.opaque(part)


def _content(
    part: Text | Image | Document | Opaque, role: Role, place: str, report: MappingReportBuilder
) -> list[Body]:
    if isinstance(part, Opaque):
        return report.opaque(part)
    native = report.native(part.native, place)
    if isinstance(part, Text):
        return [{"type": "output_text" if role is Role.ASSISTANT else "input_text", "text": part.text, **native}]
    if role is not Role.USER:
        report.refuse(f"{place} is a picture or document outside of a user turn.")
    if isinstance(part, Image):
        detail = {"detail": part.detail} if part.detail else {}
        return [{"type": "input_image", "image_url": write_source(part, place, report), **detail, **native}]
    if part.url is not None:
        return [{"type": "input_file", "file_url": part.url, **_filename(part), **native}]
    data = write_source(part, place, report)
    return [{"type": "input_file", "filename": part.title or "document", "file_data": data, **native}]


def _filename(part: Document) -> Body:
    return {"filename": part.title} if part.title else {}


def _result(part: ToolResult, place: str, report: MappingReportBuilder) -> Body:
    if part.is_error:
        report.change(f"{place}.is_error", "dropped: Responses has no such mark; the text tells it")
    blocks = [
        block for inner, where in placed(part.parts, place) for block in _content(inner, Role.USER, where, report)
    ]
    output = bare_text(blocks) or ""
    return {"type": "function_call_output", "call_id": part.id, "output": output, **report.native(part.native, place)}


def _tool(tool: Tool, report: MappingReportBuilder) -> Body:
    parameters, strict = openai.schema_of(tool, report, OPENAI.decoding)
    written: Body = {"type": "function", "name": tool.name, "parameters": parameters}
    written["strict"] = bool(strict)  # a missing one would mean true, here alone
    if tool.description is not None:
        written["description"] = tool.description
    return {**written, **report.native(tool.native, f"tools[{tool.name}]")}
