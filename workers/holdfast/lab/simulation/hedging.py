"""What ``worker.hedging`` does, in the simulation: a second call for a slow one, where the plan asks for that."""

from collections.abc import Callable
from dataclasses import replace

from holdfast.lab.simulation.event_queue import EventQueue
from holdfast.lab.simulation.gate import SimulatedGate
from holdfast.lab.simulation.job_table import JobTable
from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedWorker
from holdfast.policy.hedging import avoiding, earn, refund, spend
from holdfast.policy.slow_calls import RECHECK_AFTER

Send = Callable[[SimulatedCall, SimulatedWorker], None]


class SimulatedHedging:
    """``send`` makes a second call that has its permit and its row. Both calls hold one place of their worker."""

    def __init__(self, gate: SimulatedGate, ledger: JobTable, loop: EventQueue, send: Send) -> None:
        self.gate, self.ledger, self.loop, self.send = gate, ledger, loop, send
        self.hedge = gate.plan.hedge

    def first(self, call: SimulatedCall, worker: SimulatedWorker) -> None:
        """A call was made that may earn a hedge, and get one. A probe gets none."""
        if self.hedge is None or call.probe:
            return
        worker.hedges = earn(worker.hedges, self.hedge.at_most)
        self.loop.at(call.sent + self.hedge.after, self._second, call)

    def _second(self, first: SimulatedCall) -> None:
        """Make the second call, or try again later for as long as the first one runs."""
        worker, now = first.worker, self.loop.now
        if first.over or worker is None:
            return
        if worker.paused_until > now:
            self.loop.at(worker.paused_until, self._second, first)
        elif (second := self._permitted(first, worker, now)) is None:
            self.loop.at(now + RECHECK_AFTER, self._second, first)
        else:
            first.other, second.other = second, first
            self.send(second, worker)

    def _permitted(self, first: SimulatedCall, worker: SimulatedWorker, now: float) -> SimulatedCall | None:
        """Its permit, then its row. None: no budget, no room, or its worker holds the job no more."""
        budget = spend(worker.hedges)
        if budget is None:
            return None
        worker.hedges = budget
        second = self.gate.hedge(
            first.job, replace(first.job.need, avoid=avoiding(first.job.need.avoid, [first.target.name])), now
        )
        if second is not None and self.ledger.hedge(first, second):
            return second
        if second is not None:
            self.gate.settle(second, None, now)
        worker.hedges = refund(worker.hedges)
        return None
