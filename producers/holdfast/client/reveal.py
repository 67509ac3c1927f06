"""What a job's prompt and answer say, for a person who asks; who asked stands in the audit log."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import orjson

from holdfast.client.installation import Installation
from holdfast.model import exact_json
from holdfast.model.audit_action import AuditAction
from holdfast.model.errors import NotFound
from holdfast.model.ids import inner_id, public_id
from holdfast.model.records import JobDetail
from holdfast.store import Store
from holdfast.store.audit import audit
from holdfast.store.jobs import find_detail
from holdfast.store.responses import find_response
from holdfast.wire.dead_letter_line import request_line


class Revealed(StrEnum):
    """A part of a job that is hidden until somebody asks for it."""

    REQUEST = "request"  # the prompt as it was written
    RESPONSE = "response"  # the answer as it came
    LINE = "line"  # the prompt as an input line, to be submitted again


def reveal(installation: Installation, job: str, what: Revealed, tenant: str | None, actor: str) -> bytes:
    """Return a hidden part of a job, once it is written down that ``actor`` saw it; empty where there is none.

    Raises: NotFound: no such job, or it is another tenant's.
    """
    store, inner = installation.ready(), inner_id("job", job)
    detail = store.read(find_detail, inner, tenant)
    if detail is None:
        raise NotFound("job", public_id("job", inner))
    store.write(audit, actor, AuditAction.REVEAL, {"job": public_id("job", inner), "part": what.value})
    return PARTS[what](store, detail)


def _request(_store: Store, detail: JobDetail) -> bytes:
    if detail.request is None:
        return b""
    if detail.request.written is not None:
        return detail.request.written.body
    return exact_json.dumps(detail.request.model_dump(mode="json", exclude_defaults=True))


def _response(store: Store, detail: JobDetail) -> bytes:
    found = store.read(find_response, detail.job.id, detail.job.tenant)
    if found is not None:
        return found.body
    reply = detail.result.reply if detail.result else None
    return b"" if reply is None else reply.model_dump_json(exclude_defaults=True).encode()


PARTS: Mapping[Revealed, Callable[[Store, JobDetail], bytes]] = {
    Revealed.REQUEST: _request,
    Revealed.RESPONSE: _response,
    Revealed.LINE: lambda _store, detail: request_line(detail),
}


def readable(body: bytes) -> str:
    """Write a body for a person: JSON with line ends, anything else as it came."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
