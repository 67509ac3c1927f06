"""A job that has ended, with the provider's own answer and what it cost."""

from dataclasses import dataclass
from functools import cached_property

from holdfast.client.cost import cost_of
from holdfast.client.plain_line import facts
from holdfast.config import Settings
from holdfast.model.call_result import ProviderResponse
from holdfast.model.errors import NotFound
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import LIVE
from holdfast.model.records import FinishedJob, ResultRecord
from holdfast.store import Store
from holdfast.store.jobs import find_detail
from holdfast.store.responses import find_response


@dataclass(frozen=True)
class EndedJob:
    """``response`` is None where no provider answered; ``cost_usd`` None where no price is known."""

    finished: FinishedJob
    response: ProviderResponse | None
    cost_usd: float | None

    @property
    def result(self) -> ResultRecord:
        return self.finished.result

    @property
    def id(self) -> str:
        """Its public id."""
        return public_id("job", self.finished.job.id)

    @cached_property
    def facts(self) -> dict[str, object]:
        """What Holdfast knows of it beside its answer: id, route, attempts, cost, mapping."""
        return facts(self.finished, self.cost_usd)


def find_ended(store: Store, settings: Settings, job: str, tenant: str | None) -> EndedJob:
    """Read a job that has ended, with the answer that ended it. Raises NotFound: there is none, or it lives."""
    detail = store.read(find_detail, inner_id("job", job), tenant)
    if detail is None or detail.job.state in LIVE or detail.result is None:
        raise NotFound("ended job", job)
    response = store.read(find_response, detail.job.id, tenant)
    return EndedJob(FinishedJob(detail.job, detail.result), response, cost_of(detail.result, settings))
