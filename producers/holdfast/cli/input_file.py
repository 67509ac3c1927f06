"""Opening what ``run`` and ``submit`` read, as JSON lines in UTF-8: also UTF-16, what gzip packed, and tables.

Of anything else the error says what it is, and the command that converts it.
"""

import codecs
import gzip
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from holdfast.cli.converted_name import new_name
from holdfast.client.unread_forms import GZIP, UTF16, UTF32, packing_of, wide_encoding_of
from holdfast.model.errors import InvalidRequest

if TYPE_CHECKING:
    from holdfast.cli.table_input import BadRows, RowOptions

STDIO = Path("-")
HEAD = 4096  # bytes that tell what a file is
# What unpacks what is not read here.
UNPACKING: Mapping[str, str] = {
    "packed with zstd": "zstd -dc {name} | holdfast run - …",
    "packed with xz": "xz -dc {name} | holdfast run - …",
    "packed with bzip2": "bzip2 -dc {name} | holdfast run - …",
    "packed with lz4": "lz4 -dc {name} | holdfast run - …",
    "packed with gzip": "gzip -dc {name} | gzip -dc | holdfast run - …",  # what was unpacked once is packed still
    "a zip archive": "unzip -p {name} | holdfast run - …",
    "a database": "Write its rows as JSON lines.",
}  # fmt: skip
ARRAY_HINT = "jq -c '.[]' {name} > {new}"
PRETTY_HINT = "jq -c . {name} > {new}"
PARQUET = b"PAR1"
EXCEL = b"[Content_Types].xml"  # the first name in the archives that office programs write
UNREADABLE = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")  # bytes that no text has
NOTHING = Path("/dev/null")


def open_input(path: Path, options: "RowOptions | None" = None, bad: "BadRows | None" = None) -> BufferedIOBase:
    """Open a file, or standard input, as JSON lines that can be read twice. Raises InvalidRequest.

    Of a table, ``options`` say how its rows become lines, and ``bad`` takes those that cannot.
    """
    name = "standard input" if path == STDIO else str(path)
    file = _spooled(sys.stdin.buffer) if path == STDIO else _opened(path)
    try:
        return _lines(_readable(file, name), name, options, {} if bad is None else bad)
    except BaseException:
        file.close()
        raise


def _readable(file: BufferedIOBase, name: str) -> BufferedIOBase:
    """Unpack it, then decode it. Raises InvalidRequest."""
    if _head(file).startswith(GZIP):
        file = _unpacked(file, name)
    head = _head(file)
    if head.startswith(UTF16) and not head.startswith(UTF32):
        return _decoded(file, "utf-16", name)
    _refuse_other(head, name)
    return file


def _lines(file: BufferedIOBase, name: str, options: "RowOptions | None", bad: "BadRows") -> BufferedIOBase:
    """Read a table's rows as JSON lines. Raises InvalidRequest."""
    head = _head(file)
    table = head.startswith(PARQUET) or _is_csv(head, name)
    if not table:
        _refuse_no_json(head, name)
        if not (options and options.are_said):
            return file
    from holdfast.cli import table_input

    options = options or table_input.RowOptions()
    if head.startswith(PARQUET):
        return table_input.from_parquet(file, name, options, bad)
    read = table_input.from_csv if _is_csv(head, name) else table_input.from_json_lines
    return read(file, name, options, bad)


def _head(file: BufferedIOBase) -> bytes:
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    return head


def _unpacked(file: BufferedIOBase, name: str) -> BufferedIOBase:
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the input
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            shutil.copyfileobj(packed, plain)
    except (OSError, EOFError, zlib.error) as error:
        plain.close()
        raise InvalidRequest(name, f"is packed with gzip, and damaged: {error}.", "Fetch it again.") from None
    file.close()
    return plain


