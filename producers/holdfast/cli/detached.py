"""``holdfast up --detach`` and ``holdfast down``: everything in the background of this folder, and its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from holdfast.cli.show import say
from holdfast.config.up_file import HOME, UP, is_up
from holdfast.model.errors import Conflict, NotFound

START_SECONDS, END_SECONDS = 60.0, 120.0
LOOK = 0.1  # seconds
LOG = HOME / "up.log"


def start(arguments: list[str]) -> None:
    """Start ``up`` with ``arguments`` in the background, and return when it answers. Raises Conflict."""
    if (pid := is_up()) is not None:
        raise Conflict("holdfast up", f"it runs here already (process {pid}). `holdfast down` ends it.")
    HOME.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-m", "holdfast.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    end = time.monotonic() + START_SECONDS
    while "Holdfast is up" not in LOG.read_text(encoding="utf-8", errors="replace"):
        if child.poll() is not None or time.monotonic() > end:
            raise Conflict("holdfast up", f"it did not start: {last_line(LOG)}")
        time.sleep(LOOK)
    say(f"Holdfast is up (process {child.pid}, log: {LOG}). `holdfast down` ends it.")


def stop() -> None:
    """End the ``up`` of this folder: running calls finish first. Raises NotFound, Conflict."""
    pid = is_up()
    if pid is None:
        raise NotFound("up", f"process in {Path.cwd()}")
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + END_SECONDS
    while UP.exists() and is_up() is not None:
        if time.monotonic() > end:
            raise Conflict(f"process {pid}", f"it is still finishing; see {LOG}")
        time.sleep(LOOK)
    say("Holdfast is down; jobs stay where they are")


def last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
