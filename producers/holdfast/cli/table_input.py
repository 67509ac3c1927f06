"""Tables as input: the rows of CSV, Parquet and JSON lines become the lines that jobs are made of."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from typing import IO, Any, cast

import msgspec

from holdfast.cli.converted_name import new_name
from holdfast.client.row_reader import JOB_KEYS, RowReader, template_columns
from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.model.sentences import end_sentence

LONGEST_CELL = 32 * 1024 * 1024  # characters, as many as a line may have bytes
ROWS = 1_000  # of a Parquet file that are held at once
TEXTS = frozenset({"custom_id", "model", "prompt", "system", "user", "priority"})  # what stays text in CSV
PROMPTS = ("prompt", "messages", "request", "body", "params")
BadRows = dict[int, InvalidRequest]  # by line
NumberedRow = tuple[int, Mapping[str, Any] | InvalidRequest]  # the line of a row, and what it holds
SEPARATORS = ",\t;"
SHOWN = 6  # columns that an error names


@dataclass(frozen=True, slots=True)
class RowOptions:
    """How rows become jobs: the columns that hold prompt and id, or a prompt with columns in braces."""

    prompt_column: str | None = None
    template: str | None = None
    id_column: str | None = None

    @property
    def are_said(self) -> bool:
        return any((self.prompt_column, self.template, self.id_column))

    def reader(self, name: str, columns: list[str]) -> RowReader:
        """Return what reads the rows of a table with these columns. Raises InvalidRequest."""
        if self.prompt_column and self.template:
            raise InvalidRequest("--template", "makes the prompt, and so does --prompt-column.", "Leave one out.")
        if not (self.prompt_column or self.template or any(key in columns for key in PROMPTS)):
            said = ", ".join(columns[:SHOWN]) + (", …" if len(columns) > SHOWN else "")
            hint = f"Say which does: --prompt-column {columns[0]!r}, or --template 'Sum up: {{{columns[0]}}}'."
            raise InvalidRequest(name, f"none of its columns ({said}) holds the prompt.", hint)
        if self.template and not template_columns(self.template):
            problem = "names no column, so that every row would ask the same."
            raise InvalidRequest("--template", problem, f"As in: 'Sum up: {{{columns[0]}}}'.")
        named = {"prompt": self.prompt_column, "custom_id": self.id_column}
        reader = RowReader({key: column for key, column in named.items() if column}, self.template, metadata=[])
        reader.demand(columns)
        return reader


def from_csv(file: BufferedIOBase, name: str, options: RowOptions, bad: BadRows) -> BufferedIOBase:
    """Write CSV as JSON lines, each on the line of its row, so that errors name that. Raises InvalidRequest."""
    csv.field_size_limit(LONGEST_CELL)
    try:
        text = io.TextIOWrapper(cast("IO[bytes]", file), encoding="utf-8-sig", newline="")
        header = text.readline()
        text.seek(0)
        rows = csv.DictReader(text, delimiter=max(SEPARATORS, key=header.count), strict=True)
        columns = [column for column in rows.fieldnames or () if column]
        if twice := next((column for column in columns if columns.count(column) > 1), None):
            raise InvalidRequest(name, f"has several columns called {twice!r}.", "Rename all but one.")
        return _written(_numbered(rows), options.reader(name, columns), bad)
    except UnicodeDecodeError:
        hint = f"Convert it: iconv -f WINDOWS-1252 -t UTF-8 {name} > {new_name(name, '.csv')}"
        raise InvalidRequest(name, "is CSV, and not in UTF-8.", hint) from None
    except csv.Error as error:
        hint = "A quote that is opened is closed; one inside of a text is doubled."
        raise InvalidRequest(name, f"line {rows.line_num} is no CSV: {end_sentence(error)}.", hint) from None


def _numbered(rows: "csv.DictReader[str]") -> Iterator[NumberedRow]:
    """Yield each row with the line on which it begins. One with more cells than the header is a problem."""
    for row in rows:
        number = rows.line_num - sum(value.count("\n") for value in row.values() if isinstance(value, str))
        if None in row:  # what stands behind the last column
            problem = f"has {len(row) - 1 + len(row[None])} cells, and the header names {len(row) - 1}."
            yield number, InvalidRequest("", problem, "A text with a separator in it stands in quotes.")
        else:
            yield number, cells(row)


def cells(row: Mapping[str | None, Any]) -> dict[str, Any]:
    """Return a row of CSV as values: an empty cell is absent, and what a job takes as a number or an object is one.

    >>> cells({"prompt": "7", "max_tokens": "20", "system": ""})
    {'prompt': '7', 'max_tokens': 20}
    """
    return {
        key: value if key in TEXTS or key not in JOB_KEYS else _value(value)
        for key, value in row.items()
        if key and value and isinstance(value, str)
    }


def _value(text: str) -> Any:
    try:
        return exact_json.loads(text.encode())
    except (ValueError, msgspec.DecodeError):
        return text  # the job's own reader says what it expects


def from_parquet(file: BufferedIOBase, name: str, options: RowOptions, bad: BadRows) -> BufferedIOBase:
    """Write the rows of a Parquet file as JSON lines. Raises InvalidRequest."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        hint = "Install it: pip install 'holdfast[parquet]'"
        raise InvalidRequest(name, "is a Parquet file, which pyarrow reads, and that is not installed.", hint) from None
    try:
        table = parquet.ParquetFile(file)
        reader = options.reader(name, list(table.schema_arrow.names))
        rows = (row for batch in table.iter_batches(ROWS) for row in batch.to_pylist())
        return _written(enumerate(rows, start=1), reader, bad)
    except (ArrowException, OSError) as error:
        raise InvalidRequest(name, f"cannot be read as Parquet: {end_sentence(error)}.", "Fetch it again.") from None


def from_json_lines(file: BufferedIOBase, name: str, options: RowOptions, bad: BadRows) -> BufferedIOBase:
    """Read the objects of JSON lines as rows. What is none stays as it is, for the reader of lines to name."""
    first = next((row for row in map(_object, file) if row), {"": None})
    reader = options.reader(name, list(first))
    file.seek(0)
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the input
    for number, line in enumerate(file, start=1):
        row = _object(line)
        plain.write(line if row is None else _line(row, reader, number, bad))
    return plain


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = exact_json.loads(line)
    except (ValueError, msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _written(rows: Iterable[NumberedRow], reader: RowReader, bad: BadRows) -> BufferedIOBase:
    """Write the jobs of rows, each on the line that its row has in the table."""
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the input
    last = 0
    for number, row in rows:
        plain.write(b"\n" * (number - last - 1) + _line(row, reader, number, bad))
        last = number
    return plain


def _line(row: Mapping[str, Any] | InvalidRequest, reader: RowReader, number: int, bad: BadRows) -> bytes:
    """Write the job of a row; where there is none, note why by the number of the line."""
    if isinstance(row, InvalidRequest):
        bad[number] = row
        return b"{}\n"
    job = row
    try:
        job = reader.job(row)
    except InvalidRequest as problem:
        bad[number] = problem
    return exact_json.dumps(job) + b"\n"
