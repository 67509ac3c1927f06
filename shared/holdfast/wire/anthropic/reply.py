"""Anthropic Messages: an answer is taken apart, and becomes the neutral reply."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.reply import Finish, Reply, Usage
from holdfast.wire.answer_parts import AnswerText, Path, ReadAnswer, WebCitation, said_figures
from holdfast.wire.anthropic.read import WIRE
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.finishes import read_end
from holdfast.wire.reply_builder import ReplyBuilder, left_of
from holdfast.wire.told_failure import refuse_told_failure
from holdfast.wire.usages import checked, figure, inner

# All stop reasons of anthropic 2.14, and those of its beta. A test compares the keys with the SDK's own Literals.
FINISH: Mapping[str, Finish] = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.REFUSED,
    "pause_turn": Finish.OTHER,  # server tools took long: the answer goes on when it is sent back
    "compaction": Finish.OTHER,  # the same, where a context was summarised
}
# The word for each end, where its provider's own is none of this format.
STOP_REASONS: Mapping[Finish, str] = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.REFUSED: "refusal",
    Finish.OTHER: "end_turn",
}
CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")
READ = frozenset({"type", "id", "name", "input"})  # of a call; the rest is native
DETAILS = ("stop_sequence", "stop_details", "container")  # what more the format says about the answer
# Blocks that tell of work that the provider has done; a test walks the SDK's unions, so that new ones are seen.
DONE_THERE = frozenset(
    {
        "server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
        "bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result",
        "container_upload", "advisor_tool_result", "mcp_tool_use", "mcp_tool_result", "mcp_tool_listing", "compaction",
        "fallback",
    }
)  # fmt: skip


def read_reply(body: Any) -> Reply:
    """Read the body of a 200. Raises BadAnswer."""
    return _read(body)[1]


def read_answer(body: Any) -> ReadAnswer:
    """Take the body of a 200 apart. Raises BadAnswer."""
    built, reply = _read(body)
    return built.answer(reply, _said(body, reply))


def _read(body: Any) -> tuple[ReplyBuilder, Reply]:
    refuse_told_failure(body, answer="content")
    blocks = body.get("content")
    if blocks is None and isinstance(body.get("stop_reason"), str):
        blocks = []  # of a refusal, at some servers
    if body.get("type") not in ("message", None) or not isinstance(blocks, list):
        raise BadAnswer("the answer is no message.")
    end = read_end(body.get("stop_reason"), FINISH, "message")
    built = ReplyBuilder(WIRE, "message", end, body.get("id"))
    for index, block in enumerate(blocks):
        _hear(built, block, ("content", index))
    return built, built.reply(body.get("model"), read_usage(body.get("usage")), _native(body, blocks))


def _said(body: Mapping[str, Any], reply: Reply) -> list[Path]:
    """What every format says of the message itself. The word for the end, where it is the plain one."""
    usage, paths = reply.usage, list[Path]([("type",), ("role",)])
    paths += [("model",)] * (body.get("model") == reply.model)
    paths += [("stop_reason",)] * (STOP_REASONS[reply.finish] == reply.finish_word)
    figures: list[tuple[Path, int]] = [
        (("input_tokens",), usage.input - usage.cached - usage.cache_written),
        (("output_tokens",), usage.output),
        (("output_tokens_details", "thinking_tokens"), usage.reasoning),
        *zip(((key,) for key in CACHE), (usage.cached, usage.cache_written), strict=True),
    ]
    return paths + said_figures(body.get("usage"), ("usage",), figures)


def _hear(built: ReplyBuilder, block: Any, at: Path) -> None:
    place, kind = f"content[{at[-1]}]", (*at, "type")
    match block:
        case {"type": "text", "text": str(text)}:
            cited = _citations(block.get("citations"), text, (*at, "citations"))
            built.say(AnswerText(text, (kind, (*at, "text")), citations=cited))
        case {"type": "thinking", "thinking": str(text)}:
            built.think([text], block, kind, (*at, "thinking"))
        case {"type": "redacted_thinking"}:
            built.think([], block, kind)
        case {"type": "tool_use"}:
            paths = ((*at, "id"), kind, (*at, "name"), (*at, "input"))
            left = left_of(block, READ)
            built.call(block.get("id"), block.get("name"), block.get("input"), left, *paths, as_text=False)
        case {"type": str(known)} if known in DONE_THERE:
            built.holds_more = True
        case {"type": unknown}:
            built.unread(place, unknown)
        case _:
            built.unread(place, None)


def _citations(given: Any, text: str, at: Path) -> tuple[WebCitation, ...]:
    """The pages that a block is taken from as a whole; what is cited of documents, other formats cannot say."""
    found: list[WebCitation] = []
    for index, each in enumerate(given if isinstance(given, list) else ()):
        match each:
            case {"type": "web_search_result_location", "url": str(url), "title": str() | None as title}:
                paths = tuple((*at, index, key) for key in ("type", "url", "title"))
                found.append(WebCitation(url, title or "", 0, len(text), paths))
    return tuple(found)


def _native(body: Mapping[str, Any], blocks: list[Any]) -> dict[str, Any]:
    """What no other format can say: the end in detail, and all blocks in their order where some are of this format."""
    native = {key: body[key] for key in DETAILS if body.get(key) is not None}
    return native if all(_is_plain(block) for block in blocks) else native | {"content": blocks}


def _is_plain(block: Any) -> bool:
    """Whether every format can say what a block says."""
    match block:
        case {"type": "text" | "tool_use"}:
            return not block.get("citations")
    return False


def read_usage(usage: Any) -> Usage:
    """Total input is the sum of three figures here, and a compaction's tokens stand apart (anthropic 2.14, BetaUsage).

    Without figures, the usage is marked as estimated.
    """
    told = _Figures(usage)
    for apart in _compactions(usage):
        told.add(_Figures(apart))
    return checked(
        told.input,
        told.output,
        cached=told.cached,
        cache_written=told.written,
        reasoning=figure(inner(usage, "output_tokens_details"), "thinking_tokens") or 0,
    )


def _compactions(usage: Any) -> list[Any]:
    iterations = inner(usage, "iterations")
    return [each for each in iterations if inner(each, "type") == "compaction"] if isinstance(iterations, list) else []


class _Figures:
    """The figures of one iteration, or of all."""

    def __init__(self, usage: Any) -> None:
        given, cache = figure(usage, "input_tokens"), {key: figure(usage, key) for key in CACHE}
        doubtful = any(count is None and inner(usage, key) is not None for key, count in cache.items())
        read, made = cache.values()
        by_age = inner(usage, "cache_creation")
        if made is None and isinstance(by_age, dict):
            made = sum(figure(by_age, key) or 0 for key in by_age)
        self.cached, self.written = read or 0, made or 0
        self.input = None if given is None or doubtful else given + self.cached + self.written
        self.output = figure(usage, "output_tokens")

    def add(self, apart: "_Figures") -> None:
        """Add those of a compaction. What the whole does not tell stays unknown."""
        self.cached += apart.cached
        self.written += apart.written
        if self.input is not None:
            self.input += apart.input or 0
        if self.output is not None:
            self.output += apart.output or 0
