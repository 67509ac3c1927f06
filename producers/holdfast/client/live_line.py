"""One line that changes in place while a program waits: on a terminal, or in a notebook's output; nowhere else."""

import shutil
import sys
from importlib import import_module
from typing import Any, Protocol

CLEAR = "\r\x1b[2K"  # to the start of the line, and empty it (ECMA-48: CR, EL 2)
NOTEBOOK_SHELL = "ZMQInteractiveShell"  # of IPython, where it runs as a kernel


class LiveLine(Protocol):
    """``show`` replaces what stands there, ``clear`` makes place for what a program prints, ``close`` ends it."""

    def show(self, text: str) -> None: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...


def open_line(wanted: bool | None) -> LiveLine | None:  # noqa: FBT001 - None lets the place decide
    """Open a line where somebody looks on. ``wanted``: False for none, True for plain lines also where nobody does."""
    if wanted is False:
        return None
    if (display := notebook_display()) is not None:
        return NotebookLine(display)
    if sys.stderr is not None and sys.stderr.isatty():
        return TerminalLine()
    return PlainLines() if wanted else None


def notebook_display() -> Any | None:
    """Return IPython's ``display`` where this program is a notebook's kernel, else None. Imports nothing new."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if type(shell).__name__ != NOTEBOOK_SHELL:
        return None
    return import_module("IPython.display").display


class TerminalLine:
    """The last line of standard error."""

    def __init__(self) -> None:
        self._stands = False

    def show(self, text: str) -> None:
        columns = shutil.get_terminal_size().columns
        sys.stderr.write(CLEAR + "".join(each for each in text if each.isprintable())[: columns - 1])
        sys.stderr.flush()
        self._stands = True

    def clear(self) -> None:
        if self._stands:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
            self._stands = False

    def close(self) -> None:
        self.clear()


class NotebookLine:
    """One output of the cell, written anew each time. ``display`` is IPython's; the last text stays."""

    def __init__(self, display: Any) -> None:
        self._display, self._shown = display, None

    def show(self, text: str) -> None:
        said = {"text/plain": text}
        if self._shown is None:
            self._shown = self._display(said, raw=True, display_id=True)
        else:
            self._shown.update(said, raw=True)

    def clear(self) -> None:
        """Leave the line: what a cell prints comes below it."""

    def close(self) -> None:
        """Leave the last text."""


class PlainLines:
    """A line of standard error each time the text is another one."""

    def __init__(self) -> None:
        self._said = ""

    def show(self, text: str) -> None:
        if text != self._said:
            sys.stderr.write(f"{text}\n")
            self._said = text

    def clear(self) -> None:
        """Nothing is to be cleared."""

    def close(self) -> None:
        """Nothing is open."""
