"""Output and error files of batches: written from SQL while they are read, and kept nowhere a second time."""

from collections.abc import Iterable, Iterator
from heapq import merge
from operator import itemgetter

from holdfast.api.auth.request_context import RequestContext
from holdfast.api.openai.batch_orders import find_batch
from holdfast.api.openai.batch_view import bad_line_output, expiry_of, file_of
from holdfast.api.openai.file_ids import FileId
from holdfast.client.batch_output import write_line
from holdfast.client.end_reader import ended_job
from holdfast.client.output_form import OutputForm
from holdfast.client.page_size import PageSize
from holdfast.model.batch_order import BatchOrder
from holdfast.model.errors import NotFound
from holdfast.model.job import TERMINAL, State
from holdfast.store.batch_orders import list_bad_lines
from holdfast.store.jobs import list_finished
from holdfast.store.responses import find_responses

BAD_PAGE = 500
GOOD = frozenset({State.SUCCEEDED})
Placed = tuple[int, bytes]  # a line with its place in the input


def output_order(context: RequestContext, id_: FileId) -> BatchOrder:
    """Find the batch of an output file that is there, and has not expired. Raises NotFound."""
    order = find_batch(context, id_.id)
    assert id_.part is not None
    if order is None or id_.part in order.hidden_files or file_of(order, id_.part) is None:
        raise NotFound("File", str(id_))
    expires_at = expiry_of(order)
    if expires_at is not None and context.app_state.installation.ready().now() >= expires_at:
        raise NotFound("File", str(id_))
    return order


def output_lines(context: RequestContext, order: BatchOrder, id_: FileId) -> Iterator[bytes]:
    """Yield the lines of an output file, in the order of the input."""
    if id_.part == "output":
        lines: Iterable[Placed] = ended_lines(context, order, GOOD)
    else:
        lines = merge(ended_lines(context, order, TERMINAL - GOOD), bad_lines(context, order), key=itemgetter(0))
    return (text + b"\n" for _, text in lines)


def ended_lines(context: RequestContext, order: BatchOrder, states: frozenset[State]) -> Iterator[Placed]:
    """Yield the lines of jobs that ended in one of ``states``."""
    store, after, size = context.app_state.installation.ready(), -1, PageSize()
    while page := store.read(list_finished, order.batch, after, size.answers, states):
        responses = store.read(find_responses, [one.job.id for one in page], order.tenant)
        for one in page:
            ended = ended_job(one, responses.get(one.job.id), context.settings)
            yield one.job.position or 0, write_line(ended, OutputForm.OPENAI)
        after = page[-1].job.position or 0
        size.learn(sum(len(each.body) for each in responses.values()))


def bad_lines(context: RequestContext, order: BatchOrder) -> Iterator[Placed]:
    """Yield the lines of requests that became no job."""
    store, after = context.app_state.installation.ready(), -1
    while page := store.read(list_bad_lines, order.batch, after, BAD_PAGE):
        yield from ((bad.position, bad_line_output(order, bad)) for bad in page)
        after = page[-1].position
