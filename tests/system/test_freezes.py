"""A worker that stood still sends no burst when it goes on: what it was permitted long ago it asks for again."""

import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from holdfast.store.fleet import list_workers
from system.fleet import Fleet
from system.storages import SERVERS_TOO

RATE = 50  # requests a second that the provider lets in, after a burst of as many
LIMITS = "limits = { requests_per_minute = 3_000 }"
REFILLED = 1.2  # seconds in which an allowance is full again


def is_frozen(process: subprocess.Popen[bytes]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def asleep(fleet: Fleet, step: str) -> tuple[subprocess.Popen[bytes], str]:
    """A worker that stands still at ``step``, and its batch. One that stands in a transaction is woken for another."""
    while True:
        sleeper = fleet.worker(HOLDFAST_FREEZE_AT=step)
        fleet.until(lambda: len(fleet.store.read(list_workers)) == 1)
        batch = fleet.submit(RATE)
        fleet.until(partial(is_frozen, sleeper))
        if fleet.can_write():
            return sleeper, batch
        sleeper.send_signal(signal.SIGCONT)
        fleet.until_done(batch)
        sleeper.terminate()
        sleeper.wait()


@pytest.mark.parametrize("kept", SERVERS_TOO, indirect=True)
@pytest.mark.parametrize("step", ["before_claim", "before_send", "connected", "leaving"])
def test_a_worker_frozen_for_less_than_its_lease_sends_no_burst_when_it_wakes(
    kept: None, build: Callable[..., Fleet], step: str
) -> None:
    """While it sleeps with a second's worth of permits, the allowance fills up, and another worker takes all of it."""
    fleet = build(rate=RATE, limits=LIMITS, lease="60s")
    sleeper, first = asleep(fleet, step)
    fleet.worker()
    fleet.until(lambda: len(fleet.store.read(list_workers)) == 2)
    time.sleep(REFILLED)
    before = fleet.sims[0].counts()["calls"]
    second = fleet.submit(4 * RATE)
    fleet.until(lambda: fleet.sims[0].counts()["calls"] > before)
    sleeper.send_signal(signal.SIGCONT)
    fleet.until_done(first)
    fleet.until_done(second)
    assert fleet.broken(first) == fleet.broken(second, rate=RATE) == []
    assert fleet.succeeded(first) + fleet.succeeded(second) == 5 * RATE
