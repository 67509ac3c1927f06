"""What Chat Completions and Responses share: roles, tools, shapes of the answer, arguments, native fields."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Document, Image, Natives, Output, Request, Role, Tool, ToolChoice
from holdfast.model.route import Api
from holdfast.wire import media
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.fields import Fields
from holdfast.wire.mapping_report import MappingReportBuilder
from holdfast.wire.reading import need_inner
from holdfast.wire.schema import is_strict

CHAT, RESPONSES = Api.OPENAI_CHAT.value, Api.OPENAI_RESPONSES.value
SHARED = frozenset(
    {
        "service_tier", "store", "metadata", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "top_logprobs", "moderation",
    }
)  # fmt: skip
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
CHAT_ID, RESPONSES_ID = 40, 64  # characters of a tool call's id
USER_ID = 64  # characters of the end user's id
ROLES: Mapping[str, Role] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,  # OpenAI reads one as the other, whichever its model knows
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
MODES = {"auto": "auto", "none": "none", "required": "any"}  # of a choice of tools: OpenAI's, ours
SERVER_SIDE = ("audio", "web_search_options", "functions", "function_call")


def refuse_what_a_job_cannot_be(fields: Fields) -> None:
    """One job is one whole answer in text: no second choice, no sound, no work behind our back."""
    fields.any("stream_options")
    if (fields.whole("n") or 1) > 1:
        raise InvalidRequest(fields.place("n"), "a job has one answer.", "Submit the line several times.")
    if set(fields.texts("modalities")) - {"text"}:
        raise InvalidRequest(fields.place("modalities"), "only text answers are carried.")
    if fields.flag("background"):
        raise InvalidRequest(fields.place("background"), "the queue is the background already.", "Leave it out.")
    for key in SERVER_SIDE:
        if key in fields:
            raise InvalidRequest(fields.place(key), "is not carried.", "Use text, images and function tools.")


def read_role(fields: Fields, roles: Mapping[str, Role]) -> Role:
    name = fields.need_text("role")
    if name not in roles:
        raise InvalidRequest(fields.place("role"), f"expected one of {', '.join(roles)}, got {name[:40]!r}.")
    return roles[name]


def read_user(fields: Fields) -> str | None:
    """The end user: ``safety_identifier``, or ``user``, its older name."""
    if "safety_identifier" in fields:
        return fields.text("safety_identifier")
    return fields.text("user")


def read_arguments(text: str, where: str) -> dict[str, Any]:
    """Parse a call's arguments, which must be a JSON object. Empty text is the empty object."""
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(where, "expected a JSON object as text, got broken JSON.") from error
    if not isinstance(value, dict):
        raise InvalidRequest(where, "expected a JSON object as text.")
    return value


def call_id(given: str, most: int) -> str:
    """The id itself, or, where it is empty or longer than ``most``, the same stand-in for the same id."""
    if 0 < len(given) <= most:
        return given
    return f"call_{sha256(given.encode()).hexdigest()[:24]}"


