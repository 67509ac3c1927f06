"""Creating a message batch: its body goes to the disk, its requests into a kept file, and then there is an order.

A creation that an SDK repeats finds the batch of the first try. A process that dies on the way leaves either no order,
and the repeat makes it, or a whole one, which is read on.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import IO, Self

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from holdfast.api.anthropic.batch_requests import read_requests
from holdfast.api.auth.request_context import RequestContext
from holdfast.api.compatible.call_request import IDEMPOTENCY_KEY, creation_fingerprint, tries_before
from holdfast.api.compatible.client_api import ClientApi
from holdfast.api.compatible.kept_lines import keep_lines
from holdfast.api.compatible.repeated_calls import WITHIN
from holdfast.model.batch_order import BatchOrder, NewBatchOrder
from holdfast.model.ids import new_id
from holdfast.model.job import DEFAULT_TENANT
from holdfast.store.batch_orders import find_repeated_order, open_order
from holdfast.store.repeats import HALF
from holdfast.wire.endpoints import MESSAGES
from holdfast.wire.request_headers import BETAS, travelling

WINDOW, WINDOW_SECONDS = "24h", 24 * 3600.0
OF_BATCHES = ("message-batches-",)  # betas that are about batches, not about their requests


@dataclass(frozen=True, slots=True)
class BatchCreation:
    """A creation whose body has been read into ``file``. ``is_repeat``: its client has sent it before."""

    file: IO[bytes]
    fingerprint: str
    headers: Mapping[str, str]
    is_repeat: bool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


async def read_creation(request: Request, caller: str) -> BatchCreation:
    """Read a body to the disk, and what its headers say of repeats."""
    file, digest = tempfile.TemporaryFile(), blake2b(digest_size=16)  # noqa: SIM115 - the creation closes it
    try:
        async for piece in request.stream():
            digest.update(piece)
            await run_in_threadpool(file.write, piece)
        file.flush()
    except BaseException:
        file.close()
        raise
    headers, key = request_headers(request), request.headers.get(IDEMPOTENCY_KEY)
    said = digest.digest() + repr(sorted(headers.items())).encode()
    named = creation_fingerprint(caller, request.url.path, key, said)
    return BatchCreation(file, named, headers, is_repeat=bool(key) or tries_before(request) > 0)


def request_headers(request: Request) -> dict[str, str]:
    """Return the headers that came with a batch and belong to its requests."""
    headers = travelling(dict(request.headers))
    betas = [beta.strip() for beta in headers.pop(BETAS, "").split(",")]
    kept = ",".join(beta for beta in betas if beta and not beta.startswith(OF_BATCHES))
    return headers | ({BETAS: kept} if kept else {})


async def create_batch(context: RequestContext, creation: BatchCreation) -> BatchOrder:
    """Return the order of a creation: that of an earlier try, or a new one.

    Raises: InvalidRequest, NoUsableKey. Conflict: its Idempotency-Key named another one.
    """
    async with context.app_state.repeated_calls.turns.take(creation.fingerprint[:HALF]):
        order = await run_in_threadpool(find_or_open, context, creation)
    context.app_state.batch_importer.wake()
    return order


def find_or_open(context: RequestContext, creation: BatchCreation) -> BatchOrder:
    store, tenant = context.app_state.installation.ready(), context.tenant or DEFAULT_TENANT
    if creation.is_repeat:
        earlier = store.read(find_repeated_order, tenant, creation.fingerprint, WITHIN)
        if earlier is not None:
            return earlier
    file = new_id()
    lines = keep_lines(store, file, checked_lines(context, creation))
    order = store.write(open_order, new_order(tenant, file, lines, creation.fingerprint))
    context.app_state.installation.crash_point("before_response")
    return order


def checked_lines(context: RequestContext, creation: BatchCreation) -> Iterator[bytes]:
    """Yield the requests as lines; at the end the batch is refused where nobody can be asked for one of its models."""
    models = set[str]()
    for line in read_requests(creation.file).lines(creation.headers):
        models.add(model_of(line))
        yield line
    context.app_state.installation.usable_keys.demand(sorted(models))


class _Params(msgspec.Struct):
    model: str = ""


class _Line(msgspec.Struct):
    params: _Params


def model_of(line: bytes) -> str:
    """Read the model that a request names; empty where it names none, which is its own error later."""
    try:
        return msgspec.json.decode(line, type=_Line).params.model
    except msgspec.DecodeError:
        return ""


def new_order(tenant: str, file: str, lines: int, fingerprint: str) -> NewBatchOrder:
    return NewBatchOrder(
        batch=new_id(),
        tenant=tenant,
        api=ClientApi.ANTHROPIC,
        endpoint=MESSAGES.path,
        file=file,
        lines=lines,
        fingerprint=fingerprint,
        expires_in=WINDOW_SECONDS,
        completion_window=WINDOW,
    )
