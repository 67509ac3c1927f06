"""Child processes kept alive: a dead one is started again, a signal is passed on, a second one ends them at once."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from holdfast.cli.show import say
from holdfast.model.errors import HoldfastError

QUICK = 10.0  # seconds: a child that lived shorter than this died of something that may last
LONGEST_PAUSE = 10.0  # seconds before a child that dies quickly is started again
TICK = 0.1  # seconds between two looks
LAST_SECONDS = 5.0  # for children to end after the second signal, then they are killed
MARGIN = 5.0  # seconds beyond a worker's own grace
FINAL = frozenset({2, 78})  # exit statuses that another start does not mend
STANDBY = ("--standby",)  # what a worker is told that is to get ready and wait for a line on its stdin
SHOWN = 2_000  # bytes of a log's end that are looked at


class ChildFailed(HoldfastError):
    """A process that is needed ended, and starting it again does not help."""

    code = "child_failed"

    def __init__(self, name: str, status: int, said: str) -> None:
        super().__init__(name, status, said)
        self.name, self.status, self.said = name, status, said
        self.exit_status = status if status in {69, 75, 78} else 1  # type: ignore[misc] # of this one

    def __str__(self) -> str:
        return f"the {self.name} ended with status {self.status}: {self.said or 'it did not say why'}"


@dataclass(slots=True)
class Child:
    """One process: ``module`` and its arguments. ``log`` takes its stderr; None: it shares ours."""

    name: str
    module: str
    arguments: Sequence[str] = ()
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0  # when to start it again
    quick_deaths: int = 0

    def start(self, *, standby: bool = False) -> None:
        """Start it; in ``standby`` it gets ready, and waits for ``begin``."""
        with contextlib.ExitStack() as stack:
            stderr = stack.enter_context(self.log.open("ab")) if self.log else None
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "holdfast.cli.parent_death", self.module, *self.arguments, *STANDBY[:standby]],
                stdin=subprocess.PIPE if standby else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C at the terminal is ours to pass on
            )
        self.started = time.monotonic()

    def begin(self) -> None:
        """End its standby. One that has died meanwhile is started again by ``Processes.check``."""
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError), self.process.stdin as told:
                told.write(b"\n")
            self.started = time.monotonic()

    def last_log_line(self) -> str:
        """Return the last line of its log."""
        if self.log is None or not self.log.exists():
            return ""
        lines = self.log.read_bytes()[-SHOWN:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


@dataclass(slots=True)
class Processes:
    """``grace``: seconds to end after SIGTERM. ``max_quick_deaths``: in a row before it raises; None: no end."""

    children: Sequence[Child]
    grace: float = 30.0
    max_quick_deaths: int | None = None
    _signals: int = field(default=0, init=False)

    def start(self, *, standby: bool = False) -> None:
        for child in self.children:
            child.start(standby=standby)

    def begin(self) -> None:
        """End the standby of all."""
        for child in self.children:
            child.begin()

    def check(self) -> None:
        """Restart children that ended. Raises ChildFailed."""
        now = time.monotonic()
        for child in self.children:
            status = child.process.poll() if child.process else None
            if child.process is not None and status is not None:
                self._died(child, status, now)
            elif child.process is None and now >= child.due:
                child.start()

    def _died(self, child: Child, status: int, now: float) -> None:
        child.process = None
        quick = now - child.started < QUICK
        child.quick_deaths = child.quick_deaths + 1 if quick else 0
        if status in FINAL or (self.max_quick_deaths is not None and child.quick_deaths >= self.max_quick_deaths):
            raise ChildFailed(child.name, status, child.last_log_line())
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (child.quick_deaths - 1)) if quick else 0.0
        child.due = now + pause
        how = f"signal {-status}" if status < 0 else f"status {status}"
        say(f"the {child.name} ended with {how}; starting it again in {pause:g} s")

    def stop(self) -> None:
        """End all: softly, on Ctrl-C at once. Returns when none is left."""
        try:
            self._send(signal.SIGTERM)
            self._await(self.grace + MARGIN)
        except KeyboardInterrupt:
            self._send(signal.SIGTERM)
            with contextlib.suppress(KeyboardInterrupt):
                self._await(LAST_SECONDS)
        finally:
            self._send(signal.SIGKILL)
            for child in self.children:
                if child.process is not None:
                    child.process.wait()

    def serve(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Keep them alive until SIGTERM or SIGINT, then end them; the second signal ends them at once."""
        with self._listening():
            self.start()
            try:
                while not self._signals:
                    self.check()
                    meanwhile()
                    time.sleep(TICK)
            finally:
                self.stop()

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        before = {each: signal.signal(each, self._on_signal) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            raise KeyboardInterrupt

    def _send(self, number: signal.Signals) -> None:
        for child in self.children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(number)

    def _await(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for child in self.children:
            while child.process is not None and child.process.poll() is None and time.monotonic() < deadline:
                time.sleep(TICK / 2)
