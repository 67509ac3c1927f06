"""A job that has ended, with the provider's own answer and what it cost."""

from dataclasses import dataclass
from typing import Any

from holdfast.client.plain_line import facts, output_line
from holdfast.model.call_result import ProviderResponse
from holdfast.model.ids import public_id
from holdfast.model.records import FinishedJob, JobRecord, ResultRecord


@dataclass(frozen=True, slots=True)
class EndedJob:
    """``response`` is None where no provider answered, or where it was not asked for; ``cost_usd`` where no price is
    known.
    """

    finished: FinishedJob
    response: ProviderResponse | None = None
    cost_usd: float | None = None

    @property
    def id(self) -> str:
        """Its public id."""
        return public_id("job", self.finished.job.id)

    @property
    def facts(self) -> dict[str, Any]:
        """What Holdfast knows of it beside its answer: id, route, attempts, cost, mapping."""
        return facts(self.finished, self.cost_usd)

    @property
    def line(self) -> dict[str, Any]:
        """Its output line in the plain form."""
        return output_line(self.finished, self.cost_usd, self.response)

    @property
    def job(self) -> JobRecord:
        return self.finished.job

    @property
    def result(self) -> ResultRecord:
        return self.finished.result
