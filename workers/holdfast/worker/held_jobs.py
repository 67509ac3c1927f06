"""The jobs that this process holds: those whose attempts run here, and those that it may hold without knowing."""

import asyncio
from dataclasses import dataclass, field

import structlog

from holdfast.model.exception_fault import what_broke
from holdfast.model.job import Claimed, Permit
from holdfast.model.route import Plan
from holdfast.worker.attempt import AttemptRunner, Unrecorded
from holdfast.worker.call_slots import CallSlots

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BrokenJob:
    """A job that is to be broken off: ``why``, and whether a call of it may have been ``sent``."""

    why: str
    sent: bool


@dataclass(slots=True)
class HeldJobs:
    """``unsure``: jobs that SQL may count as ours though nothing here runs them; the sweeper queues them again.

    ``awaited``: how many of those that run somebody waits for.
    ``broken``: jobs on which something of ours broke, and of which nothing could be recorded; it breaks them off.
    """

    attempts: AttemptRunner
    slots: CallSlots
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    awaited: int = 0
    unsure: set[str] = field(default_factory=set)
    broken: dict[str, BrokenJob] = field(default_factory=dict)

    def start(self, job: Claimed, permit: Permit, plan: Plan) -> None:
        """Run the attempt of a job that was just claimed."""
        self.awaited += job.interactive
        attempt = asyncio.create_task(self.attempts.run(job, permit, plan))
        self.running[job.id] = attempt
        self.unsure.discard(job.id)
        attempt.add_done_callback(lambda done: self._ended(job, permit, done))

    def _ended(self, job: Claimed, permit: Permit, attempt: asyncio.Task[None]) -> None:
        self.awaited -= job.interactive
        if self.running.get(job.id) is attempt:
            del self.running[job.id]
        self.slots.left(permit.id)
        self.slots.give_back()
        if not attempt.cancelled() and (error := attempt.exception()):
            self._break(job, error)

    def _break(self, job: Claimed, error: BaseException) -> None:
        why = what_broke(error.__cause__ or error)
        self.broken[job.id] = BrokenJob(why, sent=isinstance(error, Unrecorded) and error.sent)
        log.error("job_broken_off", job=job.id, error=why, effect="it is handed back, or buried", exc_info=error)
