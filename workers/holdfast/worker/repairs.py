"""Answers that broke their job's rules, asked for again with the validator's words."""

from dataclasses import dataclass

from holdfast.model.fault import FaultKind
from holdfast.model.job import Claimed, MappingNote
from holdfast.model.request import Request
from holdfast.store.jobs import last_message
from holdfast.wire.repair import MOST_REPAIRS, repaired
from holdfast.worker.context import WorkerContext


@dataclass(frozen=True, slots=True)
class AnswerRepair:
    """Makes the request of a repeated call."""

    context: WorkerContext

    async def request_of(self, job: Claimed) -> tuple[Request, tuple[MappingNote, ...]]:
        """Return what a job's call asks, and what is told of that. Raises StorageUnavailable."""
        if not needs_repair(job):
            return job.request, ()
        why = await self.context.read(last_message, job.id, job.generation, FaultKind.BAD_OUTPUT)
        request, note = repaired(job.request, why or "it broke the rules.", job.attempts)
        return request, (note,)


def needs_repair(job: Claimed) -> bool:
    """Tell whether a call repeats one whose answer broke the rules of a job that wants it repaired."""
    wants = bool(job.request.repair) and job.fault is FaultKind.BAD_OUTPUT
    return wants and bool(job.request.turns) and 1 <= job.attempts <= MOST_REPAIRS
