"""The output line: one finished job as plain JSON values. Pure, and the one place that knows this shape."""

from collections.abc import Iterable
from typing import Any

from holdfast.model.ids import public_id
from holdfast.model.job import MappingNote, State
from holdfast.model.records import FinishedJob, ResultRecord
from holdfast.model.reply import Reply, Usage

MICROS = 1_000_000
ENDED = {  # the message of a job that ended without a fault
    State.CANCELLED: "the job was cancelled before it had a reply",
    State.EXPIRED: "expires_at passed before the job had a reply",
}


def output_line(finished: FinishedJob) -> dict[str, Any]:
    """Say how ``finished`` ended: ``reply`` when it succeeded, ``error`` when it did not, never both."""
    job, result = finished.job, finished.result
    return {
        "custom_id": job.custom_id,
        "id": public_id("job", job.id),
        "status": result.state.value,
        "reply": reply_line(result.reply) if result.reply else None,
        "error": error_line(result),
        "route": result.route,
        "attempts": result.attempts,
        "cost_usd": result.cost_micros / MICROS,
        "mapping": mapping_line(result.mapping),
    }


def reply_line(reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "tool_calls": [call.model_dump(mode="json", include={"id", "name", "input"}) for call in reply.tool_calls],
        "finish": reply.finish.value,
        "usage": usage_line(reply.usage),
        "model": reply.model,
    }


def usage_line(usage: Usage) -> dict[str, Any]:
    return usage.model_dump(mode="json")


def error_line(result: ResultRecord) -> dict[str, Any] | None:
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
