"""What Chat Completions and Responses share when they are written: tools, shapes, the end user, native fields."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from holdfast.model.request import Document, Image, Natives, Output, Request, Role, Tool
from holdfast.model.route import Api
from holdfast.wire import media
from holdfast.wire.mapping_report import MappingReportBuilder
from holdfast.wire.openai import CHAT, RESPONSES
from holdfast.wire.schema import completed, loosened, refusals
from holdfast.wire.strict_rules import StrictRules

SHARED = frozenset(
    {
        "service_tier", "store", "metadata", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "top_logprobs", "moderation",
    }
)  # fmt: skip
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
UNNAMED: str = Output.model_fields["name"].default
USER_ID = 128  # characters of the end user's id (safety_identifier, in the SDK's types)
LOGPROBS = "message.output_text.logprobs"  # what Responses includes where Chat says logprobs
Body = dict[str, Any]


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


def write_format(
    output: Output | None, report: MappingReportBuilder, schema_in: str | None, rules: StrictRules | None
) -> Body | None:
    """Write the shape of the answer. ``schema_in``: the key of the object that holds name and schema."""
    if output is None:
        return None
    if output.json_schema is None:
        return {"type": "json_object"}
    written = _write_schema(output, output.json_schema, report, rules)
    return {"type": "json_schema", **({schema_in: written} if schema_in else written)}


def _write_schema(output: Output, schema: Body, report: MappingReportBuilder, rules: StrictRules | None) -> Body:
    """Write name and schema. One that strict decoding refuses goes without it, or looser, and is checked by us."""
    strict = output.strict
    if "type" not in schema and "properties" in schema:
        schema = {"type": "object", **schema}
        report.change("output.json_schema", "completed: its outermost type is object")
    if rules and rules.by_flag:
        strict = _strictness(strict, schema, rules, "output.strict", report)
    elif rules and (found := loosened(schema, rules)):
        schema = _told(found.schema, found.lost, schema, "output.json_schema", report)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", output.name)[:64] or UNNAMED
    if name != output.name:
        report.change("output.name", f"became {name}: 1 to 64 letters, digits, _ or - are taken there")
    named = {"name": name, "schema": schema, "strict": strict, "description": output.description}
    return given(named)


def schema_of(tool: Tool, report: MappingReportBuilder, rules: StrictRules | None) -> tuple[Body, bool | None]:
    """Return a tool's schema as the target takes it, and whether it is strict."""
    place = f"tools[{tool.name}]"
    schema = completed(tool.parameters, properties=True)
    if schema != tool.parameters:
        report.change(f"{place}.parameters", "completed: a tool's schema is an object with properties there")
    if rules is None or not rules.by_flag:
        found = loosened(schema, rules) if rules else None
        return _told(found.schema, found.lost, schema, place, report) if found else schema, tool.strict
    return schema, _strictness(tool.strict, schema, rules, f"{place}.strict", report)


def _strictness(
    strict: bool | None,  # noqa: FBT001 - a value that is passed on
    schema: Body,
    rules: StrictRules,
    field: str,
    report: MappingReportBuilder,
) -> bool | None:
    """Whether decoding may be strict: not where the target would refuse the schema for it."""
    problems = refusals(schema, rules) if strict else ()
    if not problems:
        return strict
    report.change(field, f"dropped: {rules.target}'s strict decoding refuses {', '.join(problems)}")
    return False


def _told(schema: Body, lost: tuple[str, ...], asked: Body, field: str, report: MappingReportBuilder) -> Body:
    if lost:
        report.change(field, f"rules of its schema are told in words: {', '.join(lost)}")
    elif schema != asked:
        report.change(field, "its schema was written as decoding there takes it")
    return schema


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that have a value."""
    return {key: value for key, value in options.items() if value is not None}


def write_choice(request: Request, name_in: str | None) -> Any:
    """Write ``tool_choice``. ``name_in``: the key of the object that holds the name; None: it stands in the choice."""
    choice = request.tool_choice
    if choice is None:
        return None
    if choice.mode == "tool":
        return {"type": "function", **({name_in: {"name": choice.name}} if name_in else {"name": choice.name})}
    return "required" if choice.mode == "any" else choice.mode


def write_source(part: Image | Document, place: str, report: MappingReportBuilder) -> str:
    if part.url is not None:
        return part.url
    return media.data_url(media.known_type(part.media_type, place, report) or "", part.data or "")


def most_tokens(request: Request, report: MappingReportBuilder) -> int | None:
    """Return the maximum of an answer. Raises Unmappable where none was wanted."""
    if request.max_tokens == 0:
        report.refuse("it asks for no answer: only Anthropic warms a cache with a maximum of 0.")
    return request.max_tokens


def end_user(request: Request, key: str | None, whose: str, report: MappingReportBuilder) -> Body:
    """The end user under the target's key, as a stand-in of the right length where the id is too long."""
    user = request.user
    if user is None or key is None:
        if user is not None:
            report.change("user", f"dropped: {whose} has no field for it")
        return {}
    if len(user) > USER_ID:
        report.change("user", f"replaced by its hash: {whose} takes at most {USER_ID} characters")
        user = sha256(user.encode()).hexdigest()
    return {request.user_key or key: user}


def write_effort(effort: str | None, known: str | None, whose: str, report: MappingReportBuilder) -> str | None:
    """The effort that is sent, ``known``, with a note where it is another than was asked for."""
    if effort is not None and known != effort:
        what = "dropped" if known is None else f"{effort} became {known}"
        report.change("effort", f"{what}: {whose} knows no effort {effort}")
    return known


def native_fields(native: Natives, report: MappingReportBuilder) -> Body:
    """The native fields of this format, and those of its sister that mean the same here."""
    if not native:
        return {}
    sister = RESPONSES if report.wire == CHAT else CHAT
    theirs = native.get(sister, {})
    same = {key: value for key, value in theirs.items() if key in SHARED}
    others = {key: value for key, value in theirs.items() if key not in SHARED}
    translate = _from_responses if sister == RESPONSES else _from_chat
    moved, others = translate(others, same)
    return {**same, **moved, **report.native({**native, sister: others} if sister in native else native)}


def _from_responses(others: Body, same: Body) -> tuple[Body, Body]:
    """What Responses says elsewhere than Chat: verbosity inside of ``text``, logprobs among what is included."""
    moved: Body = {}
    text, include = others.get("text"), others.get("include")
    if isinstance(text, Mapping) and "verbosity" in text:
        moved["verbosity"] = text["verbosity"]
        rest = {key: value for key, value in text.items() if key != "verbosity"}
        others = {key: value for key, value in others.items() if key != "text"} | ({"text": rest} if rest else {})
    if isinstance(include, list) and LOGPROBS in include:
        moved["logprobs"] = True
        others = {**others, "include": [each for each in include if each != LOGPROBS]}
    if "top_logprobs" in same:
        moved["logprobs"] = True  # Chat takes top_logprobs only beside it
    return moved, others


def _from_chat(others: Body, _same: Body) -> tuple[Body, Body]:
    moved: Body = {}
    if "verbosity" in others:
        moved["text"] = {"verbosity": others["verbosity"]}
    if others.get("logprobs") is True:
        moved["include"] = [LOGPROBS]
    return moved, {key: value for key, value in others.items() if key not in {"verbosity", "logprobs"}}
