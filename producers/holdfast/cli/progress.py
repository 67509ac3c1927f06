"""How a run is getting on, on stderr: one live line at a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from holdfast.cli.route import trouble
from holdfast.cli.show import err
from holdfast.cli.tables import View, printable
from holdfast.client.backend import Backend
from holdfast.model.durations import lasting
from holdfast.model.errors import HoldfastError
from holdfast.model.job import LIVE, State

LOOK_EVERY = 0.5  # seconds between two questions at a terminal
LINE_EVERY = 5.0  # seconds between two lines elsewhere
SPAN = 10.0  # seconds over which the rate is taken
BAR = 24  # columns


class Meter:
    """Counts to rate and time left. ``note`` what is done, at ``now`` in seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now: float, done: int) -> None:
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= SPAN:  # noqa: PLR2004 - two points make a rate
            self._seen.popleft()

    @property
    def rate(self) -> float:
        """Jobs a second, lately."""
        if len(self._seen) < 2:  # noqa: PLR2004
            return 0.0
        (start, before), (end, after) = self._seen[0], self._seen[-1]
        return (after - before) / (end - start) if end > start else 0.0


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

    live = err().status("")
    live.start()
    return Progress(
        lambda text: live.update(Text(text, no_wrap=True, overflow="ellipsis")), every=LOOK_EVERY, close=live.stop
    )


class BatchProgress:
    """How a batch is getting on, as a sentence with its rate."""

    def __init__(self, backend: Backend, batch: str) -> None:
        self._backend, self._batch, self._meter = backend, batch, Meter()

    def sentence(self) -> str:
        """Ask, and say it in one line. Raises StorageUnavailable, ServerUnavailable."""
        counts = self._backend.counts(self._batch)
        ended = sum(count for state, count in counts.items() if state not in LIVE)
        self._meter.note(time.monotonic(), ended)
        routes = self._backend.routes()["routes"] if ended < sum(counts.values()) else []
        return sentence(counts, self._meter.rate, troubles(routes), back_in(routes))


def waiting(backend: Backend) -> str:
    """Say which routes take no calls now, and why."""
    return troubles(backend.routes()["routes"])


def troubles(routes: Sequence[View]) -> str:
    """Say which of ``routes`` take no calls now, and why."""
    return " · ".join(told for told in map(trouble, routes) if told)


def back_in(routes: Sequence[View]) -> float:
    """Seconds for which jobs wait for a route that nobody takes over for, at the least."""
    outages = [route["outage"] for route in routes if route["outage"]]
    return max((outage["again_in"] or 0.0 for outage in outages if not outage["takes_over"]), default=0.0)


def sentence(counts: Mapping[State, int], rate: float, waits: str, back_in: float = 0.0) -> str:
    """Say it all in one line. The time that is left counts the outage that lasts ``back_in`` seconds more at least.

    >>> sentence({State.SUCCEEDED: 30, State.RUNNING: 5, State.QUEUED: 25}, 10.0, "")
    '############............  30/60 done · 5 running · 25 queued · 10.0/s · 3 s left'
    """
    total = sum(counts.values())
    ended = sum(count for state, count in counts.items() if state not in LIVE)
    failed = ended - counts.get(State.SUCCEEDED, 0)
    parts = [f"{ended:,}/{total:,} done"]
    parts += [f"{failed:,} failed"] if failed else []
    parts += [
        f"{counts[state]:,} {state}" for state in (State.RUNNING, State.DELAYED, State.QUEUED) if counts.get(state)
    ]
    if rate > 0 and ended < total:
        parts += [f"{rate:.1f}/s", f"{lasting((total - ended) / rate + back_in)} left"]
    parts += [waits] if waits else []
    filled = round(BAR * ended / total) if total else 0
    return f"{'#' * filled}{'.' * (BAR - filled)}  {' · '.join(parts)}"
