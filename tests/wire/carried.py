"""What of a request arrived on the other side, and what was lost without a word.

A request is taken apart into facts. A fact that is another one on the other side must be named in the report. Not
facts are the ways in which formats say the same thing differently: neighbours of one role are one turn; ids of calls
are labels, only which result belongs to which call counts; a name for the shape of the answer or for a file without a
title is one too; Anthropic's maximum is what its format demands where none was asked for; a tool is
strict or it is not.
"""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from holdfast.model.job import MappingReport
from holdfast.model.request import Part, Request, Role, Text, ToolResult, ToolUse

Facts = dict[str, Any]
PLAIN_FIELDS = ("temperature", "top_p", "effort", "user", "stop")


def silent_losses(request: Request, report: MappingReport, again: Request) -> list[str]:
    """Name every fact of ``request`` that ``again`` does not hold and ``report`` does not tell."""
    told = {change.field: change.note for change in report.notes}
    before, after = facts(request), facts(again)
    if request.max_tokens is None:
        before["max_tokens"] = after.get("max_tokens")
    differ = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    lost = [key for key in differ if key not in told and not any(is_about(field, key) for field in told)]
    if "output" in told:  # asked for in the system prompt: both are told by it
        lost = [key for key in lost if not key.startswith(("output", "conversation"))]
    if "output.json_schema" in told:
        lost = [key for key in lost if key not in {"output", "conversation"}]
    if any("marked part" in note for note in told.values()):
        lost.append("conversation")
    if "conversation" in lost or "output" in told or "output.json_schema" in told:
        lost = [key for key in lost if key != "conversation"] + conversation_losses(request, told, again)
    return sorted(lost)


def is_about(field: str, key: str) -> bool:
    """Whether a note tells of ``key``: of something inside of it, or of it inside of something."""
    return field.startswith((f"{key}.", f"{key}[")) or field == f"text.{key}"


def facts(request: Request) -> Facts:
    """Everything outside of the conversation by the name that a report gives it, and the conversation."""
    found: Facts = {name: getattr(request, name) for name in PLAIN_FIELDS}
    found["max_tokens"] = request.max_tokens
    found["conversation"] = list(spoken(request, {}))
    if request.output is not None:
        found["output"] = "schema" if request.output.json_schema is not None else "object"
        found["output.json_schema"] = request.output.json_schema
        found["output.description"] = request.output.description
    for tool in request.tools:
        found[f"tools[{tool.name}]"] = (tool.description, tool.parameters)
        found[f"tools[{tool.name}].strict"] = tool.strict or None
        found |= natives(tool.native, f"tools[{tool.name}].")
    if request.tools:
        choice = request.tool_choice.model_dump() if request.tool_choice else {"mode": "auto", "name": None}
        own = any("tool_choice" in fields for fields in request.native.values())
        found["tool_choice"] = None if own else choice
        found["parallel_tool_calls"] = None if choice["mode"] == "none" else request.parallel_tools
    return {key: value for key, value in (found | natives(request.native)).items() if value not in (None, ())}


def natives(native: Mapping[str, Mapping[str, Any]], place: str = "") -> Facts:
    found = {f"{place}{key}": value for fields in native.values() for key, value in fields.items()}
    text = found.pop("text", None) or {}  # where Responses says how verbose an answer is
    return found | {("verbosity" if key == "verbosity" else f"text.{key}"): value for key, value in text.items()}


def conversation_losses(request: Request, told: Mapping[str, str], again: Request) -> list[str]:
    """What was said and did not arrive. Where the report tells of another order, only the order may differ."""
    before, after = ([unmarked(each) for each in said] for said in (spoken(request, told), spoken(again, {})))
    asked = {"output", "output.json_schema"} & told.keys()
    if asked and any("system prompt" in told[key] for key in asked):
        before, after = without_asked(before), without_asked(after)
    if "turns" in told or any("moved" in note for note in told.values()):
        before, after = (
            sorted(map(repr, before)),
            [each for each in sorted(map(repr, after)) if "Part of the" not in each],
        )
    return [f"conversation: {was} became {is_}" for was, is_ in zip_longest(before, after) if was != is_][:1]


def unmarked(said: tuple[str, Any]) -> tuple[str, Any]:
    """What a system turn says, where only a user may speak: it is told as a marked part of a user's turn."""
    text = said[1]
    if said[0] == Role.USER and isinstance(text, str) and text.startswith("<system>"):
        return Role.SYSTEM, text.removeprefix("<system>\n").removesuffix("\n</system>")
    return said


def without_asked(said: list[Any]) -> list[Any]:
    return [
        (role, text.partition("Answer with")[0].rstrip() if isinstance(text, str) else text)
        for role, text in said
        if not (role == Role.SYSTEM and isinstance(text, str) and text.startswith("Answer with"))
    ]


def spoken(request: Request, told: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Who said what, in order. Parts that ``told`` calls dropped are left out, and so are their dropped marks."""
    numbers: dict[str, int] = {}
    system = [request.system] if request.system else []
    turns = list(enumerate(request.turns))
    while turns and turns[0][1].role is Role.SYSTEM:
        index, turn = turns.pop(0)
        system += [
            part.text
            for place, part in enumerate(turn.parts)
            if isinstance(part, Text) and part.text and f"turns[{index}].parts[{place}]" not in told
        ]
    if system:
        yield Role.SYSTEM, "\n\n".join(system)
    for index, turn in turns:
        for place, part in enumerate(turn.parts):
            where = f"turns[{index}].parts[{place}]"
            if where not in told:
                yield turn.role, said(part, where, told, numbers)
                if isinstance(part, ToolResult):
                    yield from moved(part, where, told)


def moved(part: ToolResult, where: str, told: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """What stood in a result and is told to stand behind it now."""
    for index, inner in enumerate(part.parts):
        if "moved" in told.get(f"{where}.parts[{index}]", ""):
            yield Role.USER, said(inner, f"{where}.parts[{index}]", {}, {})


def said(part: Part, where: str, told: Mapping[str, str], numbers: dict[str, int]) -> Any:
    """One part as plain values. Its own format's marks are part of it, unless ``told`` names them."""
    value = part.model_dump(exclude={"native", "id", "parts"}, exclude_none=True)
    if not value.get("title"):
        value.pop("title", None)
    if value.get("title") == "document":
        del value["title"]
    for key in ("detail", "is_error"):
        if f"{where}.{key}" in told:
            value.pop(key, None)
    if f"{where}.media_type" in told:
        value["media_type"] = "text/plain"
    if isinstance(part, ToolResult):
        value["is_error"] = value.get("is_error", False)
        value["parts"] = [
            said(inner, f"{where}.parts[{index}]", told, numbers)
            for index, inner in enumerate(part.parts)
            if f"{where}.parts[{index}]" not in told
        ]
        value["parts"] = [] if value["parts"] == [""] else value["parts"]  # both are an empty result
    if isinstance(part, ToolUse | ToolResult):
        value["call"] = numbers.setdefault(part.id, len(numbers))
    marks = natives(getattr(part, "native", {}))
    value |= {f"native.{key}": mark for key, mark in marks.items() if f"{where}.{key}" not in told}
    return value["text"] if value.keys() == {"type", "text"} else value
