"""OpenAI Chat Completions, outbound: the neutral request becomes a body, and a report of what it could not say."""

from collections.abc import Iterator
from typing import Any

from holdfast.model import exact_json
from holdfast.model.job import MappingReport
from holdfast.model.request import (
    Document,
    Image,
    Opaque,
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
from holdfast.wire import openai_write as openai
from holdfast.wire.arguments import arguments_of, write_arguments
from holdfast.wire.call_ids import with_call_ids
from holdfast.wire.chat.adapt import adapt, drop_sampling
from holdfast.wire.chat.server_profile import OPENAI, ServerProfile, effort_of, reasons
from holdfast.wire.mapping_report import MappingReportBuilder, bare_text, merged, placed
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.openai_write import write_source

Body = dict[str, Any]


def write_request(request: Request, model: str, profile: ServerProfile = OPENAI) -> tuple[Body, MappingReport]:
    """Write a body for ``model`` at a server of this profile. Raises Unmappable."""
    report = openai.open_report(request, WIRE)
    request = _askable(with_call_ids(report.choosable(request), profile.call_ids, report), profile, report)
    body: Body = {"model": model, "messages": _messages(request, report)}
    body |= _options(request, model, report, profile)
    if reasons(model):
        drop_sampling(body, model, report)
    native = openai.native_fields(request.native, report)
    return adapt(merged(body, native), model, profile, report), report.report()


def _askable(request: Request, profile: ServerProfile, report: MappingReportBuilder) -> Request:
    """Ask for a shape in the system prompt where the server has no decoding for it."""
    output = request.output
    if output is None or output.json_schema is None or "json_schema" in profile.shapes:
        return request
    why = f"asked for in the system prompt: {profile.name} decodes no schema; the answer is checked"
    report.change("output.json_schema", why)
    wanted = exact_json.dumps(output.json_schema).decode()
    sentence = f"Answer with JSON that satisfies this JSON Schema and nothing else: {wanted}"
    system = "\n\n".join(filter(None, (request.system, sentence)))
    return request.model_copy(update={"system": system, "output": Output()})


def _options(request: Request, model: str, report: MappingReportBuilder, profile: ServerProfile) -> Body:
    limit = OPENAI.max_tokens if reasons(model) else profile.max_tokens
    effort = effort_of(request.effort, model, profile)
    tools = [_tool(tool, profile, report) for tool in request.tools]
    tools += [block for tool in request.provider_tools for block in report.opaque(tool)]
    options: Body = {
        limit: openai.most_tokens(request, report),
        "stop": _stops(request.stop, profile, report),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "tools": tools or None,
        "tool_choice": openai.write_choice(request, "function"),
        "parallel_tool_calls": request.parallel_tools,
        "response_format": _format(request.output, profile, report),
        "reasoning_effort": openai.write_effort(request.effort, effort, f"{profile.name}'s {model}", report),
    }
    options |= openai.end_user(request, profile.user, profile.name, report)
    return openai.given(options)


def _format(output: Output | None, profile: ServerProfile, report: MappingReportBuilder) -> Body | None:
    if output is not None and output.json_schema is None and "json_object" not in profile.shapes:
        report.change("output", f"asked for as a JSON Schema of any object: {profile.name} has no plain JSON mode")
        output = output.model_copy(update={"json_schema": {"type": "object", "properties": {}}})
    return openai.write_format(output, report, "json_schema", profile.decoding)


def _stops(stops: tuple[str, ...], profile: ServerProfile, report: MappingReportBuilder) -> list[str] | None:
    if profile.stops is not None and len(stops) > profile.stops:
        report.refuse(f"it has {len(stops)} stop sequences, and {profile.stops} are the most.")
    return list(stops) or None


def _messages(request: Request, report: MappingReportBuilder) -> list[Body]:
    messages = [{"role": "system", "content": request.system}] if request.system else []
    for index, turn in enumerate(request.turns):
        written = list(_turn(turn, f"turns[{index}]", report))
        messages += written
        if not written:
            report.empty(request, index)
    if not messages:
        report.refuse("it has no turn.")
    return messages


def _turn(turn: Turn, place: str, report: MappingReportBuilder) -> Iterator[Body]:
    """A turn's messages: one for each tool result, then one for the rest."""
    content: list[Body] = []
    parts = list(placed(turn.parts, place))
    whole = [block for part in turn.parts if isinstance(part, Opaque) and part.as_turn for block in report.opaque(part)]
    for part, where in parts:
        if isinstance(part, ToolResult):
            yield _result(part, where, report, content)
    for part, where in parts:
        content += _part(part, turn.role, where, report)
    calls = [call for part, where in parts for call in _call(part, turn, where, report)]
    native = report.native(turn.native, place)
    for part in turn.parts:
        if isinstance(part, Thought) and part.dialect == WIRE:
            native = {key: value for key, value in part.block.items() if key != "content"} | native
    _tell_order(turn, report)
    yield from whole
    if content or calls or native:
        message: Body = {"role": turn.role.value, "content": bare_text(content) if content else None}
        yield {**message, **({"tool_calls": calls} if calls else {}), **native}


def _tell_order(turn: Turn, report: MappingReportBuilder) -> None:
    """Chat has one order: results, then what is said, then calls."""
    if len(turn.parts) < 2:  # noqa: PLR2004 - a single part has no order
        return
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
            return [*_thought(part, place, report).get("content", ())]
        case Opaque() if not part.as_turn and not is_call(part):
            return report.opaque(part)
    return []


def _thought(part: Thought, place: str, report: MappingReportBuilder) -> Body:
    """Return the fields of a message in which a server of this format takes its reasoning back."""
    return next(iter(report.thought(part, place)), {})


def is_call(part: Opaque) -> bool:
    """Whether a block of this format is one of ``tool_calls``, not of the content."""
    return part.wire == WIRE and "id" in part.block and "text" not in part.block


def _image(part: Image, place: str, report: MappingReportBuilder) -> Body:
    detail = {"detail": part.detail} if part.detail else {}
    block = {"type": "image_url", "image_url": {"url": write_source(part, place, report), **detail}}
    return merged(block, report.native(part.native, place))


def _document(part: Document, place: str, report: MappingReportBuilder) -> Body:
    if part.data is None:
        report.refuse(f"{place} is a document behind a URL; Chat Completions takes documents as data only.")
    file = {"filename": part.title or "document", "file_data": write_source(part, place, report)}
    return merged({"type": "file", "file": file}, report.native(part.native, place))


def _result(part: ToolResult, place: str, report: MappingReportBuilder, pictures: list[Body]) -> Body:
    """A tool's result as text; what is not text goes into the user message behind the results."""
    if part.is_error:
        report.change(f"{place}.is_error", "dropped: Chat Completions has no such mark; the text tells it")
    texts: list[Body] = []
    for inner, where in placed(part.parts, place):
        written = _part(inner, Role.USER, where, report)
        if isinstance(inner, Image | Document):
            report.change(where, "moved behind the tool results: they hold text alone here")
            pictures.extend([{"type": "text", "text": f"Part of the result of tool call {part.id}:"}, *written])
        else:
            texts += written
    content = bare_text(texts) or ""
    return {"role": "tool", "tool_call_id": part.id, "content": content, **report.native(part.native, place)}


def _call(part: Part, turn: Turn, place: str, report: MappingReportBuilder) -> list[Body]:
    if isinstance(part, Opaque) and not part.as_turn and is_call(part) and turn.role is Role.ASSISTANT:
        return report.opaque(part)
    if not isinstance(part, ToolUse):
        return []
    function = {"name": part.name, "arguments": write_arguments(arguments_of(part, place, report))}
    call = {"id": part.id, "type": "function", "function": function}
    return [merged(call, report.native(part.native, place))]


def _tool(tool: Tool, profile: ServerProfile, report: MappingReportBuilder) -> Body:
    parameters, strict = openai.schema_of(tool, report, profile.decoding)
    if not profile.empty_parameters and not parameters.get("properties"):
        report.change(f"tools[{tool.name}].parameters", f"dropped: {profile.name} refuses an object without properties")
        parameters = {}
    function: Body = {
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters or None,
        "strict": strict,
    }
    native = report.native(tool.native, f"tools[{tool.name}]")
    return merged({"type": "function", "function": openai.given(function)}, native)
