"""One row becomes one job: which column holds what, and which go along as metadata. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from string import Formatter
from typing import Any

from holdfast.client.row_sources import Row
from holdfast.client.row_values import is_missing, metadata_text, plain
from holdfast.model.errors import InvalidRequest
from holdfast.model.sentences import end_sentence
from holdfast.wire.batch_line import ANTHROPIC_LINE, OPENAI_LINE, OUTER
from holdfast.wire.neutral import KEYS

JOB_KEYS = tuple(dict.fromkeys((*KEYS, *OUTER, "request", *OPENAI_LINE, *ANTHROPIC_LINE)))
CONTENT = ("prompt", "messages", "request", "body", "params", "native")  # one of them says what is asked
WHOLE = frozenset({"custom_id", "max_tokens"})  # a column of whole numbers with gaps is one of floats in pandas
SHOWN = 8  # columns that a sentence names before it counts the rest


class RowReader:
    """Makes jobs of rows.

    Args:
        columns: For keys of a job the column that holds them: ``{"prompt": "question", "custom_id": "id"}``. A column
            that is called like a key is that key anyway.
        template: A prompt with columns in braces: ``"Summarise in one line: {text}"``.
        metadata: What becomes of columns that are none of these. True: all go along as the job's metadata; names: those
            do, and the rest is left out; None: they are an error.

    Raises: InvalidRequest: no such key, or a template that cannot be read.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        template: str | None = None,
        metadata: bool | Iterable[str] | None = None,  # noqa: FBT001 - True stands for all names
    ) -> None:
        self._columns, self._template = dict(columns or {}), template
        self._keep_all, self._kept = metadata is True, _names(metadata)
        self._strict = metadata is None or metadata is False
        self._used = frozenset(self._columns.values()) | template_columns(template)
        for key, column in self._columns.items():
            _demand_key(key, column)
        if template is not None and "prompt" in self._columns:
            raise InvalidRequest(
                "template", "makes the prompt, and so does columns['prompt'].", "Leave one of them out."
            )

    @property
    def is_told(self) -> bool:
        """Whether anything was said of how rows are to be read."""
        return bool(self._columns or self._template is not None or self._keep_all or self._kept or not self._strict)

    def demand(self, names: Sequence[str]) -> None:
        """Refuse a table whose columns cannot be read as jobs, in one sentence for all rows. Raises InvalidRequest."""
        for asked in dict.fromkeys((*self._used, *(self._kept or ()))):
            if asked not in names:
                near = get_close_matches(asked, names, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"Columns: {_told(names)}."
                raise InvalidRequest("columns", f"the table has no column {asked!r}.", hint)
        self._demand_known(names)
        if self._template is None and not any(key in self._columns or key in names for key in CONTENT):
            hint = f"Say which one does: columns={{'prompt': {names[0] if names else 'text'!r}}}, or template='...'."
            raise InvalidRequest("columns", f"none of the columns ({_told(names)}) holds the prompt.", hint)

    def job(self, row: Row) -> dict[str, Any]:
        """Make the job of one row. Raises InvalidRequest: the template names a column that the row has not."""
        cells = {str(name): cell for name, value in row.items() if not is_missing(cell := plain(value))}
        self._demand_known([*cells])
        job = {key: value for key, value in cells.items() if key in JOB_KEYS and key not in self._used}
        job |= {key: cells[column] for key, column in self._columns.items() if column in cells}
        if self._template is not None:
            job["prompt"] = self._prompt(cells)
        for key in WHOLE & job.keys():
            job[key] = whole(job[key])
        if isinstance(job.get("custom_id"), int):
            job["custom_id"] = str(job["custom_id"])
        if kept := self._metadata(cells):
            own = job.get("metadata")
            job["metadata"] = {**(own if isinstance(own, Mapping) else {}), **kept}
        return job

    def _prompt(self, cells: Row) -> str:
        try:
            return filled_in(self._template or "", cells)
        except KeyError as error:
            raise InvalidRequest("template", f"needs {error.args[0]!r}, and this row has none.") from None
        except (IndexError, AttributeError, ValueError, TypeError) as error:
            raise InvalidRequest("template", f"cannot be filled in: {end_sentence(error)}.") from None

    def _metadata(self, cells: Row) -> dict[str, str]:
        if self._keep_all:
            names: Iterable[str] = [name for name in cells if name not in JOB_KEYS and name not in self._used]
        else:
            names = self._kept or ()
        return {name: metadata_text(cells[name]) for name in names if name in cells}

    def _demand_known(self, names: Sequence[str]) -> None:
        if not self._strict:
            return
        unknown = [name for name in names if name not in JOB_KEYS and name not in self._used]
        if not unknown:
            return
        near = get_close_matches(unknown[0], JOB_KEYS, n=1, cutoff=0.8)
        hint = f"Did you mean {near[0]}? " if near else ""
        hint += "metadata=True keeps what is no key of a job as its metadata, metadata=[] leaves it out."
        hint += f" Or say what it holds: columns={{'prompt': {unknown[0]!r}}}."
        raise InvalidRequest(
            "columns", f"{_told(unknown)} {'is' if len(unknown) == 1 else 'are'} not known here.", hint
        )


def whole(value: Any) -> Any:
    """Return a float that is a whole number as one.

    >>> [whole(value) for value in (3.0, 3.5, "3")]
    [3, 3.5, '3']
    """
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _names(metadata: bool | Iterable[str] | None) -> tuple[str, ...]:  # noqa: FBT001 - as above
    if metadata is None or isinstance(metadata, bool):
        return ()
    return (metadata,) if isinstance(metadata, str) else tuple(metadata)


def filled_in(template: str, cells: Row) -> str:
    """Fill in columns, and members of those that hold objects. Raises KeyError: there is no such column.

    No attribute of a cell is read: that would be a method of Python's.

    >>> filled_in("{n:>3} {meta[title]} {{}}", {"n": 7, "meta": {"title": "kelp"}})
    '  7 kelp {}'
    """
    formatter = Formatter()
    return "".join(
        text
        if name is None
        else text + formatter.format_field(formatter.convert_field(member(name, cells), conversion), spec or "")
        for text, name, spec, conversion in formatter.parse(template)
    )


def member(name: str, cells: Row) -> Any:
    """Return the cell that a field of a template names: ``text``, ``user.name`` or ``meta[title]``."""
    column, *members = name.split("[")
    cell = cells[column]
    for each in members:
        key = each.rstrip("]")
        cell = cell[key] if isinstance(cell, Mapping) else cell[int(key)]
    return cell


def template_columns(template: str | None) -> frozenset[str]:
    """Return the columns that a template names. Raises InvalidRequest."""
    try:
        parsed = list(Formatter().parse(template or ""))
    except ValueError as error:
        hint = "A brace of the text itself is written twice: {{ or }}."
        raise InvalidRequest("template", f"cannot be read: {end_sentence(error)}.", hint) from None
    return frozenset(name.split("[")[0] for _, name, _, _ in parsed if name is not None)


def _demand_key(key: str, column: str) -> None:
    """Refuse what is no key of a job. Raises InvalidRequest."""
    if key in JOB_KEYS:
        return
    if column in JOB_KEYS and not get_close_matches(key, JOB_KEYS, n=1, cutoff=0.8):
        hint = f"It is written the other way round: columns={{{column!r}: {key!r}}}."
    else:
        near = get_close_matches(key, JOB_KEYS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(JOB_KEYS)}."
    raise InvalidRequest("columns", f"{key!r} is no key of a job.", hint)


def _told(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(map(repr, names[:SHOWN])) + (f" and {more} more" if more > 0 else "")