def write_arguments(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()


def read_format(form: Fields, schema: Fields) -> Output | None:
    """Read the shape of the answer. ``schema`` holds name and schema: inside ``form`` in Chat, ``form`` itself else."""
    kind = form.need_text("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return Output()
    if kind != "json_schema":
        raise InvalidRequest(form.place("type"), f"expected text, json_object or json_schema, got {kind[:40]!r}.")
    return Output(
        name=schema.need_text("name"),
        json_schema=schema.need_object("schema"),
        strict=schema.flag("strict"),
        description=schema.text("description"),
    )


def write_format(output: Output | None, report: MappingReportBuilder, schema_in: str | None) -> dict[str, Any] | None:
    """Write the shape of the answer. ``schema_in``: the key of the object that holds name and schema."""
    if output is None:
        return None
    if output.json_schema is None:
        return {"type": "json_object"}
    written = write_schema(output, report)
    return {"type": "json_schema", **({schema_in: written} if schema_in else written)}


def write_schema(output: Output, report: MappingReportBuilder) -> dict[str, Any]:
    """Write name and schema. One that strict decoding refuses goes without it, and is checked by us alone."""
    strict = output.strict
    if strict and not is_strict(output.json_schema):
        strict = False
        report.change("output.strict", "dropped: OpenAI's strict decoding refuses this schema; the answer is checked")
    named = {"name": output.name, "schema": output.json_schema, "strict": strict}
    return given(named | {"description": output.description})


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that have a value."""
    return {key: value for key, value in options.items() if value is not None}


def read_choice(value: Any, where: str, name_in: str | None) -> ToolChoice | None:
    """Read ``tool_choice``; None where only this format knows what it says.

    Args:
        value: A mode, or an object that names a function.
        where: For errors.
        name_in: The key of the object that holds the name, or None where the name stands in the choice itself.
    """
    if isinstance(value, str) and value in MODES:
        return ToolChoice.model_validate({"mode": MODES[value]})
    choice = Fields(value, where)
    if choice.need_text("type") != "function":
        return None
    named = Fields(choice.need_object(name_in), choice.place(name_in)) if name_in else choice
    return ToolChoice(mode="tool", name=named.need_text("name"))


def take_choice(fields: Fields, name_in: str | None) -> tuple[ToolChoice | None, dict[str, Any]]:
    """Read ``tool_choice``, as ours, or as a native field where only this format knows what it says."""
    if "tool_choice" not in fields:
        return None, {}
    value = fields.any("tool_choice")
    choice = read_choice(value, fields.place("tool_choice"), name_in)
    return choice, {} if choice else {"tool_choice": value}


def write_choice(request: Request, name_in: str | None) -> Any:
    """Write ``tool_choice``; None where there is nothing to choose from."""
    choice = request.tool_choice
    if choice is None or not request.tools:
        return None
    if choice.mode == "tool":
        return {"type": "function", **({name_in: {"name": choice.name}} if name_in else {"name": choice.name})}
    return "required" if choice.mode == "any" else choice.mode


def read_function(tool: Fields, name_in: str | None, *, strict: bool | None = None) -> Tool:
    """Read a tool. ``name_in``: the key of the object that describes it; ``strict``: what a missing one means."""
    if (kind := tool.need_text("type")) != "function":
        raise InvalidRequest(tool.where, f"a {kind} tool is not carried.", "Use function tools.")
    read = describe_function(need_inner(tool, name_in) if name_in else tool)
    native = tool.native(CHAT if name_in else RESPONSES)
    return read.model_copy(update={"strict": strict if read.strict is None else read.strict, "native": native})


def describe_function(function: Fields) -> Tool:
    """Read what a tool's function is called, does and takes."""
    return Tool(
        name=function.need_text("name"),
        description=function.text("description"),
        parameters=function.object("parameters") or {"type": "object", "properties": {}},
        strict=function.flag("strict"),
    )


def read_source(url: str, where: str) -> dict[str, Any]:
    """The fields of an Image or a Document that stand for a URL."""
    inline = media.split_data_url(url, where)
    return {"media_type": inline[0], "data": inline[1]} if inline else {"url": url}


def write_source(part: Image | Document) -> str:
    return part.url if part.url is not None else media.data_url(part.media_type or "", part.data or "")


def read_inner_error(body: Any) -> None:
    """Refuse what is no object, and an error that came inside a 200. Raises BadAnswer."""
    if not isinstance(body, Mapping):
        raise BadAnswer("the answer is no JSON object.")
    error = body.get("error")
    why = "the provider told of a failure inside a 200."
    if isinstance(error, Mapping):
        code = error.get("code") or error.get("type")
        raise BadAnswer(why, provider_code=str(code) if code else None, told=str(error.get("message") or ""))
    if isinstance(error, str) and error:  # LM Studio
        raise BadAnswer(why, told=error)


def open_report(request: Request, wire: str) -> MappingReportBuilder:
    """Begin the report of a mapping to one of OpenAI's formats. Raises Unmappable: a tool's name is none there."""
    report = MappingReportBuilder(wire)
    for tool in request.tools:
        if not TOOL_NAME.fullmatch(tool.name):
            report.refuse(f"the tool name {tool.name!r} must be 1 to 64 letters, digits, _ or -.")
    if request.written_in == Api.ANTHROPIC and request.turns[-1].role is Role.ASSISTANT:
        place = f"turns[{len(request.turns) - 1}]"  # Anthropic would go on with it
        report.change(place, "kept as something said: OpenAI's models begin a new answer instead of going on with it")
    return report


def end_user(given: str | None, report: MappingReportBuilder) -> str | None:
    """The end user's id, or a stand-in of the right length, the same for the same user."""
    if given is None or len(given) <= USER_ID:
        return given
    report.change("user", f"replaced by its hash: OpenAI takes at most {USER_ID} characters")
    return sha256(given.encode()).hexdigest()


def write_effort(effort: str | None, known: str | None, whose: str, report: MappingReportBuilder) -> str | None:
    """The effort that is sent, ``known``, with a note where it is another than was asked for."""
    if effort is not None and known != effort:
        what = "dropped" if known is None else f"{effort} became {known}"
        report.change("effort", f"{what}: {whose} knows no effort {effort}")
    return known


def strictness_of(tool: Tool, report: MappingReportBuilder) -> bool | None:
    """Whether a tool is strict: not where that would have OpenAI refuse its schema."""
    if not tool.strict or is_strict(tool.parameters):
        return tool.strict
    why = "strict decoding there demands closed objects whose properties are all required"
    report.change(f"tools[{tool.name}].strict", f"dropped: {why}")
    return False


def native_fields(native: Natives, report: MappingReportBuilder) -> dict[str, Any]:
    """The native fields of this format, and those of its sister that mean the same here."""
    sister = RESPONSES if report.wire == CHAT else CHAT
    theirs = native.get(sister, {})
    others = {key: value for key, value in theirs.items() if key not in SHARED}
    same = {key: value for key, value in theirs.items() if key in SHARED}
    return same | report.native({**native, sister: others} if sister in native else native)


def drop_sampling(request: Request, body: dict[str, Any], report: MappingReportBuilder) -> None:
    """Leave out what models that reason refuse, unless they are asked not to."""
    for key in ("temperature", "top_p", "stop"):
        if key in body and request.effort != "none" and not (key != "stop" and body[key] == 1):
            del body[key]
            report.change(key, f"dropped: {body['model']} reasons and refuses it")
