"""What is true while a drill runs: simulators, store and gate, noted twice a second beside the dashboard."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from drill_questions import Moment
from holdfast.lanes import Snapshot
from holdfast.model.job import State
from holdfast.store.backlog import list_lanes, oldest_wait
from rig import Rig

EVERY = 0.4  # seconds
KEPT = 1_000  # moments: more than five minutes of them
LANE = "bench.batch"
PRICE = {"input": 1.0, "output": 5.0}  # dollars per million tokens
DOWN = frozenset({"open", "half_open"})
WAITING = (State.QUEUED, State.DELAYED)


class TruthRecorder:
    """Notes moments on a thread of its own. ``accepted``: says how many jobs were handed in so far."""

    def __init__(self, pool: Rig, providers: Sequence[str], accepted: Callable[[], int]) -> None:
        self._pool, self._providers, self._accepted = pool, providers, accepted
        self._moments: list[Moment] = []
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Note moments for as long as the block runs."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def moments(self) -> list[Moment]:
        """Return the moments so far, oldest first."""
        return list(self._moments)

    def until(self, at: float) -> None:
        """Wait until a moment after ``at`` was noted, or nobody notes any more."""
        while not self._stop.wait(EVERY / 4) and not (self._moments and self._moments[-1].at > at):
            pass

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self._moments = [*self._moments[-KEPT:], self._note()]

    def _note(self) -> Moment:
        counts = [sim.counts() for sim in self._pool.sims]
        usage = [each["usage"] for each in counts]
        gate, lanes = self._pool.lanes.snapshot(), self._pool.store.read(list_lanes)
        return Moment(
            at=time.time(),
            accepted=self._accepted(),
            backlog=sum(lane.counts.get(state, 0) for lane in lanes for state in WAITING),
            oldest=self._pool.store.read(oldest_wait, LANE),
            cost=sum(each[kind] * dollars for each in usage for kind, dollars in PRICE.items()) / 1_000_000,
            calls={name: each["calls"] for name, each in zip(self._providers, counts, strict=True)},
            fills=fills_of(gate),
            verdict=verdict_of(gate),
        )


def fills_of(gate: Snapshot) -> dict[str, float]:
    """Say how full the emptiest bucket of each provider is."""
    found: dict[str, float] = {}
    for bucket in gate.buckets:
        provider = bucket.name.partition("/")[0]
        levels = [level / (bucket.capacity[dimension] or 1.0) for dimension, level in bucket.level.items()]
        found[provider] = min([*levels, found.get(provider, 1.0)])
    return found


def verdict_of(gate: Snapshot) -> str:
    """Say what breakers make of it, where nothing is broken here."""
    if any(breaker.state in DOWN for breaker in gate.breakers):
        return "provider"
    return "recovering" if any(breaker.recovering for breaker in gate.breakers) else "healthy"
