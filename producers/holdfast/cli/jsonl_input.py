"""The input of ``run`` and ``submit``: JSON lines from a file or a pipe, read in chunks and never held whole."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b, file_digest
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from holdfast.model.errors import InvalidRequest

STDIO = Path("-")
CHUNK_JOBS = 500
CHUNK_BYTES = 8 * 1024 * 1024
LONGEST_LINE = 32 * 1024 * 1024  # bytes, as many as a request to a server may have
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class InputLine:
    """One line that is a JSON object. ``position`` counts lines that are not blank, from 0; ``number`` all, from 1."""

    position: int
    number: int
    size: int
    item: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InvalidLine:
    """One line that cannot become a job. ``where`` names the key, or is empty for the line as a whole."""

    position: int
    number: int
    custom_id: str | None
    where: str
    problem: str
    hint: str

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"line {self.number}: {place}{self.problem}" + (f" {self.hint}" if self.hint else "")


class JsonlInput:
    """A file that can be read twice. What comes from a pipe is kept in a temporary file."""

    def __init__(self, path: Path) -> None:
        self.name = "standard input" if path == STDIO else path.name
        self._file = spooled(sys.stdin.buffer) if path == STDIO else opened(path)

    def digest(self) -> str:
        """Name the content."""
        self._file.seek(0)
        return file_digest(self._file, partial(blake2b, digest_size=16)).hexdigest()

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
            elif content.strip():
                yield read(content, position, number)
                position += 1

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


def opened(path: Path) -> BufferedIOBase:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidRequest(str(path), f"cannot be read: {error.strerror}.") from None


def spooled(pipe: BinaryIO) -> BufferedIOBase:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the input
    shutil.copyfileobj(pipe, file)
    return file


def read(text: bytes, position: int, number: int) -> InputLine | InvalidLine:
    """Read one line as a JSON object."""
    hint = "Each line holds one JSON object."
    try:
        item = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return InvalidLine(position, number, None, "", f"is no JSON: {error.msg} at column {error.colno}.", hint)
    if not isinstance(item, dict):
        return InvalidLine(position, number, None, "", f"expected an object, got {type(item).__name__}.", hint)
    return InputLine(position, number, len(text), item)


def chunks(lines: Iterator[InputLine | InvalidLine]) -> Iterator[list[InputLine | InvalidLine]]:
    """Cut lines into chunks that one transaction or one request takes."""
    chunk, size = list[InputLine | InvalidLine](), 0
    for line in lines:
        chunk.append(line)
        size += line.size if isinstance(line, InputLine) else 0
        if len(chunk) == CHUNK_JOBS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
