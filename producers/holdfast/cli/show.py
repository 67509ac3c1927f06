"""Where output goes: data on stdout, everything else on stderr. ``show`` knows ``--json``; rich knows NO_COLOR."""

import json
import sys
from collections.abc import Callable
from contextvars import ContextVar
from io import StringIO
from typing import TYPE_CHECKING, TextIO, TypeVar

from holdfast.cli.context import context
from holdfast.model import exact_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

T = TypeVar("T")

UNBOUND = 10_000  # columns of a file or a pipe: a table there is as wide as it needs to be


_live: "ContextVar[Console | None]" = ContextVar("live", default=None)


def err() -> "Console":
    """Return the console of stderr: the one that draws a live line, where there is one, so that nothing is mixed up."""
    return _live.get() or _console(sys.stderr)


def out() -> "Console":
    """Return the console of stdout."""
    return _console(sys.stdout)


def set_live(console: "Console | None") -> None:
    """Have all that is said go to the console of a live line, which keeps that below; None: there is none any more."""
    _live.set(console)


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, highlight=False, width=None if stream.isatty() else UNBOUND)


def show(value: T, draw: "Callable[[T], RenderableType]") -> None:
    """Print ``value``: as JSON with ``--json``, else as ``draw`` draws it for people."""
    if context().json:
        sys.stdout.write(as_json(value))
    elif sys.stdout.isatty():
        _console(sys.stdout).print(draw(value))
    else:
        sys.stdout.write(unpadded(draw(value)))


def show_bytes(data: bytes) -> None:
    """Print data as it is; on a terminal what would move its cursor is shown, not obeyed."""
    if sys.stdout.isatty():
        from holdfast.cli.tables import printable

        sys.stdout.write(printable(data.decode(errors="replace")) + "\n")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def unpadded(drawn: "RenderableType") -> str:
    """Draw for a file or a pipe: as wide as it needs to be, without blanks at the ends of lines."""
    text = StringIO()
    _console(text).print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def as_json(value: object) -> str:
    import orjson

    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def as_line(value: object) -> str:
    """Write JSON as one line."""
    return exact_json.dumps(value).decode()


def say(text: str) -> None:
    """Print a sentence for people on stderr; data goes to stdout."""
    err().print(text, markup=False)
