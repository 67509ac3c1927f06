"""Creating a batch of a file that was uploaded: an order, whose lines are read beside the calls of this process."""

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from holdfast.api.auth.request_context import RequestContext
from holdfast.api.compatible.call_request import IDEMPOTENCY_KEY, creation_fingerprint, tries_before
from holdfast.api.compatible.client_api import ClientApi
from holdfast.api.compatible.repeated_calls import WITHIN
from holdfast.api.openai.file_ids import read_file_id
from holdfast.api.openai.upload import LATEST, SOONEST
from holdfast.model.batch_order import BatchOrder, NewBatchOrder
from holdfast.model.client_file import ClientFile
from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest, NotFound
from holdfast.model.ids import new_id
from holdfast.model.job import DEFAULT_TENANT
from holdfast.store.batch_orders import find_repeated_order, open_failed_order, open_order
from holdfast.store.files import find_file
from holdfast.store.repeats import HALF

MOST_LINES = 50_000
SHORTEST, LONGEST = 1.0, 30 * 86_400.0  # seconds of a completion window
Endpoint = Literal[
    "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/completions", "/v1/moderations",
    "/v1/images/generations", "/v1/images/edits", "/v1/videos",
]  # fmt: skip
Label = Annotated[str, StringConstraints(max_length=512)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class OutputExpiry(BaseModel):
    """When output files are to be gone: so long after they are made (``batch_create_params.OutputExpiresAfter``)."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=SOONEST, le=LATEST)]


class NewBatch(BaseModel):
    """A batch as a client asks for it (``openai.types.batch_create_params``)."""

    model_config = ConfigDict(extra="ignore")

    input_file_id: str
    endpoint: Endpoint
    completion_window: str = "24h"
    metadata: Annotated[dict[Name, Label], Field(max_length=16)] | None = None
    output_expires_after: OutputExpiry | None = None

    def seconds(self) -> float:
        """Return how long the batch has. Raises InvalidRequest."""
        found = parse_duration(self.completion_window)
        if found is None or not SHORTEST <= found <= LONGEST:
            raise InvalidRequest("completion_window", 'expected a duration such as "24h", of 30 days at most.')
        return found


async def create_batch(context: RequestContext, asked: NewBatch) -> BatchOrder:
    """Return the order of a creation: that of an earlier try, or a new one.

    Raises: InvalidRequest, NotFound. Conflict: its Idempotency-Key named another one.
    """
    key = context.request.headers.get(IDEMPOTENCY_KEY)
    said = orjson.dumps(asked.model_dump(), option=orjson.OPT_SORT_KEYS)
    name = creation_fingerprint(context.caller.name, context.request.url.path, key, said)
    async with context.app_state.repeated_calls.turns.take(name[:HALF]):
        order = await run_in_threadpool(find_or_open, context, asked, name)
    context.app_state.batch_importer.wake()
    return order


def find_or_open(context: RequestContext, asked: NewBatch, name: str) -> BatchOrder:
    store, tenant = context.app_state.installation.ready(), context.tenant or DEFAULT_TENANT
    if tries_before(context.request) > 0 or IDEMPOTENCY_KEY in context.request.headers:
        earlier = store.read(find_repeated_order, tenant, name, WITHIN)
        if earlier is not None:
            return earlier
    file = input_file(context, asked.input_file_id, tenant)
    new, failure = new_order(asked, file, name), failure_of(file)
    order = store.write(open_failed_order, new, failure) if failure else store.write(open_order, new)
    context.app_state.installation.crash_point("before_response")
    return order


def input_file(context: RequestContext, text: str, tenant: str) -> ClientFile:
    """Find the file that a batch is to be made of. Raises NotFound."""
    id_ = read_file_id(text)
    found = None if id_.part else context.app_state.installation.ready().read(find_file, id_.id, tenant)
    if found is None:
        raise NotFound("File", text[:80])
    return found


def failure_of(file: ClientFile) -> str | None:
    """Say, as JSON of code and message, why no batch can be made of a file at all."""
    if not file.lines:
        return failure("empty_file", "The input file is empty: it has no line with a request.")
    if file.lines > MOST_LINES:
        return failure("too_many_requests", f"The file has {file.lines:,} requests; {MOST_LINES:,} are the most.")
    return None


def failure(code: str, message: str) -> str:
    return orjson.dumps({"code": code, "message": message, "param": "input_file_id"}).decode()


def new_order(asked: NewBatch, file: ClientFile, name: str) -> NewBatchOrder:
    expiry = asked.output_expires_after
    return NewBatchOrder(
        batch=new_id(),
        tenant=file.tenant,
        api=ClientApi.OPENAI,
        endpoint=asked.endpoint,
        file=file.id,
        lines=file.lines,
        fingerprint=name,
        expires_in=asked.seconds(),
        completion_window=asked.completion_window,
        name=file.filename,
        metadata=asked.metadata or {},
        output_for=None if expiry is None else float(expiry.seconds),
    )
