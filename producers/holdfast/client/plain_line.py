"""The output line: one finished job as plain JSON values. Pure, and the one place that knows this shape."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from holdfast.model import exact_json
from holdfast.model.ids import public_id
from holdfast.model.job import MappingNote, State
from holdfast.wire.answer_format import format_of

if TYPE_CHECKING:
    from holdfast.model.call_result import ProviderResponse
    from holdfast.model.records import FinishedJob, ResultRecord
    from holdfast.model.reply import Reply, Usage

MICROS = 1_000_000
OK = 200
ENDED = {  # the message of a job that ended without a fault
    State.CANCELLED: "the job was cancelled before it had a reply",
    State.EXPIRED: "expires_at passed before the job had a reply",
}


def output_line(
    finished: "FinishedJob", cost_usd: float | None = None, response: "ProviderResponse | None" = None
) -> dict[str, Any]:
    """Say how ``finished`` ended: ``reply`` when it succeeded, ``error`` when it did not, never both.

    ``cost_usd`` None: no price is known. ``response``: the provider's answer; where it is of an endpoint that has no
    neutral form, such as embeddings, it stands in the reply as its ``body``.
    """
    known = facts(finished, cost_usd)
    return {
        "custom_id": finished.job.custom_id,
        "id": known.pop("id"),
        "status": known.pop("status"),
        "reply": reply_with_body(finished.result.reply, response),
        "error": error_line(finished.result),
        **known,
    }


def facts(finished: "FinishedJob", cost_usd: float | None) -> dict[str, Any]:
    """Return what Holdfast knows of a job beside its answer, for the lines of other forms."""
    result = finished.result
    return {
        "id": public_id("job", finished.job.id),
        "status": result.state.value,
        "route": result.route,
        "attempts": result.attempts,
        "cost_usd": cost_usd,
        "mapping": mapping_line(result.mapping),
    }


def reply_with_body(reply: "Reply | None", response: "ProviderResponse | None") -> dict[str, Any] | None:
    """Write a reply, with the whole answer where that has no neutral form; None where there is none."""
    if reply is None:
        return None
    body = response_alone(response)
    return reply_line(reply) | ({} if body is None else {"body": body})


def response_alone(response: "ProviderResponse | None") -> Any:
    """Return the answer of an endpoint that has no neutral form; None where the reply says it all."""
    if response is None or response.status != OK or format_of(response.body) is not None:
        return None
    try:
        return exact_json.loads(response.body, lenient=True)
    except json.JSONDecodeError:
        return None


def reply_line(reply: "Reply") -> dict[str, Any]:
    return {
        "text": reply.text,
        "tool_calls": [call.model_dump(mode="json", include={"id", "name", "input"}) for call in reply.tool_calls],
        "reasoning": reply.reasoning,
        "finish": reply.finish.value,
        "finish_word": reply.finish_word,
        "choices": reply.choices,
        "usage": usage_line(reply.usage),
        "model": reply.model,
    }


def usage_line(usage: "Usage") -> dict[str, Any]:
    return usage.model_dump(mode="json")


def error_line(result: "ResultRecord") -> dict[str, Any] | None:
    """Name what ended a job without a reply: a fault's kind, or the state itself for cancelled and expired ones."""
    if result.state is State.SUCCEEDED:
        return None
    return {
        "kind": (result.fault or result.state).value,
        "code": result.code,
        "message": result.message or ENDED.get(result.state, ""),
    }


def mapping_line(changes: Iterable[MappingNote]) -> list[dict[str, str]]:
    """List what the mapping to the route changed or dropped."""
    return [{"field": change.field, "note": change.note} for change in changes]
