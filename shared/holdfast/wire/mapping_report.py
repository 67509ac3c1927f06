"""The mapping report while it is being written, and which native fields may be left out elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.request import Natives, Opaque, Part, Request, Thought
from holdfast.model.route import Api

Each = TypeVar("Each", bound=Part)
# Native fields that decide what is asked: without them it would be another question, so other formats refuse it.
NEEDED = frozenset({"previous_response_id", "conversation", "prompt", "container"})
# Objects that a format's reader opens: what is left of one are single fields of it, told one by one.
OPENED: Mapping[str, frozenset[str]] = {
    Api.ANTHROPIC: frozenset({"output_config", "metadata", "format", "source", "tool_choice"}),
    Api.OPENAI_CHAT: frozenset({"response_format", "json_schema", "tool_choice", "function", "image_url", "file"}),
    Api.OPENAI_RESPONSES: frozenset({"text", "format", "reasoning", "tool_choice"}),
}
QUEUED = frozenset({"stream", "stream_options", "background", "background_options"})
ANSWERED_WHOLE = "dropped: a queued job is answered whole"


class MappingReportBuilder:
    """What one mapping to the format ``wire`` drops or changes."""

    def __init__(self, wire: str) -> None:
        self.wire = wire
        self._changes: list[MappingNote] = []

    def change(self, field: str, note: str) -> None:
        change = MappingNote(field, note)
        if change not in self._changes:
            self._changes.append(change)

    def refuse(self, problem: str) -> NoReturn:
        raise Unmappable(self.wire, problem)

    def native(self, native: Natives, place: str = "") -> dict[str, Any]:
        """Return the fields that this format knows; note or refuse those that only another one knows."""
        if not native:
            return {}
        for wire, fields in native.items():
            if wire != self.wire:
                for key, value in fields.items():
                    self._lose(wire, key, value, place)
        own = native.get(self.wire, {})
        if place:
            return own
        for key in own.keys() & QUEUED:
            self.change(key, ANSWERED_WHOLE)
        return {key: value for key, value in own.items() if key not in QUEUED}

    def thought(self, part: Thought, place: str) -> list[dict[str, Any]]:
        """Return the block of reasoning that this format's provider sealed; note that of another one."""
        if part.dialect == self.wire:
            return [part.block]
        self.change(place, f"dropped: reasoning that is bound to {part.dialect}")
        return []

    def opaque(self, part: Opaque) -> list[dict[str, Any]]:
        """Return what only one format knows where it is this one; note it, or refuse, where it is another."""
        if part.wire == self.wire:
            return [part.block]
        if part.needed:
            self.refuse(f"{part.where} exists only in {part.wire}.")
        self.change(part.where, f"dropped: only {part.wire} knows it")
        return []

    def empty(self, request: Request, index: int) -> None:
        """Tell that nothing is left of a turn. Raises Unmappable where it is the last one, which asks the question."""
        place = f"turns[{index}]"
        if index == len(request.turns) - 1 and request.turns[index].parts:
            self.refuse(f"nothing is left of {place}, the last turn.")
        self.change(place, "dropped: nothing of it is left")

    def choosable(self, request: Request) -> Request:
        """Return the request without a choice that nothing is left for. Raises Unmappable where one is demanded."""
        if request.tool_choice is None and request.parallel_tools is None:
            return request
        own = any(tool.wire == self.wire for tool in request.provider_tools)
        choice, names = request.tool_choice, {tool.name for tool in request.tools}
        if own or (names and (choice is None or choice.mode != "tool" or choice.name in names)):
            return request
        if choice is not None and choice.mode in {"any", "tool"}:
            self.refuse("it demands the call of a tool that only another format has.")
        for field, value in (("tool_choice", choice), ("parallel_tool_calls", request.parallel_tools)):
            if value is not None:
                self.change(field, "dropped: no tool is left")
        return request.model_copy(update={"tool_choice": None, "parallel_tools": None})

    def _lose(self, wire: str, key: str, value: Any, place: str) -> None:
        field = f"{place}.{key}" if place else key
        if value == []:  # says nothing, where an empty object may ask for something with its defaults
            return
        if not place and key in QUEUED:
            self.change(field, ANSWERED_WHOLE)
        elif not place and (key in NEEDED or (key == "tool_choice" and is_whole_choice(value))):
            self.refuse(f"{field} exists only in {wire}.")
        elif key == "system" and isinstance(value, list):
            self._lose_blocks(wire, value, field)
        elif key in OPENED.get(wire, ()) and isinstance(value, Mapping) and value:
            for inner, left in value.items():
                self._lose(wire, inner, left, field)
        else:
            self.change(field, f"dropped: only {wire} knows it")

    def _lose_blocks(self, wire: str, blocks: list[Any], place: str) -> None:
        """Tell what is lost of a system prompt in blocks, whose text is kept."""
        if len(blocks) > 1:
            self.change(place, "its texts are kept, joined into one")
        for index, block in enumerate(blocks):
            is_text = isinstance(block, str) or block.get("type") == "text"
            for key in [] if isinstance(block, str) else block.keys() - {"type", "text"} if is_text else block.keys():
                self.change(f"{place}[{index}].{key}", f"dropped: only {wire} knows it")

    def report(self) -> MappingReport:
        return MappingReport(tuple(self._changes))


def is_whole_choice(value: Any) -> bool:
    """Whether a native ``tool_choice`` is a choice of its own, not what is left of one that was read."""
    return not isinstance(value, Mapping) or "type" in value


def merged(body: Mapping[str, Any], native: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``body`` with the native fields, which stand in the same objects."""
    made = dict(body)
    for key, value in native.items():
        inside = made.get(key)
        if isinstance(inside, Mapping) and isinstance(value, Mapping):
            made[key] = merged(inside, value)
        else:
            made[key] = value
    return made


def placed(parts: Iterable[Each], place: str) -> Iterator[tuple[Each, str]]:
    """Yield each part with its own place."""
    return ((part, f"{place}.parts[{index}]") for index, part in enumerate(parts))


def bare_text(written: list[dict[str, Any]]) -> Any:
    """Return a content as every format takes it: a single text without marks needs no parts."""
    return written[0]["text"] if len(written) == 1 and written[0].keys() == {"type", "text"} else written
