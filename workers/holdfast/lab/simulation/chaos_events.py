"""What happens to us in a drill: killed and stopped processes, wrong clocks, a Redis that forgets."""

from collections.abc import Callable, Mapping

from holdfast.lab.drill.scenario import ChaosEvent
from holdfast.lab.simulation.jobs import SimulatedWorker
from holdfast.lab.simulation.pool import SimulatedPool

LEASE = 15.0  # seconds without a sign of life until a worker's jobs are taken over
REBORN = 2.0  # seconds until a dead worker's place is taken by a new process
BACK = 1.0  # seconds until a lost Redis is there again, and filled from SQL


class ChaosEvents:
    """Plans the upsets of a scenario, and carries each out at its time."""

    def __init__(self, pool: SimulatedPool) -> None:
        self.pool = pool
        self._acts: Mapping[str, Callable[[ChaosEvent, SimulatedWorker], None]] = {
            "kill": self._kill,
            "kill_before_record": self._mark,
            "kill_after_record": self._mark,
            "pause": self._pause,
            "skew": self._skew,
            "lose_redis": self._lose_redis,
        }

    def plan(self, upsets: tuple[ChaosEvent, ...]) -> None:
        for upset in upsets:
            self.pool.loop.at(upset.at, self._happens, upset)

    def _happens(self, upset: ChaosEvent) -> None:
        worker = self.pool.workers[upset.worker % len(self.pool.workers)]
        if worker.alive:
            self._acts[upset.what](upset, worker)

    def _kill(self, _upset: ChaosEvent, worker: SimulatedWorker) -> None:
        self.pool.kill(worker)
        self._died(worker)

    def _mark(self, upset: ChaosEvent, worker: SimulatedWorker) -> None:
        """Die at a named point of the next call that ends."""
        worker.dies = upset.what.removeprefix("kill_")
        self._await_death(worker)

    def _await_death(self, worker: SimulatedWorker) -> None:
        if worker.alive:
            self.pool.loop.at(self.pool.loop.now + 0.1, self._await_death, worker)
        else:
            self._died(worker)

    def _died(self, worker: SimulatedWorker) -> None:
        loop = self.pool.loop
        loop.at(loop.now + LEASE, self.pool.take_over, worker)
        loop.at(loop.now + REBORN, self._reborn, worker)

    def _reborn(self, worker: SimulatedWorker) -> None:
        place = self.pool.workers.index(worker)
        self.pool.workers[place] = SimulatedWorker(f"{worker.name}'", worker.slots)
        self.pool.pump()

    def _pause(self, upset: ChaosEvent, worker: SimulatedWorker) -> None:
        """SIGSTOP: its calls go on, but nobody hears them. After a lease its jobs are others'."""
        loop = self.pool.loop
        worker.paused_until = loop.now + upset.seconds
        self.pool.audit.excused += len(worker.calls)
        if upset.seconds > LEASE:
            loop.at(loop.now + LEASE, self.pool.take_over, worker)
        loop.at(worker.paused_until, self.pool.pump)

    def _skew(self, upset: ChaosEvent, worker: SimulatedWorker) -> None:
        """Its wall clock jumps. Nothing that counts is dated by it."""
        worker.ahead = upset.seconds

    def _lose_redis(self, _upset: ChaosEvent, _worker: SimulatedWorker) -> None:
        pool = self.pool
        pool.gate.lose(pool.loop.now, [call for worker in pool.workers for call in worker.calls])
        pool.loop.at(pool.loop.now + BACK, self._refill)

    def _refill(self, _about: object) -> None:
        there = set(self.pool.gate.waiting)
        self.pool.offer([job for job in self.pool.ledger.queued() if job not in there])
