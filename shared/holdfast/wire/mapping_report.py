"""The mapping report while it is being written, and which native fields may be left out elsewhere."""

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, TypeVar

from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.request import Natives, Part, Thought

Each = TypeVar("Each", bound=Part)
# Native fields that decide what is asked: without them it would be another question, so other formats refuse it.
NEEDED = frozenset({"previous_response_id", "conversation", "prompt", "container", "tool_choice"})
# Native fields of which more than the name is worth telling.
TOLD = {"system": "its text is kept; the bounds and marks of its blocks are dropped"}


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
        for wire, fields in native.items():
            if wire != self.wire:
                self._lose(wire, fields, place)
        return native.get(self.wire, {})

    def thought(self, part: Thought, place: str) -> list[dict[str, Any]]:
        """Return the block of reasoning that this format's provider sealed; note that of another one."""
        if part.dialect == self.wire:
            return [part.block]
        self.change(place, f"dropped: reasoning that is bound to {part.dialect}")
        return []

    def _lose(self, wire: str, fields: dict[str, Any], place: str) -> None:
        for key in fields:
            field = f"{place}.{key}" if place else key
            if key in NEEDED:
                self.refuse(f"{field} exists only in {wire}.")
            self.change(field, TOLD.get(field, f"dropped: only {wire} knows it"))

    def report(self) -> MappingReport:
        return MappingReport(tuple(self._changes))


def placed(parts: Iterable[Each], place: str) -> Iterator[tuple[Each, str]]:
    """Yield each part with its own place."""
    return ((part, f"{place}.parts[{index}]") for index, part in enumerate(parts))


def bare_text(written: list[dict[str, Any]]) -> Any:
    """Return a content as every format takes it: a single text without marks needs no parts."""
    return written[0]["text"] if len(written) == 1 and written[0].keys() == {"type", "text"} else written
