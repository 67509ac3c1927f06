"""Anthropic Messages, outbound: the neutral request becomes a body, and a report of what it could not say."""

import re
from collections.abc import Iterable
from hashlib import sha256
from itertools import takewhile
from typing import Any

from holdfast.model import exact_json
from holdfast.model.job import MappingReport
from holdfast.model.request import Output, Request, Role, Tool, Turn
from holdfast.wire.anthropic.claude import Claude, budget_of, claude_of
from holdfast.wire.anthropic.content import TOOL_NAME, Block, Message, write_blocks, write_messages
from holdfast.wire.anthropic.read import WIRE
from holdfast.wire.call_ids import ANTHROPIC_IDS, with_call_ids
from holdfast.wire.effort import LEVELS, nearest_level
from holdfast.wire.mapping_report import MappingReportBuilder, merged
from holdfast.wire.schema import Loosened, completed, loosened, refusals
from holdfast.wire.strict_rules import ANTHROPIC

DEFAULT_MAX_TOKENS = 8_192  # the format requires a maximum; what it cuts is flagged by the finish
# metadata.user_id must not hold what names a person: an address of mail, a number of a telephone (MetadataParam).
IDENTIFYING = re.compile(r"[^@\s]+@[^@\s]+|[+(]?\d[\d\s()./-]*")
FORBID_THINKING = frozenset({"any", "tool"})  # choices of a tool; extended-thinking, "tool_choice"
ROOT_UNIONS = ("anyOf", "oneOf", "allOf")  # "input_schema does not support oneOf, allOf, or anyOf at the top level"
Body = dict[str, Any]


def write_request(request: Request, model: str) -> tuple[Body, MappingReport]:
    """Write a body for ``model``. Raises Unmappable."""
    report, claude = MappingReportBuilder(WIRE), claude_of(model)
    request = with_call_ids(report.choosable(request), ANTHROPIC_IDS, report)
    leading = list(takewhile(lambda turn: turn.role is Role.SYSTEM, request.turns))
    native = report.native(request.native)
    asked, config = _output(request.output, report)
    blocks = _system_blocks(request.system, native.pop("system", None), leading, report)
    messages = write_messages(request, len(leading), report, later_system=claude.later_system)
    _check_ends(messages, model, claude, report)
    maximum = DEFAULT_MAX_TOKENS if request.max_tokens is None else request.max_tokens
    body: Body = {"model": model, "max_tokens": maximum, "messages": messages}
    _put(body, "system", _system([*blocks, *_asked(asked)]))
    _put(body, "stop_sequences", _stops(request.stop, report))
    _put(body, "tools", _tools(request, report))
    _put(body, "tool_choice", _choice(request, report))
    effort = _effort(request, claude, maximum, report)
    _put(body, "output_config", config | effort.pop("output_config", {}))
    body |= effort
    _put(body, "metadata", _metadata(request.user, report))
    for name in ("temperature", "top_p"):
        if getattr(request, name) is not None:
            report.change(name, "dropped: Anthropic no longer takes sampling parameters")
    return merged(body, native), report.report()


def _put(body: Body, key: str, value: Any) -> None:
    if value:
        body[key] = value


def _system_blocks(text: str | None, own: Any, leading: Iterable[Turn], report: MappingReportBuilder) -> list[Block]:
    """The system prompt: as its own blocks where it was written in blocks, and the system turns at the beginning."""
    blocks = own if isinstance(own, list) else [{"type": "text", "text": text}] if text else []
    lifted = (block for index, turn in enumerate(leading) for block in _lifted(turn, f"turns[{index}]", report))
    return [*blocks, *lifted]


def _lifted(turn: Turn, place: str, report: MappingReportBuilder) -> list[Block]:
    """The blocks of a system turn, with their marks; those of the turn itself have no place in the prompt."""
    blocks = list(write_blocks(turn.parts, place, report))
    if any(block["type"] != "text" for block in blocks):
        report.refuse(f"{place} is a system turn that holds more than text.")
    for key in report.native(turn.native, place):
        report.change(f"{place}.{key}", "dropped: the turn became part of the system prompt")
    return blocks


