"""A simulated provider on a core that is not shared with what is measured, where the system allows that."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import SimSettings


def keep_to_last_core(pid: int) -> None:
    """Keep a process on the last core that this process may use. Others may use it too, for what it leaves."""
    with suppress(AttributeError, OSError):  # not on every system, not in every container
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(pid, cores[-1:] if len(cores) > 1 else cores)


@contextmanager
def provider(**settings: Any) -> Iterator[SimProcess]:
    """A provider for as long as the block runs; ``settings`` are those of SimSettings."""
    with SimProcess(SimSettings(**settings)) as sim:
        keep_to_last_core(sim.pid)
        yield sim
