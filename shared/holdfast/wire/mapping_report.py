"""The mapping report while it is being written, and which native fields may be left out elsewhere."""

from typing import Any, NoReturn

from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.request import Natives

# Native fields that decide what is asked: without them it would be another question, so other dialects refuse it.
NEEDED = frozenset({"previous_response_id", "conversation", "prompt", "container", "tool_choice"})
# Native fields of which more than the name is worth telling.
TOLD = {"system": "its text is kept; the bounds and marks of its blocks are dropped"}


class MappingReportBuilder:
    """What one mapping to ``dialect`` drops or changes."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._changes: list[MappingNote] = []

    def change(self, field: str, note: str) -> None:
        change = MappingNote(field, note)
        if change not in self._changes:
            self._changes.append(change)

    def refuse(self, problem: str) -> NoReturn:
        raise Unmappable(self.dialect, problem)

    def native(self, native: Natives, place: str = "") -> dict[str, Any]:
        """Return the fields that this dialect knows; note or refuse those that only another one knows."""
        for dialect, fields in native.items():
            if dialect != self.dialect:
                self._lose(dialect, fields, place)
        return native.get(self.dialect, {})

    def _lose(self, dialect: str, fields: dict[str, Any], place: str) -> None:
        for key in fields:
            field = f"{place}.{key}" if place else key
            if key in NEEDED:
                self.refuse(f"{field} exists only in {dialect}.")
            self.change(field, TOLD.get(field, f"dropped: only {dialect} knows it"))

    def report(self) -> MappingReport:
        return MappingReport(tuple(self._changes))
