"""The jobs that this process holds: those whose attempts run here, and those that it may hold without knowing."""

import asyncio
from dataclasses import dataclass, field

import structlog

from holdfast.model.job import Claimed, Permit
from holdfast.model.route import Plan
from holdfast.worker.attempt import AttemptRunner
from holdfast.worker.call_slots import CallSlots

log = structlog.get_logger()


@dataclass(slots=True)
class HeldJobs:
    """``unsure``: jobs that SQL may count as ours though nothing here runs them; the sweeper queues them again."""

    attempts: AttemptRunner
    slots: CallSlots
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    def start(self, job: Claimed, permit: Permit, plan: Plan) -> None:
        """Run the attempt of a job that was just claimed."""
        attempt = asyncio.create_task(self.attempts.run(job, permit, plan))
        self.running[job.id] = attempt
        attempt.add_done_callback(lambda done: self._ended(job, permit, done))

    def _ended(self, job: Claimed, permit: Permit, attempt: asyncio.Task[None]) -> None:
        if self.running.get(job.id) is attempt:
            del self.running[job.id]
        self.slots.left(permit.id)
        self.slots.give_back()
        if not attempt.cancelled() and (error := attempt.exception()):
            log.error("attempt_broke", job=job.id, error=repr(error), effect="its job is handed back", exc_info=error)
            self.unsure.add(job.id)
