"""How one job ended, as a line of the batch API that its input was written for. Pure.

A body or message is the provider's own, byte for byte, where it answered in that format; else it is written from the
reading. Holdfast's facts stand beside it in one member, ``holdfast``. Sources: OpenAI's API reference ("The request
output object" of batches), and ``anthropic.types.messages.MessageBatchIndividualResponse``.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from holdfast.client.ended_job import EndedJob
from holdfast.client.output_form import OutputForm
from holdfast.client.plain_line import error_line, response_alone
from holdfast.model import exact_json
from holdfast.model.call_result import ProviderResponse
from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from holdfast.model.route import Api
from holdfast.wire.answer_format import is_error_of, one_line
from holdfast.wire.written_answer import WrittenAnswer, write_answer

CLIENT_ERROR = 400


# The types of Anthropic's errors by HTTP status (its API reference, "Errors"); any other is the API's own fault.
ANTHROPIC_ERRORS: Mapping[int, str] = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "invalid_request_error", 422: "invalid_request_error", 429: "rate_limit_error",
    504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
# OpenAI's codes of lines that ended without an answer of the API.
OPENAI_CODES: Mapping[State, str] = {State.EXPIRED: "batch_expired", State.CANCELLED: "batch_cancelled"}


def form_of(written_in: Api | None, wanted: OutputForm) -> OutputForm:
    """Return the form of a line whose input was written in a format; None: in the plain one."""
    if wanted is not OutputForm.AUTO:
        return wanted
    if written_in is None:
        return OutputForm.PLAIN
    return OutputForm.ANTHROPIC if written_in is Api.ANTHROPIC else OutputForm.OPENAI


def write_line(ended: EndedJob, wanted: OutputForm) -> bytes:
    """Write how a job ended."""
    form = form_of(ended.job.written_in, wanted)
    if form is OutputForm.ANTHROPIC and not _has_no_message(ended):
        return _anthropic_line(ended)
    if form is OutputForm.PLAIN:
        return exact_json.dumps(ended.line)
    return _openai_line(ended)


def _has_no_message(ended: EndedJob) -> bool:
    """Tell whether an answer has no form among Anthropic's, as an embedding has none. It stays one of its own API."""
    return ended.result.reply is not None and response_alone(ended.response) is not None


def _openai_line(ended: EndedJob) -> bytes:
    written = _written(ended, _openai_format(ended))
    answer, error = _openai_answer(ended, written), None
    if answer is None:
        told = error_line(ended.result) or {}
        code = OPENAI_CODES.get(ended.result.state) or told.get("code") or told.get("kind")
        error = {"code": code, "message": told.get("message")}
    line = {
        "id": ended.id,
        "custom_id": ended.job.custom_id,
        "response": None,
        "error": error,
    }
    return joined(line, "response", answer, _facts(ended, written))


def _openai_format(ended: EndedJob) -> Api:
    return Api.OPENAI_RESPONSES if ended.job.written_in is Api.OPENAI_RESPONSES else Api.OPENAI_CHAT


def _written(ended: EndedJob, wanted: Api) -> WrittenAnswer | None:
    """Write the answer in the format of a line; None: it has none."""
    reply, response = ended.result.reply, ended.response
    if reply is None:
        return None
    return write_answer(wanted, reply, response.body if response else None, ended.job.id, int(ended.result.created_at))


def _facts(ended: EndedJob, written: WrittenAnswer | None) -> dict[str, Any]:
    """What Holdfast knows beside the answer, and what of that its format cannot say."""
    return {**ended.facts, **(written.holdfast if written else {})}


def _openai_answer(ended: EndedJob, written: WrittenAnswer | None) -> bytes | None:
    """Write the ``response`` of a line; None where no answer of the API ended it."""
    result, response = ended.result, ended.response
    about = {"status_code": 200, "request_id": (response and response.request_id) or ended.job.id}
    if written is not None:
        return joined(about | {"body": None}, "body", written.body, None)
    if result.state is not State.DEAD or response is None or response.status < CLIENT_ERROR:
        return None
    about["status_code"] = response.status
    return joined(about | {"body": None}, "body", _openai_error(ended, response), None)


def _openai_error(ended: EndedJob, response: ProviderResponse) -> bytes:
    """Return the provider's own error where it has OpenAI's shape, else one made of what is known."""
    own = one_line(response.body)
    if own and is_error_of(Api.OPENAI_CHAT, own):
        return own
    told = error_line(ended.result) or {}
    error = {"message": told.get("message"), "type": told.get("kind"), "param": None, "code": told.get("code")}
    return exact_json.dumps({"error": error})


def _anthropic_line(ended: EndedJob) -> bytes:
    written = _written(ended, Api.ANTHROPIC)
    line = {"custom_id": ended.job.custom_id or ended.id, "result": None}
    return joined(line, "result", _anthropic_result(ended, written), _facts(ended, written))


def _anthropic_result(ended: EndedJob, written: WrittenAnswer | None) -> bytes:
    match ended.result.state:
        case State.CANCELLED:
            return b'{"type":"canceled"}'
        case State.EXPIRED:
            return b'{"type":"expired"}'
    if written is not None:
        return b'{"type":"succeeded","message":%s}' % written.body
    own = one_line(ended.response.body) if ended.response else None
    if own and is_error_of(Api.ANTHROPIC, own):
        return b'{"type":"errored","error":%s}' % own
    return b'{"type":"errored","error":%s}' % exact_json.dumps(_anthropic_error(ended))


def _anthropic_error(ended: EndedJob) -> dict[str, Any]:
    told, response = error_line(ended.result) or {}, ended.response
    type_ = "invalid_request_error" if ended.result.fault is FaultKind.INVALID_REQUEST else "api_error"
    if response is not None and response.status >= CLIENT_ERROR:
        type_ = ANTHROPIC_ERRORS.get(response.status, type_)
    return anthropic_error(
        type_, str(told.get("message") or told.get("kind")), response.request_id if response else None
    )


def anthropic_error(type_: str, message: str, request_id: str | None = None) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": request_id}


def write_jobless(custom_id: str | None, line: Mapping[str, Any], form: OutputForm) -> bytes:
    """Write the line of an input line that no job stands behind; ``line`` is the plain one."""
    error, about = (
        line["error"],
        {key: line[key] for key in ("id", "status", "route", "attempts", "cost_usd", "mapping")},
    )
    match form:
        case OutputForm.ANTHROPIC:
            result = {"type": "errored", "error": anthropic_error("invalid_request_error", error["message"])}
            return exact_json.dumps({"custom_id": custom_id or "", "result": result, "holdfast": about})
        case OutputForm.OPENAI:
            told = {"code": error["code"] or error["kind"], "message": error["message"]}
            written = {"id": None, "custom_id": custom_id, "response": None, "error": told, "holdfast": about}
            return exact_json.dumps(written)
    return exact_json.dumps(line)


def joined(line: Mapping[str, Any], key: str, member: bytes | None, holdfast: Mapping[str, Any] | None) -> bytes:
    """Write an object in which ``key`` holds JSON as it was written, and Holdfast's facts come last.

    ``line`` holds texts, small whole numbers and null.
    """
    members = dict(line)
    if member is not None:
        members[key] = msgspec.Raw(member)
    if holdfast is not None:
        members["holdfast"] = msgspec.Raw(exact_json.dumps(holdfast))
    return msgspec.json.encode(members)
