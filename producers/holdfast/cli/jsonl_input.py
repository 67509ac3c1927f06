"""The input of ``run`` and ``submit``: lines of a file or a pipe, read in chunks and never held whole."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b, file_digest
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from holdfast.cli.input_file import STDIO, open_input
from holdfast.model import exact_json
from holdfast.model.route import Api

if TYPE_CHECKING:
    from holdfast.cli.table_input import BadRows, RowOptions

CHUNK_JOBS = 500
CHUNK_BYTES = 8 * 1024 * 1024
LONGEST_LINE = 32 * 1024 * 1024  # bytes, as many as a request to a server may have
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class InputLine:
    """One line that is a JSON object, as it was written.

    ``position`` counts lines that are not blank, from 0; ``number`` all, from 1.
    """

    position: int
    number: int
    text: bytes

    @property
    def custom_id(self) -> str | None:
        """What its producer calls it, where that can be read."""
        value = _member(self.text, "custom_id")
        return value if isinstance(value, str) and value else None

    @property
    def written_in(self) -> Api | None:
        """The format of its line; None: the plain one."""
        keys = msgspec.json.decode(self.text, type=dict[str, msgspec.Raw])
        return Api.ANTHROPIC if "params" in keys else Api.OPENAI_CHAT if "body" in keys else None


@dataclass(frozen=True, slots=True)
class InvalidLine:
    """One line that cannot become a job. ``where`` names the key, or is empty for the line as a whole."""

    position: int
    number: int
    custom_id: str | None
    where: str
    problem: str
    hint: str
    written_in: Api | None = None  # the format that the line was to have, as far as its keys tell

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"line {self.number}: {place}{self.problem}" + (f" {self.hint}" if self.hint else "")


class JsonlInput:
    """A file that can be read twice. What comes from a pipe is kept in a temporary file."""

    def __init__(self, path: Path, rows: "RowOptions | None" = None) -> None:
        self.name = "standard input" if path == STDIO else path.name
        self._bad_rows: BadRows = {}
        self._file = open_input(path, rows, self._bad_rows)
        self._size: int | None = None  # bytes that the digest is of
        self.changed = False  # whether reading all lines met another size

    def digest(self) -> str:
        """Name the content."""
        self._file.seek(0)
        digest = file_digest(self._file, partial(blake2b, digest_size=16)).hexdigest()
        self._size = self._file.tell()
        return digest

    def lines(self) -> Iterator[InputLine | InvalidLine]:
        """Read line after line; blank ones are passed over."""
        self._file.seek(0)
        position = 0
        for number, text in enumerate(bounded(self._file), start=1):
            content = text.removeprefix(BOM) if number == 1 else text
            if len(content) > LONGEST_LINE:
                yield InvalidLine(
                    position, number, None, "", f"is longer than {LONGEST_LINE} bytes.", "Cut it in pieces."
                )
                position += 1
            elif bad := self._bad_rows.get(number):
                yield InvalidLine(position, number, None, bad.where, bad.problem, bad.hint)
                position += 1
            elif content.strip():
                yield read(content, position, number)
                position += 1
        self.changed = self._size not in {None, self._file.tell()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()


def bounded(file: BufferedIOBase) -> Iterator[bytes]:
    """Yield line after line, of one that is too long only the beginning: the rest is passed over, and never held."""
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)


def read(text: bytes, position: int, number: int) -> InputLine | InvalidLine:
    """Take one line that is a JSON object, and leave it as it is."""
    hint = "Each line holds one JSON object."
    try:
        if not text.isascii():
            text.decode()
        kind = msgspec.json.decode(text, type=dict[str, msgspec.Raw] | list[msgspec.Raw] | str | float | bool | None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return InvalidLine(position, number, None, "", f"is no JSON: {what_is_wrong(text)}.", hint)
    if not isinstance(kind, dict):
        return InvalidLine(position, number, None, "", f"expected an object, got {type(kind).__name__}.", hint)
    return InputLine(position, number, text)


def what_is_wrong(text: bytes) -> str:
    """Say why a line is no JSON, and where: in words that do not hold it."""
    try:
        json.loads(text.decode(), parse_constant=refuse_constant)
    except UnicodeDecodeError as error:
        return f"not UTF-8 at column {error.start + 1}; convert the file, as with iconv -f WINDOWS-1252 -t UTF-8"
    except json.JSONDecodeError as error:
        return hint_of(text, error) or f"{error.msg} at column {error.colno}"
    except NoNumber as error:
        return f"{error} is no number of JSON; write null, or leave it out"
    except (RecursionError, ValueError):
        pass
    return "it is nested too deeply, or holds half a surrogate pair, or a number that is none"


class NoNumber(ValueError):
    """A number that only some languages write: NaN, Infinity."""


def refuse_constant(name: str) -> None:
    raise NoNumber(name)


def hint_of(text: bytes, error: json.JSONDecodeError) -> str | None:
    """Name a slip that is made often, by what stands where a line stops being JSON.

    >>> def hint(line): return hint_of(line.encode(), json.JSONDecodeError("Extra data", line, line.index("}") + 1))
    >>> hint('{"a": 1},'), hint('{"a": 1} {"b": 2}')
    ('a comma stands behind the object; leave it out', 'two objects stand on one line; jq -c . gives each its own')
    """
    rest = error.doc[error.pos :].strip()
    if rest == "," and error.msg == "Extra data":
        return "a comma stands behind the object; leave it out"
    if rest.startswith("{") and error.msg == "Extra data":
        return "two objects stand on one line; jq -c . gives each its own"
    if text.lstrip().startswith(b"{'"):
        return "its texts stand in single quotes; write it with json.dumps, or with double ones"
    return None


def _member(text: bytes, key: str) -> object:
    raw = msgspec.json.decode(text, type=dict[str, msgspec.Raw]).get(key)
    return None if raw is None else exact_json.loads(bytes(raw))


def chunks(lines: Iterator[InputLine | InvalidLine]) -> Iterator[list[InputLine | InvalidLine]]:
    """Cut lines into chunks that one transaction or one request takes."""
    chunk, size = list[InputLine | InvalidLine](), 0
    for line in lines:
        chunk.append(line)
        size += len(line.text) if isinstance(line, InputLine) else 0
        if len(chunk) == CHUNK_JOBS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