def _asked(sentence: str | None) -> list[Block]:
    return [{"type": "text", "text": sentence}] if sentence else []


def _system(blocks: list[Any]) -> Any:
    """The system prompt as one text, or as blocks where they have marks."""
    if all(isinstance(block, dict) and block.keys() == {"type", "text"} for block in blocks):
        return "\n\n".join(block["text"] for block in blocks)
    return blocks


def _check_ends(messages: list[Message], model: str, claude: Claude, report: MappingReportBuilder) -> None:
    if not messages:
        report.refuse("it has no turn with content.")
    if messages[0]["role"] != Role.USER:
        report.refuse("its first turn must be the user's.")
    if messages[-1]["role"] == Role.ASSISTANT and not claude.begun_answers:
        report.refuse(f"its last turn is the assistant's, and {model} continues no begun answer.")


def _tools(request: Request, report: MappingReportBuilder) -> list[Block]:
    names = [tool.name for tool in request.tools]
    if len(set(names)) < len(names):
        report.refuse("two tools have the same name.")
    own = [block for tool in request.provider_tools for block in report.opaque(tool)]
    return [_tool(tool, report) for tool in request.tools] + own


def _tool(tool: Tool, report: MappingReportBuilder) -> Block:
    place = f"tools[{tool.name}]"
    if not TOOL_NAME.fullmatch(tool.name):
        report.refuse(f"the tool name {tool.name!r} must be 1 to 128 letters, digits, _ or -.")
    parameters, strict = _strictly(tool, place, report)
    written: Block = {"name": tool.name, "input_schema": _rooted(parameters, place, report)}
    _put(written, "description", tool.description)
    if strict is not None:
        written["strict"] = strict
    return {**written, **report.native(tool.native, place)}


def _rooted(parameters: Block, place: str, report: MappingReportBuilder) -> Block:
    """A tool's schema whose outermost level is an object and no union."""
    whole = completed(parameters, properties=False)
    if whole != parameters:
        report.change(f"{place}.parameters", "completed: a tool's schema has the type object there")
    unions = [key for key in ROOT_UNIONS if key in whole]
    if not unions:
        return whole
    report.change(f"{place}.parameters", f"its outermost {', '.join(unions)} is told in words: Anthropic refuses it")
    words = " ".join(f"({key}: {exact_json.dumps(whole[key]).decode()})" for key in unions)
    rest = {key: value for key, value in whole.items() if key not in unions}
    return {**rest, "description": " ".join(filter(None, (rest.get("description"), words)))}


def _strictly(tool: Tool, place: str, report: MappingReportBuilder) -> tuple[Block, bool | None]:
    """A tool's schema and strictness. A strict one must be as Anthropic's decoding takes it, or the call is refused."""
    if not tool.strict:
        return tool.parameters, tool.strict
    whole = completed(tool.parameters, properties=False)
    found = loosened(whole, ANTHROPIC)
    if found is None:
        report.change(f"{place}.strict", f"dropped: strict decoding there refuses {_why(whole)}")
        return tool.parameters, False
    if found.lost:
        report.change(place, f"rules of its schema are told in words: {', '.join(found.lost)}")
    elif found.schema != whole:
        report.change(place, "its schema was written as Anthropic's strict decoding demands it")
    return found.schema, True


def _why(schema: Block) -> str:
    return ", ".join(refusals(schema, ANTHROPIC))


def _choice(request: Request, report: MappingReportBuilder) -> Block | None:
    choice, parallel = request.tool_choice, request.parallel_tools
    if choice is None and parallel is None:
        return None
    mode = choice.mode if choice else "auto"
    written: Block = {"type": mode}
    _put(written, "name", choice.name if choice else None)
    if parallel is not None and mode != "none":
        written["disable_parallel_tool_use"] = not parallel
    elif parallel is not None:
        report.change("parallel_tool_calls", "dropped: no tool may be called")
    return written


