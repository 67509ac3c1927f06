"""``holdfast up --detach`` and ``holdfast down``: everything in the background of this folder, and its end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.cli.processes import ChildFailed
from holdfast.cli.show import say
from holdfast.config.up_file import HOME, UP, is_up
from holdfast.model.errors import Conflict, NotFound

START_SECONDS, END_SECONDS = 90.0, 120.0
SHOWN = 2  # last lines of the log that an error quotes
WELCOME = "Holdfast is up"  # what `up` prints once it works
LOOK = 0.1  # seconds
LOG = HOME / "up.log"


class NothingUp(NotFound):
    """No `holdfast up` runs in a folder."""

    def __init__(self, folder: str) -> None:
        super().__init__("up", folder)

    def __str__(self) -> str:
        return f"no `holdfast up` runs in {self.name}. `holdfast up --detach` starts one."


def start(arguments: list[str]) -> None:
    """Start ``up`` with ``arguments`` in the background, and return when it works. Raises ChildFailed: it ended."""
    child = None
    try:
        with interrupts_held_back():
            child = spawn(arguments)
        await_welcome(child)
    except BaseException:
        if child is not None:
            end(child)
        raise
    say(f"Holdfast is up (process {child.pid}, log: {LOG}). `holdfast down` ends it.")


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Raise KeyboardInterrupt for a Ctrl-C at the end of the block: a process that nobody names yet cannot be ended."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def spawn(arguments: list[str]) -> subprocess.Popen[bytes]:
    """Start ``up`` in a session of its own; what it prints goes to ``LOG``."""
    HOME.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        return subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-m", "holdfast.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def await_welcome(child: subprocess.Popen[bytes]) -> None:
    """Wait until ``up`` says that it works. Raises ChildFailed."""
    last = time.monotonic() + START_SECONDS
    while WELCOME not in LOG.read_text(encoding="utf-8", errors="replace"):
        status = child.poll()
        if status is not None:
            raise ChildFailed("background process", status, end_of(LOG))
        if time.monotonic() > last:
            raise Conflict("holdfast up", f"it was not ready within {START_SECONDS:g} s, and is ended: {end_of(LOG)}")
        time.sleep(LOOK)


def end(child: subprocess.Popen[bytes]) -> None:
    """End what was started: softly, then at once."""
    child.terminate()
    try:
        child.wait(END_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        child.kill()  # its own children end with it


def stop() -> None:
    """End the ``up`` of this folder: running calls finish first. Raises NothingUp, Conflict."""
    pid = is_up()
    if pid is None:
        raise NothingUp(str(Path.cwd()))
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + END_SECONDS
    while UP.exists() and is_up() is not None:
        if time.monotonic() > end:
            raise Conflict(f"process {pid}", f"it is still finishing; see {LOG}")
        time.sleep(LOOK)
    say("Holdfast is down; jobs stay where they are")


def end_of(log: Path) -> str:
    """Return the last lines of a log in one, and where it stands."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = " · ".join(line.strip().removeprefix("holdfast: ") for line in lines[-SHOWN:])
    return f"{said} (log: {log})" if said else "it said nothing"
