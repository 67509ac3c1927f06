"""What `holdfast up` leaves in the working directory while it runs, so that other commands find it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOME = Path(".holdfast")
SIMULATED = HOME / "sim.toml"  # the configuration of `up --sim`; of no use to anybody once that has ended
UP = HOME / "up.pid"


def is_up() -> int | None:
    """Return the id of the `holdfast up` that runs in the working directory; None where none does.

    It holds a lock on the file, which ends with it: the id that a killed one left may be somebody else's by now.
    """
    try:
        with UP.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_id()
    except OSError:  # there is no file, or no lock on this file system
        pass
    return None


def _read_id() -> int | None:
    try:
        return int(UP.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


@contextmanager
def told_up() -> Iterator[None]:
    """Let others see that this process is the `holdfast up` of the working directory."""
    HOME.mkdir(exist_ok=True)
    with UP.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # waits for those who look at this moment
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            UP.unlink(missing_ok=True)
            SIMULATED.unlink(missing_ok=True)
