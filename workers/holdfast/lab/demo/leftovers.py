"""What a demo that was killed leaves behind: its workers, its Redis, its storage. Swept before the next one begins."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from holdfast.lanes import connect

PROCESSES = Path("/proc")


def sweep(directory: Path) -> None:
    """Remove every ``run-PID`` of a dead demo. Raises SystemExit where that demo still runs."""
    for left in directory.glob("run-*"):
        owner = left.name.removeprefix("run-")
        if "holdfast" in command(owner) or "demo" in command(owner):
            raise SystemExit(f"a demo runs in {directory} already (process {owner}): wait for it, or end it")
        for worker in workers_of(left):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        if (left / "redis" / "server.lock").exists():
            connection = connect("embedded", left)
            _ = connection.url
            connection.close()  # the last user stops the server
        shutil.rmtree(left, ignore_errors=True)


def workers_of(left: Path) -> Iterator[int]:
    """Ids of worker processes that run on the configuration in ``left``."""
    config = str(left.resolve() / "holdfast.toml")
    for process in PROCESSES.glob("[0-9]*"):
        said = command(process.name)
        if "holdfast.worker" in said and config in said:
            yield int(process.name)


def command(process: str) -> str:
    """The command line of a process; empty where there is none of that id."""
    try:
        return (PROCESSES / process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
