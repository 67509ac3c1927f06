"""A dead letter as a line that can be submitted again: its request, and beside it what it died of."""

from typing import Any

from holdfast.model import exact_json
from holdfast.model.ids import public_id
from holdfast.model.records import JobDetail
from holdfast.model.request import Request
from holdfast.model.route import Api
from holdfast.wire.answer_format import LINE_ENDS
from holdfast.wire.written import has_reading

DEAD_LETTER_FIELD = "letter"  # what a drained dead letter says of its death, beside the job that can be submitted again


def dead_letter_line(detail: JobDetail) -> bytes:
    """Write one line, which every way of submitting reads back, with the request as it was written."""
    job, result = detail.job, detail.result
    letter: dict[str, Any] = {
        "id": public_id("job", job.id),
        "kind": job.fault.value if job.fault else None,
        "code": result.code if result else None,
        "message": result.message if result else None,
        "calls": len(detail.attempts),
        "routes": sorted({attempt.route for attempt in detail.attempts}),
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }
    return _line(detail, {DEAD_LETTER_FIELD: letter}) + b"\n"


def request_line(detail: JobDetail) -> bytes:
    """Write the job as an input line, without a line end: what it asked for, and nothing of what became of it."""
    return _line(detail, {})


def _line(detail: JobDetail, more: dict[str, Any]) -> bytes:
    job, request = detail.job, detail.request or Request(turns=())
    line: dict[str, Any] = {
        "custom_id": job.custom_id,
        "model": job.model,
        "priority": job.priority.value,
        "metadata": dict(job.metadata),
    }
    return exact_json.dumps(line | more | terms_of(request))[:-1] + b",%s}" % body_of(request)


def terms_of(request: Request) -> dict[str, Any]:
    """Return what a line says of its request beside the body; the neutral form says it inside."""
    written = request.written
    if written is None:
        return {}
    url = {} if written.api is Api.ANTHROPIC and has_reading(written) else {"method": "POST", "url": written.path}
    must = [rule.model_dump(mode="json", exclude_none=True) for rule in request.must]
    terms: dict[str, Any] = {"headers": dict(written.headers), "must": must, "repair": request.repair}
    terms |= {"mapping": request.strictness, "on_refusal": request.on_refusal}
    return url | {name: value for name, value in terms.items() if value}


def body_of(request: Request) -> bytes:
    """Write the member of a line that holds the request."""
    written = request.written
    if written is None:
        return b'"request":%s' % exact_json.dumps(request.model_dump(mode="json"))
    member = b"params" if written.api is Api.ANTHROPIC and has_reading(written) else b"body"
    return b'"%s":%s' % (member, written.body.translate(LINE_ENDS))
