"""How a run is getting on, on stderr: one live line at a terminal, a plain line now and then elsewhere."""

import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from holdfast.cli.show import err
from holdfast.cli.tables import obstacles, printable
from holdfast.client.backend import Backend
from holdfast.model.errors import HoldfastError
from holdfast.model.job import LIVE, State

if TYPE_CHECKING:
    from rich.status import Status

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


class Progress(Protocol):
    def tell(self, text: str) -> None:
        """Show ``text`` now."""
        ...

    def look(self, backend: Backend, batch: str, *, force: bool = False) -> None:
        """Ask how the batch is getting on, if it is time to, and show it. Never fails."""
        ...

    def close(self) -> None: ...


def open_progress(*, quiet: bool = False) -> Progress:
    if quiet:
        return Silent()
    return Live() if sys.stderr.isatty() else Plain()


class Silent:
    def tell(self, text: str) -> None: ...

    def look(self, backend: Backend, batch: str, *, force: bool = False) -> None: ...

    def close(self) -> None: ...


class Watching(ABC):
    """What both ways of showing share: when to ask, and what to say."""

    every = LINE_EVERY

    def __init__(self) -> None:
        self._meter, self._next = Meter(), 0.0

    @abstractmethod
    def tell(self, text: str) -> None:
        """Show a sentence."""

    def look(self, backend: Backend, batch: str, *, force: bool = False) -> None:
        now = time.monotonic()
        if now < self._next and not force:
            return
        self._next = now + self.every
        try:
            counts = backend.counts(batch)
            ended = sum(count for state, count in counts.items() if state not in LIVE)
            self._meter.note(now, ended)
            waits = waiting(backend) if ended < sum(counts.values()) else ""
        except HoldfastError as error:
            self.tell(f"waiting on: {error}")
            return
        self.tell(sentence(counts, self._meter.rate, waits))


class Plain(Watching):
    """For logs: a line every few seconds, none where nothing has changed."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""

    def tell(self, text: str) -> None:
        if text != self._said:
            sys.stderr.write(f"{printable(text)}\n")
            sys.stderr.flush()
            self._said = text

    def close(self) -> None: ...


class Live(Watching):
    """One line that changes in place."""

    every = LOOK_EVERY

    def __init__(self) -> None:
        super().__init__()
        self._status: Status = err().status("")
        self._status.start()

    def tell(self, text: str) -> None:
        from rich.text import Text

        self._status.update(Text(printable(text), no_wrap=True, overflow="ellipsis"))

    def close(self) -> None:
        self._status.stop()


def waiting(backend: Backend) -> str:
    """Say which routes take no calls now, and why."""
    routes = ((route["name"], "; ".join(obstacles(route))) for route in backend.routes()["routes"])
    return ", ".join(f"{name} {why}" for name, why in routes if why)


def sentence(counts: Mapping[State, int], rate: float, waits: str) -> str:
    """Say it all in one line.

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
        parts += [f"{rate:.1f}/s", f"{span((total - ended) / rate)} left"]
    parts += [waits] if waits else []
    filled = round(BAR * ended / total) if total else 0
    return f"{'#' * filled}{'.' * (BAR - filled)}  {' · '.join(parts)}"


def span(seconds: float) -> str:
    """Write a span of time.

    >>> [span(each) for each in (4.2, 75, 4000)]
    ['4 s', '1 min 15 s', '1 h 6 min']
    """
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004