def _stops(stops: tuple[str, ...], report: MappingReportBuilder) -> list[str]:
    for stop in stops:
        if not stop.strip():
            report.change("stop", "a stop sequence of white space alone was dropped: Anthropic refuses it")
    return [stop for stop in stops if stop.strip()]


def _metadata(user: str | None, report: MappingReportBuilder) -> Block:
    if user is None or not IDENTIFYING.fullmatch(user.strip()):
        return {"user_id": user} if user else {}
    report.change("user", "replaced by its hash: Anthropic wants no address or number of a person")
    return {"user_id": sha256(user.encode()).hexdigest()}


def _effort(request: Request, claude: Claude, maximum: int, report: MappingReportBuilder) -> Body:
    """How much to think: a level, with adaptive thinking where that alone does nothing, or a budget, or nothing."""
    effort = request.effort
    if effort is None:
        return {}
    level = nearest_level(effort, claude.efforts) if effort in LEVELS else None
    forced = request.tool_choice is not None and request.tool_choice.mode in FORBID_THINKING
    own = "thinking" in request.native.get(WIRE, {})
    thinks = effort in LEVELS[1:] and not (forced or own)
    budget = budget_of(effort, maximum) if thinks and not _in_a_round(request) else None
    said: Body = {"output_config": {"effort": level}} if claude.efforts and level else {}
    if claude.adaptive and said and thinks:
        said["thinking"] = {"type": "adaptive"}
    elif claude.budgets and budget is not None:
        said["thinking"] = {"type": "enabled", "budget_tokens": budget}
        report.change("effort", f"{effort} became a budget of {budget} tokens of thinking: this model knows no other")
    if not said:
        report.change("effort", f"dropped: {_no_effort(claude)} {effort}")
    elif level != effort and claude.efforts:
        report.change("effort", f"{effort} became {level}, the nearest level that this model knows")
    return said


def _no_effort(claude: Claude) -> str:
    return "Claude knows no level" if claude.efforts else "this model, or this conversation, has no room to think at"


def _in_a_round(request: Request) -> bool:
    """Whether the last answer called tools: with a budget it would have to begin with the thinking that it had."""
    answers = [turn for turn in request.turns if turn.role is Role.ASSISTANT]
    return bool(answers) and any(part.type == "tool_use" for part in answers[-1].parts)


def _output(output: Output | None, report: MappingReportBuilder) -> tuple[str | None, Body]:
    """The shape of the answer: a sentence for the system prompt where decoding cannot be told, or ``format``."""
    if output is None:
        return None, {}
    if output.json_schema is None:
        why = "asked for in the system prompt: Anthropic has no plain JSON mode; the answer is checked"
        report.change("output", why)
        return "Answer with one JSON object and nothing else.", {}
    if output.description:
        report.change("output.description", "dropped: Anthropic has no field for it")
    if output.name != Output.model_fields["name"].default:
        report.change("output.name", "dropped: Anthropic has no field for it")
    found = loosened(output.json_schema, ANTHROPIC)
    if found is None:
        why = (
            f"asked for in the system prompt: decoding there refuses {_why(output.json_schema)}; the answer is checked"
        )
        report.change("output.json_schema", why)
        wanted = exact_json.dumps(output.json_schema).decode()
        return f"Answer with JSON that satisfies this JSON Schema and nothing else: {wanted}", {}
    _tell_shape(found, output, report)
    return None, {"format": {"type": "json_schema", "schema": found.schema}}


def _tell_shape(found: Loosened, output: Output, report: MappingReportBuilder) -> None:
    if found.lost:
        report.change("output.json_schema", f"told in words: {', '.join(found.lost)}; the answer is checked")
    elif found.schema != output.json_schema:
        why = "written as Anthropic demands it, its objects closed; the answer is checked"
        report.change("output.json_schema", why)
