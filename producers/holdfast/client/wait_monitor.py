"""What a waiting program is told: how far its jobs are, and, once, why nothing happens to them.

Without it a wait for jobs that nobody works on is silent for ever. It asks what the caller's own key may know.
"""

import contextlib
import inspect
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from holdfast.client.backend import Backend
from holdfast.client.batch_progress import Meter, sentence
from holdfast.client.live_line import LiveLine
from holdfast.model.errors import HoldfastError
from holdfast.model.ids import inner_id
from holdfast.model.job import LIVE, State
from holdfast.model.records import JobFilter

FIRST_LOOK = 1.0  # seconds after which a wait shows something: a short one shows nothing
LOOK_EVERY = 1.0  # seconds between two lines
ASK_WHY_AFTER = 5.0  # seconds without an ended job before it is asked why, and between two such questions
WAITING = frozenset({State.QUEUED, State.DELAYED})


class StalledWarning(UserWarning):
    """Jobs that a program waits for do not move. The text says why, and what to do."""


class WaitMonitor:
    """Follows one wait. ``look`` is called while it pauses, as often as one likes; it may block for a question.

    ``counts`` counts the jobs by state, ``why`` says why one of them has not started, ``line`` shows progress, and
    ``told`` keeps what was warned of, for those who wait at many places.
    """

    def __init__(
        self,
        name: str,
        counts: Callable[[], Mapping[State, int]],
        why: Callable[[], str | None],
        *,
        line: LiveLine | None = None,
        told: set[str] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._counts, self._why, self._line, self._now = name, counts, why, line, now
        self._meter, self._ended, self._shows = Meter(), 0, False
        self._next_look, self._next_why = now() + FIRST_LOOK, now() + ASK_WHY_AFTER
        self._reason, self._told = "", set[str]() if told is None else told

    def look(self) -> None:
        """Show how far the jobs are, and find out why they do not move, when it is time for either."""
        if not self.is_due:
            return
        now = self._now()
        self._next_look = now + LOOK_EVERY
        try:
            text = self._sentence(now)
        except HoldfastError as error:  # the wait itself says when that lasts too long
            text = f"waiting on: {error}"
        if self._line is not None:
            self._line.show(text)
            self._shows = True

    @property
    def is_due(self) -> bool:
        """Whether ``look`` would ask anything now."""
        return self._now() >= (self._next_look if self._line is not None else self._next_why)

    def clear(self) -> None:
        """Make place for what the program prints of an answer."""
        if self._line is not None:
            self._line.clear()

    def close(self) -> None:
        """End the line that shows progress, with what is true by then."""
        if self._line is not None and self._shows:
            with contextlib.suppress(HoldfastError):
                self._line.show(self._sentence(self._now()))
            self._line.close()

    def _sentence(self, now: float) -> str:
        counts = self._counts()
        ended = sum(count for state, count in counts.items() if state not in LIVE)
        self._meter.note(now, ended)
        if ended > self._ended:
            self._ended, self._reason, self._next_why = ended, "", now + ASK_WHY_AFTER
        elif now >= self._next_why:
            self._next_why = now + ASK_WHY_AFTER
            self._reason = self._why() or ""
            self._warn(self._reason)
        return sentence(counts, self._meter.rate, self._reason)

    def _warn(self, reason: str) -> None:
        """Warn of a reason once, whatever figures it names by then."""
        kind = re.split(r"\d", reason, maxsplit=1)[0]
        if reason and kind not in self._told:
            self._told.add(kind)
            self.clear()
            warnings.warn(f"{self._name} waits: {reason}", StalledWarning, stacklevel=callers_level())


def callers_level() -> int:
    """Return the ``stacklevel`` of the first frame that is not of this package: the program that waits."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(("holdfast.", "contextlib")):
        frame, level = frame.f_back, level + 1
    return level


@contextmanager
def sleeping_under(
    monitor: WaitMonitor, nap: Callable[[float], None] = time.sleep
) -> Iterator[Callable[[float], None]]:
    """Yield what sleeps for a wait, and looks at it before. ``nap`` sleeps."""

    def sleep(seconds: float) -> None:
        monitor.look()
        nap(seconds)

    try:
        yield sleep
    finally:
        monitor.close()


def monitor_job(backend: Backend, job: str, line: LiveLine | None, told: set[str] | None = None) -> WaitMonitor:
    """Return a monitor of a wait for one job, by its public id."""

    def counts() -> Mapping[State, int]:
        return dict.fromkeys(backend.states([job]).values(), 1)

    return WaitMonitor(job, counts, lambda: why_waiting(backend.job(job)), line=line, told=told)


def monitor_batch(backend: Backend, batch: str, line: LiveLine | None) -> WaitMonitor:
    """Return a monitor of a wait for a batch, by its public id."""

    def why() -> str | None:
        page = backend.jobs(JobFilter(batch=inner_id("batch", batch), states=WAITING), 1)
        return why_waiting(backend.job(page["jobs"][0]["id"])) if page["jobs"] else None

    return WaitMonitor(batch, lambda: backend.counts(batch), why, line=line)


def why_waiting(job: Mapping[str, Any]) -> str | None:
    """Return why a job waits; None where it does not, or only for its turn."""
    return job["why_waiting"] if State(job["state"]) in WAITING else None
