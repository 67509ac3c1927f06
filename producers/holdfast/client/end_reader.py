"""How jobs ended, read from SQL and written as answers and lines. It is slow to import, and not for mere looks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.client.answer import Answer
from holdfast.client.answer_body import find_answer_body
from holdfast.client.backend import View
from holdfast.client.batch_output import write_line
from holdfast.client.cost import cost_of
from holdfast.client.ended_job import EndedJob
from holdfast.client.output_form import OutputForm, OutputLine
from holdfast.client.page_size import PageSize
from holdfast.client.plain_line import error_line
from holdfast.client.views import results_view
from holdfast.config import Settings
from holdfast.model.call_result import ProviderResponse
from holdfast.model.ids import inner_id
from holdfast.model.job import LIVE
from holdfast.model.records import FinishedJob, JobDetail
from holdfast.store import Store
from holdfast.store.jobs import find_finished, list_finished
from holdfast.store.responses import find_responses
from holdfast.store.transaction import Transaction

MOST_BYTES = 16 * 1024 * 1024  # of answers, of which a page of lines is full


@dataclass(frozen=True, slots=True)
class EndReader:
    """Reads how jobs of one tenant ended, or of all for an operator. Batches are named by their inner ids."""

    store: Store
    settings: Settings
    tenant: str | None

    def answer(self, detail: JobDetail) -> Answer | None:
        """Return how a job ended; None while it has not."""
        if detail.job.state in LIVE or detail.result is None:
            return None
        finished, response = FinishedJob(detail.job, detail.result), find_answer_body(self.store, detail, self.tenant)
        return Answer.read(ended_job(finished, response, self.settings).line)

    def results(self, batch: str, after: int, limit: int) -> View:
        """Return a page of output lines as data, each with its position."""
        ended = self._ended(batch, after, limit, OutputForm.PLAIN)
        return results_view([{"position": one.job.position, **one.line} for one in ended])

    def output_lines(self, batch: str, after: int, limit: int, form: OutputForm) -> Sequence[OutputLine]:
        """Return a page of output lines as they stand in a file."""
        return [line_of(one, form) for one in self._ended(batch, after, limit, form)]

    def _ended(self, batch: str, after: int, limit: int, form: OutputForm) -> Iterator[EndedJob]:
        """Read answers a few at a time, and no more once they are long. Of plain lines the reading says it all."""
        total, size = 0, PageSize()
        while total < MOST_BYTES and (page := self.store.read(list_finished, batch, after, min(size.answers, limit))):
            asked = [
                one.job.id for one in page if one.job.written_in or form not in {OutputForm.PLAIN, OutputForm.AUTO}
            ]
            responses = self.store.read(find_responses, asked, self.tenant) if asked else {}
            yield from (ended_job(one, responses.get(one.job.id), self.settings) for one in page)
            texts = sum(len(one.result.reply.text) for one in page if one.result.reply)
            read = texts + sum(len(each.body) for each in responses.values())
            size.learn(read)
            total += read
            limit, after = limit - len(page), page[-1].job.position or 0
            if not limit:
                return


def ended_job(finished: FinishedJob, response: ProviderResponse | None, settings: Settings) -> EndedJob:
    return EndedJob(finished, response, cost_of(finished.result, settings))


def line_of(ended: EndedJob, form: OutputForm) -> OutputLine:
    """Return how a job ended as a line of a file."""
    error = error_line(ended.result)
    kind = error["kind"] if error else None
    return OutputLine(ended.job.position or 0, kind, ended.cost_usd, write_line(ended, form))


def find_ends(store: Store, settings: Settings, jobs: Sequence[str]) -> dict[str, EndedJob | None]:
    """Read those of ``jobs`` that have ended, with the answers that ended them; None for those that are not there."""
    ids = {inner_id("job", job): job for job in jobs}
    known, responses = store.read(_read_ends, list(ids))
    ends: dict[str, EndedJob | None] = {job: None for id_, job in ids.items() if id_ not in known}
    for id_, finished in known.items():
        if finished is not None:
            ends[ids[id_]] = ended_job(finished, responses.get(id_), settings)
    return ends


def _read_ends(
    tx: Transaction, ids: Sequence[str]
) -> tuple[Mapping[str, FinishedJob | None], Mapping[str, ProviderResponse]]:
    known = find_finished(tx, ids)
    return known, find_responses(tx, [id_ for id_, finished in known.items() if finished is not None])
