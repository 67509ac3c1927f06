"""How a run is getting on, on stderr: one live line at a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable

from holdfast.cli.show import err, set_live
from holdfast.cli.tables import printable
from holdfast.model.errors import HoldfastError

LOOK_EVERY = 0.5  # seconds between two questions at a terminal
LINE_EVERY = 5.0  # seconds between two lines elsewhere


class Progress:
    """Shows how a command is getting on: ``write`` shows a sentence, every so many seconds; None: nothing is shown."""

    def __init__(
        self, write: Callable[[str], object] | None, every: float = LINE_EVERY, close: Callable[[], None] | None = None
    ) -> None:
        self._write, self._every, self._close = write, every, close
        self._next, self._said = 0.0, ""

    def show(self, text: str) -> None:
        """Show ``text`` now, unless it stands there already."""
        if self._write is not None and text != self._said:
            self._write(printable(text))
            self._said = text

    def look(self, question: Callable[[], str], *, force: bool = False) -> None:
        """Show the answer to ``question`` if it is time to ask. An answer that cannot be had is shown as its error."""
        now = time.monotonic()
        if self._write is None or (now < self._next and not force):
            return
        self._next = now + self._every
        try:
            self.show(question())
        except HoldfastError as error:
            self.show(f"waiting on: {error}")

    def close(self) -> None:
        """Take the live line away, where there is one."""
        if self._close is not None:
            self._close()


def open_progress(*, quiet: bool = False) -> Progress:
    """Show nothing, one line that changes in place at a terminal, or else a line now and then."""
    if quiet:
        return Progress(None)
    if not sys.stderr.isatty():
        return Progress(lambda text: sys.stderr.write(f"{text}\n"))  # which holds no line back
    from rich.text import Text

    console = err()
    live = console.status("")
    live.start()
    set_live(console)

    def close() -> None:
        live.stop()
        set_live(None)

    return Progress(
        lambda text: live.update(Text(text, no_wrap=True, overflow="ellipsis")), every=LOOK_EVERY, close=close
    )
