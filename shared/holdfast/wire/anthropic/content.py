"""Anthropic Messages, outbound: the blocks of a turn, and the messages that turns become."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from holdfast.model.request import (
    Document,
    Image,
    Opaque,
    Part,
    Request,
    Role,
    Text,
    Thought,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.wire import media
from holdfast.wire.arguments import arguments_of
from holdfast.wire.mapping_report import MappingReportBuilder, bare_text, merged, placed

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
MARK = "<system>\n{text}\n</system>"  # around what a system turn says where only a user may speak
Block = dict[str, Any]
Message = dict[str, Any]


def write_messages(request: Request, first: int, report: MappingReportBuilder, *, later_system: bool) -> list[Message]:
    """Write the turns from ``first`` on; neighbours of one role become one message, as the API would read them."""
    written: list[tuple[str, Message]] = []
    for index, turn in enumerate(request.turns[first:], first):
        place = f"turns[{index}]"
        made = list(_messages(turn, place, report))
        written += ((place, message) for message in made)
        if not made:
            report.empty(request, index)
    spoken: list[tuple[str, Message]] = []
    for at, (place, message) in enumerate(written):
        follows = written[at + 1][1]["role"] if at + 1 < len(written) else None
        said = message
        if message["role"] == Role.SYSTEM and not (later_system and _may_stand(spoken, follows)):
            report.change(place, "said as a marked part of a user's turn: Claude refuses a system turn there")
            said = {**message, "role": Role.USER.value, "content": [_marked(block) for block in message["content"]]}
        spoken.append((place, said))
    return [_ordered(message, report) for message in _joined(message for _, message in spoken)]


def _may_stand(before: list[tuple[str, Message]], follows: str | None) -> bool:
    """A later system turn stands behind a user's, or another system turn, and before an answer."""
    return bool(before) and before[-1][1]["role"] in {Role.USER, Role.SYSTEM} and follows != Role.USER


def _messages(turn: Turn, place: str, report: MappingReportBuilder) -> Iterator[Message]:
    """A turn's message; what stood for whole messages stands for itself."""
    native = report.native(turn.native, place)
    for part in turn.parts:
        if isinstance(part, Opaque) and part.as_turn:
            yield from report.opaque(part)
    blocks = list(write_blocks(turn.parts, place, report))
    if blocks:
        yield {"role": turn.role.value, "content": blocks, **native}


def _marked(block: Block) -> Block:
    return {**block, "text": MARK.format(text=block["text"])} if block.get("type") == "text" else block


def _joined(messages: Iterable[Message]) -> list[Message]:
    joined: list[Message] = []
    for message in messages:
        last = joined[-1] if joined else None
        if last and last["role"] == message["role"] and isinstance(last["content"], list):
            joined[-1] = {**last, **message, "content": last["content"] + message["content"]}
        else:
            joined.append(message)
    return joined


def _ordered(message: Message, report: MappingReportBuilder) -> Message:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    if len(content) == 1:
        return {**message, "content": bare_text(content)}
    ordered = sorted(content, key=lambda block: block["type"] != "tool_result")
    if ordered != content:
        report.change("turns", "tool results were moved before the rest of their turn: Anthropic demands it")
    return {**message, "content": bare_text(ordered)}


def write_blocks(parts: Iterable[Part], place: str, report: MappingReportBuilder) -> Iterator[Block]:
    for part, where in placed(parts, place):
        match part:
            case Text() if not part.text.strip():
                report.change(where, "dropped: Anthropic refuses text without a word")
                report.native(part.native, where)
            case Text():
                yield {"type": "text", "text": part.text, **report.native(part.native, where)}
            case Image():
                yield _image(part, where, report)
            case Document():
                yield _document(part, where, report)
            case ToolUse():
                yield _call(part, where, report)
            case ToolResult():
                yield _result(part, where, report)
            case Thought():
                yield from report.thought(part, where)
            case Opaque() if not part.as_turn:
                yield from report.opaque(part)


def _call(part: ToolUse, place: str, report: MappingReportBuilder) -> Block:
    given = arguments_of(part, place, report)
    if isinstance(given, str):
        report.refuse(f"{place} is a tool call whose arguments are no JSON object.")
    if not TOOL_NAME.fullmatch(part.name):
        report.refuse(f"{place} calls a tool of a name that is not 1 to 128 letters, digits, _ or -.")
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": given, **report.native(part.native, place)}


def _image(part: Image, place: str, report: MappingReportBuilder) -> Block:
    if part.detail is not None:
        report.change(f"{place}.detail", "dropped: Anthropic chooses the detail of a picture itself")
    kind = media.known_type(part.media_type, place, report)
    if part.url is not None:
        source = {"type": "url", "url": part.url}
    elif kind in PICTURES:
        source = {"type": "base64", "media_type": kind, "data": part.data or ""}
    else:
        report.refuse(f"{place} is {kind}; pictures must be jpeg, png, gif or webp.")
    return merged({"type": "image", "source": source}, report.native(part.native, place))


def _document(part: Document, place: str, report: MappingReportBuilder) -> Block:
    title = {"title": part.title} if part.title else {}
    block = {"type": "document", "source": _document_source(part, place, report), **title}
    return merged(block, report.native(part.native, place))


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
    block: Block = {"type": "tool_result", "tool_use_id": part.id}
    if content := bare_text(list(write_blocks(part.parts, place, report))):
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return {**block, **report.native(part.native, place)}
