"""One line on standard error for whoever waits: live at a terminal; elsewhere a plain one now and then, or none."""

import time
from types import TracebackType
from typing import Self

from holdfast.cli.show import err, say


class StatusLine:
    """``with StatusLine("it begins") as line: … line.show("3 of 9")``.

    ``plain_every``: real seconds between two lines where no terminal is; None: none are written there.
    """

    def __init__(self, begins: str = "", *, plain_every: float | None = None) -> None:
        self._live = err().status(begins) if err().is_terminal else None
        self._plain_every, self._said = plain_every, time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, text: str) -> None:
        if self._live:
            self._live.update(text)
        elif self._plain_every is not None and time.monotonic() - self._said >= self._plain_every:
            self._said = time.monotonic()
            say(text)
