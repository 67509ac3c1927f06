"""How jobs ended, read from SQL and written as answers and lines. It is slow to import, and not for mere looks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.client.answer import Answer
from holdfast.client.answer_body import find_answer_body
from holdfast.client.backend import View
from holdfast.client.batch_output import write_line
from holdfast.client.cost import cost_of
from holdfast.client.output_form import OutputForm, OutputLine
from holdfast.client.page_size import PageSize
from holdfast.client.plain_line import error_line, output_line
from holdfast.client.views import results_view
from holdfast.config import Settings
from holdfast.model.call_result import ProviderResponse
from holdfast.model.job import LIVE
from holdfast.model.records import FinishedJob, JobDetail, ResultRecord
from holdfast.store import Store
from holdfast.store.jobs import list_finished
from holdfast.store.responses import find_responses

MOST_BYTES = 16 * 1024 * 1024  # of answers, of which a page of lines is full


@dataclass(frozen=True, slots=True)
class EndedJobs:
    """Jobs of one tenant, or of all for an operator. Batches are named by their inner ids."""

    store: Store
    settings: Settings
    tenant: str | None

    def answer(self, detail: JobDetail) -> Answer | None:
        """Return how a job ended; None while it has not."""
        if detail.job.state in LIVE or detail.result is None:
            return None
        finished, response = FinishedJob(detail.job, detail.result), find_answer_body(self.store, detail, self.tenant)
        return Answer.read(output_line(finished, self._cost(detail.result), response))

    def results(self, batch: str, after: int, limit: int) -> View:
        """Return a page of output lines as data, each with its position."""
        ended = self._ended(batch, after, limit, OutputForm.PLAIN)
        return results_view(
            [
                {"position": one.job.position, **output_line(one, self._cost(one.result), response)}
                for one, response in ended
            ]
        )

    def output_lines(self, batch: str, after: int, limit: int, form: OutputForm) -> Sequence[OutputLine]:
        """Return a page of output lines as they stand in a file."""
        return [self._line(one, response, form) for one, response in self._ended(batch, after, limit, form)]

    def _line(self, finished: FinishedJob, response: ProviderResponse | None, form: OutputForm) -> OutputLine:
        cost, error = self._cost(finished.result), error_line(finished.result)
        text = write_line(finished, response, form, cost)
        return OutputLine(finished.job.position or 0, error["kind"] if error else None, cost, text)

    def _ended(
        self, batch: str, after: int, limit: int, form: OutputForm
    ) -> Iterator[tuple[FinishedJob, ProviderResponse | None]]:
        """Read answers a few at a time, and no more once they are long. Of plain lines the reading says it all."""
        total, size = 0, PageSize()
        while total < MOST_BYTES and (page := self.store.read(list_finished, batch, after, min(size.answers, limit))):
            asked = [
                one.job.id for one in page if one.job.written_in or form not in {OutputForm.PLAIN, OutputForm.AUTO}
            ]
            responses = self.store.read(find_responses, asked, self.tenant) if asked else {}
            yield from ((one, responses.get(one.job.id)) for one in page)
            texts = sum(len(one.result.reply.text) for one in page if one.result.reply)
            read = texts + sum(len(each.body) for each in responses.values())
            size.learn(read)
            total += read
            limit, after = limit - len(page), page[-1].job.position or 0
            if not limit:
                return

    def _cost(self, result: ResultRecord) -> float | None:
        return cost_of(result, self.settings)
