"""Batches: list, look, results, cancel."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from holdfast.api.auth.request_context import Reading, Submitting
from holdfast.api.native.answers import BatchCost, BatchesPage, BatchView, CancelledBatch
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.filters import BatchPage
from holdfast.api.native.links import with_results
from holdfast.api.native.submission import MOST_PLACES
from holdfast.api.openapi import SCHEMAS, shown
from holdfast.api.streamed import in_pieces
from holdfast.client.backend import Backend, View
from holdfast.client.list_filters import batch_filter
from holdfast.client.output_form import OutputForm, OutputLine
from holdfast.model import exact_json
from holdfast.model.ids import inner_id, public_id

PAGE = 500  # lines that are read at once
RESULTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Output lines, or a page of them.",
        "content": {
            "application/jsonl": {"schema": {"type": "string"}},
            "application/json": {"schema": {"$ref": f"{SCHEMAS}ResultsPage"}},
        },
    },
    **UNCHANGED,
}
router = APIRouter(tags=["batches"])


@router.get("/batches", **shown(BatchesPage, more=UNCHANGED))
def list_batches(context: Reading, query: Annotated[BatchPage, Query()], if_none_match: IfNoneMatch = None) -> Response:
    """List batches, newest first."""
    page = context.backend.batches(query.limit, query.cursor, batch_filter(query.model_dump()))
    return tagged_page(page | {"batches": [with_results(batch) for batch in page["batches"]]}, if_none_match)


@router.get("/batches/{batch}", **shown(BatchView))
def show_batch(batch: str, context: Reading) -> View:
    """Show a batch with its jobs counted by state."""
    return with_results(context.backend.batch(batch))


@router.get("/batches/{batch}/cost", **shown(BatchCost))
def show_cost(batch: str, context: Reading) -> View:
    """Add up what the jobs of a batch that have ended cost, as far as prices are known."""
    return {"id": public_id("batch", inner_id("batch", batch)), "cost_usd": context.backend.spent(batch)}


@router.get("/batches/{batch}/results", response_class=Response, responses=RESULTS)
def list_results(
    request: Request,
    batch: str,
    context: Reading,
    *,
    after: Annotated[int, Query(ge=-1, le=MOST_PLACES, description="the last position you have")] = -1,
    limit: Annotated[int | None, Query(ge=1, le=1_000, description="at most this many; of lines, default all")] = None,
    output: Annotated[OutputForm | None, Query(description="the form of the lines; default auto")] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the output lines of jobs that have ended, in input order. Jobs that have not leave gaps.

    As JSON lines, each in the form that its input was written in, or all in the one that ``output`` names. With
    ``Accept: application/json`` as a page: ``results``, each with its ``position``, and ``next``, the last of them.
    """
    if "application/json" in request.headers.get("accept", ""):
        return tagged_page(page(context.backend, batch, after, limit or PAGE, output), if_none_match)
    first = context.backend.output_lines(batch, after, min(limit or PAGE, PAGE), output or OutputForm.AUTO)
    lines = written(context.backend, batch, first, limit, output or OutputForm.AUTO)
    return StreamingResponse(in_pieces(lines), media_type="application/jsonl")


def page(backend: Backend, batch: str, after: int, limit: int, output: OutputForm | None) -> bytes:
    """Write a page: plain lines with their positions, or lines of a form beside what is said of each."""
    if output is None:
        return exact_json.dumps(backend.results(batch, after, limit))
    lines = backend.output_lines(batch, after, limit, output)
    entries = b",".join(
        b'{"position":%d,"error":%s,"cost_usd":%s,"line":%s}'
        % (line.position, exact_json.dumps(line.error), exact_json.dumps(line.cost_usd), line.text)
        for line in lines
    )
    return b'{"results":[%s],"next":%s}' % (entries, exact_json.dumps(lines[-1].position if lines else None))


def written(
    backend: Backend, batch: str, lines: Sequence[OutputLine], limit: int | None, output: OutputForm
) -> Iterator[bytes]:
    """Yield line after line, from page to page."""
    left = limit
    while lines:
        yield from (line.text + b"\n" for line in lines)
        left = None if left is None else left - len(lines)
        if left == 0:
            return
        lines = backend.output_lines(batch, lines[-1].position, min(left or PAGE, PAGE), output)


@router.post("/batches/{batch}/cancel", **shown(CancelledBatch))
def cancel_batch(batch: str, context: Submitting) -> View:
    """Cancel every job of the batch that has not ended."""
    return context.backend.cancel_batch(batch)
