"""A row of a table of codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.model.fault import FaultKind


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code of an error dialect, and what it means."""

    code: str
    """The code as its provider spells it; found in any case, with or without its dashes and underscores."""
    kind: FaultKind | None
    """What it means. None: no more than the status that it comes with."""
    source: str
    """Where that is written: a page, or a file of an official library."""
    is_vague: bool = False
    """Whether the code covers several things, so that the message beside it may say more."""
    wrong_everywhere: bool = False
    """Whether it says of the request that no route of its format takes it."""


def rows(
    source: str, meanings: Mapping[FaultKind | None, Sequence[str]], *, vague: bool = False
) -> tuple[CodeRow, ...]:
    """Rows that share a source."""
    return tuple(CodeRow(code, kind, source, vague) for kind, codes in meanings.items() for code in codes)