def _decoded(file: BufferedIOBase, encoding: str, name: str) -> BufferedIOBase:
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the input
    try:
        shutil.copyfileobj(codecs.getreader(encoding)(file), codecs.getwriter("utf-8")(plain))
    except UnicodeError:
        plain.close()
        raise InvalidRequest(name, "begins as UTF-16, and goes on as something else.", "Write it as UTF-8.") from None
    file.close()
    return plain


def _refuse_other(head: bytes, name: str) -> None:
    """Refuse what is no UTF-8 text of JSON lines, by what it is. Raises InvalidRequest."""
    if head.startswith(b"PK") and (EXCEL in head or name.lower().endswith(".xlsx")):
        raise InvalidRequest(name, "is a workbook of Excel, which is not read.", "Save the sheet as CSV.")
    if what := packing_of(head):
        twice = ", twice" if head.startswith(GZIP) else ""
        hint = f"Convert it: {UNPACKING[what].format(name=name)}"
        raise InvalidRequest(name, f"is {what}{twice}, which is not read.", hint)
    if encoding := wide_encoding_of(head):
        hint = f"Convert it: iconv -f {encoding} -t UTF-8 {name} > {new_name(name)}"
        raise InvalidRequest(name, f"is written in {encoding}, which is not read.", hint)
    _refuse_other_forms(head, name)


def _refuse_other_forms(head: bytes, name: str) -> None:
    """Refuse a JSON array, and one JSON object over many lines, by their first line. Raises InvalidRequest."""
    first, _, rest = head.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")
    first = first.strip()
    if first.startswith(b"[") and not first.startswith(b"[["):
        raise InvalidRequest(
            name, "is a JSON array, not JSON lines.", f"Convert it: {ARRAY_HINT.format(name=name, new=new_name(name))}"
        )
    if first == b"{" and rest.strip():
        problem = "holds JSON objects over several lines each, not JSON lines."
        raise InvalidRequest(name, problem, f"Convert it: {PRETTY_HINT.format(name=name, new=new_name(name))}")


def _is_csv(head: bytes, name: str) -> bool:
    """Tell whether a file is called a table, or its first line is a header of columns: words with commas between."""
    first = head.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].strip()
    if name.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
        return bool(first) and not first.startswith((b"{", b"["))
    words = first.replace(b"\t", b",").replace(b";", b",").replace(b'"', b"").split(b",")
    plain = all(word.strip() and word.strip().replace(b"_", b"").replace(b" ", b"").isalnum() for word in words)
    return plain and len(words) > 1


def _refuse_no_json(head: bytes, name: str) -> None:
    """Refuse a file of whose beginning no line is an object, by what it is instead. Raises InvalidRequest."""
    first = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not first or any(line.lstrip().startswith(b"{") for line in first.splitlines()):
        return
    if first.startswith(b"%PDF"):
        what, hint = "a PDF", f"Ask about it: holdfast ask 'Sum it up.' --file {name}"
    elif first.startswith(b"<"):
        what, hint = "HTML or XML", "Where it was downloaded: perhaps it is the page of a login."
    elif set(first) & UNREADABLE:
        what, hint = "no text", "Name a file of JSON lines, CSV or Parquet."
    else:
        raw = "" if first.startswith(b'"') else "R"
        what, hint = "text", f"Where each line is a prompt: jq -{raw}c '{{prompt: .}}' {name} > {new_name(name)}"
    raise InvalidRequest(name, f"is {what}, not JSON lines.", hint)


def _opened(path: Path) -> BufferedIOBase:
    """Open a file; what cannot be read twice, such as a named pipe, is kept. Raises InvalidRequest."""
    try:
        file = path.open("rb")
        if stat.S_ISCHR(os.fstat(file.fileno()).st_mode) and path != NOTHING and not file.isatty():
            file.close()
            raise InvalidRequest(str(path), "is a device, which may have no end.", "Name a file.")
        return file if file.seekable() else _spooled(file)
    except OSError as error:
        raise InvalidRequest(str(path), f"cannot be read: {error.strerror}.") from None


def _spooled(pipe: BinaryIO) -> BufferedIOBase:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the input
    shutil.copyfileobj(pipe, file)
    return file
