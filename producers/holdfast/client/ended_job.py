"""A job that has ended, with the provider's own answer and what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from holdfast.client.cost import cost_of
from holdfast.client.plain_line import facts
from holdfast.config import Settings
from holdfast.model.call_result import ProviderResponse
from holdfast.model.ids import inner_id, public_id
from holdfast.model.records import FinishedJob, ResultRecord
from holdfast.store import Store
from holdfast.store.jobs import find_finished
from holdfast.store.responses import find_responses
from holdfast.store.transaction import Transaction


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


def find_ends(store: Store, settings: Settings, jobs: Sequence[str]) -> dict[str, EndedJob | None]:
    """Read those of ``jobs`` that have ended, with the answers that ended them; None for those that are not there."""
    ids = {inner_id("job", job): job for job in jobs}
    known, responses = store.read(_read_ends, list(ids))
    ends: dict[str, EndedJob | None] = {job: None for id_, job in ids.items() if id_ not in known}
    for id_, finished in known.items():
        if finished is not None:
            ends[ids[id_]] = EndedJob(finished, responses.get(id_), cost_of(finished.result, settings))
    return ends


def _read_ends(
    tx: Transaction, ids: Sequence[str]
) -> tuple[Mapping[str, FinishedJob | None], Mapping[str, ProviderResponse]]:
    known = find_finished(tx, ids)
    return known, find_responses(tx, [id_ for id_, finished in known.items() if finished is not None])
