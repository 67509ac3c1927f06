"""RunSampler a run from outside: where the jobs of some batches are, and what the breakers do, many times a second."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from holdfast.lab.report.run_record import BreakerMove, Sample
from holdfast.lanes import BreakerView, Lanes
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.job import State
from holdfast.store import Store
from holdfast.store.batches import find_batch

ENDED = (State.DEAD, State.CANCELLED, State.EXPIRED)
WAITING = (State.QUEUED, State.DELAYED)


class RunSampler:
    """Takes samples in a thread of its own: ``with RunSampler(store, lanes, batches) as watch: … watch.samples``.

    Times are seconds since ``began``, which is on the clock of ``time.time``. Storage that does not answer for a while
    leaves a gap.
    """

    def __init__(self, store: Store, lanes: Lanes, batches: Sequence[str], interval: float = 0.1) -> None:
        self.store, self.lanes, self.batches, self.interval = store, lanes, batches, interval
        self.began = time.time()
        self.samples: list[Sample] = []
        self.moves: list[BreakerMove] = []
        self._states: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def now(self) -> float:
        return time.time() - self.began

    def state(self, route: str) -> str:
        """The state of a route's breaker as last seen."""
        return self._states.get(f"route:{route}", "closed")

    def _run(self) -> None:
        while not self._over.wait(self.interval):
            self._look()

    def _look(self) -> None:
        try:
            self.samples.append(self._sample())
            self._hear(self.lanes.snapshot().breakers)
        except (StorageUnavailable, QueueUnavailable):
            return

    def _sample(self) -> Sample:
        at = self.now()
        counts = dict.fromkeys(State, 0)
        for batch in self.batches:
            record = self.store.read(find_batch, batch)
            for state, jobs in (record.counts if record else {}).items():
                counts[state] += jobs
        return Sample(
            at=at,
            done=counts[State.SUCCEEDED],
            in_flight=counts[State.RUNNING],
            waiting=sum(counts[state] for state in WAITING),
            ended=sum(counts[state] for state in ENDED),
        )

    def _hear(self, breakers: Sequence[BreakerView]) -> None:
        at = self.now()
        for breaker in breakers:
            state = shown_state(breaker)
            if self._states.get(breaker.scope, "closed") != state:
                kind, _, name = breaker.scope.partition(":")
                self.moves.append(BreakerMove(at, name if kind == "route" else f"{kind} {name}", state))
            self._states[breaker.scope] = state


def shown_state(breaker: BreakerView) -> str:
    """The state as a picture shows it: a closed breaker that lets calls in step by step is ramping."""
    return "ramping" if breaker.recovering else breaker.state
