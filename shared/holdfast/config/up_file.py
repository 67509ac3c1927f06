"""What `holdfast up` leaves in the working directory while it runs, so that other commands find it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOME = Path(".holdfast")
SIMULATED = HOME / "sim.toml"  # the configuration of `up --sim`; of no use to anybody once that has ended
UP = HOME / "up.pid"


def is_up() -> int | None:
    """Return the id of the `holdfast up` that runs in the working directory; None where none does."""
    try:
        pid = int(UP.read_text(encoding="ascii"))
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


@contextmanager
def told_up() -> Iterator[None]:
    """Let others see that this process is the `holdfast up` of the working directory."""
    HOME.mkdir(exist_ok=True)
    UP.write_text(str(os.getpid()), encoding="ascii")
    try:
        yield
    finally:
        UP.unlink(missing_ok=True)
        SIMULATED.unlink(missing_ok=True)
