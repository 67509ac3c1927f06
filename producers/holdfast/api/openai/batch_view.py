"""Batches as OpenAI's API shows them (``openai.types.Batch``). Pure.

A line that cannot become a job costs only itself: it stands in ``errors`` and in the error file, and the others run. A
batch fails as a whole where no line of it can.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from holdfast.api.openai.file_ids import FileId
from holdfast.model import exact_json
from holdfast.model.batch_order import BadLine, BatchOrder
from holdfast.model.ids import public_id
from holdfast.model.job import State
from holdfast.model.reply import Usage

Status = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]  # fmt: skip
MOST_ERRORS = 1_000  # that a batch shows; the error file has them all
# The times of a batch at which it came to a status.
TIMES: Mapping[Status, str] = {
    "failed": "failed_at", "completed": "completed_at", "expired": "expired_at", "cancelled": "cancelled_at",
}  # fmt: skip


def batch_view(order: BatchOrder, bad_lines: Sequence[BadLine]) -> dict[str, Any]:
    """Show a batch. Its counts are true at any time; tokens and model are told once it has ended."""
    status = status_of(order)
    view = {
        "id": public_id("batch", order.batch),
        "object": "batch",
        "endpoint": order.endpoint,
        "errors": errors_view(order, bad_lines),
        "input_file_id": str(FileId(order.file)),
        "completion_window": order.completion_window,
        "status": status,
        "output_file_id": file_of(order, "output"),
        "error_file_id": file_of(order, "error"),
        "created_at": int(order.created_at),
        "in_progress_at": None if status == "failed" else seconds(order.read_at),
        "expires_at": int(order.expires_at),
        "finalizing_at": None if status == "failed" else seconds(order.ended_at),
        "completed_at": None,
        "failed_at": None,
        "expired_at": None,
        "cancelling_at": seconds(order.cancel_asked_at),
        "cancelled_at": None,
        "request_counts": request_counts(order),
        "usage": order.usage and usage_view(order.usage),
        "model": order.model,
        "metadata": dict(order.metadata) or None,
    }
    return view | ({TIMES[status]: seconds(order.ended_at or order.read_at)} if status in TIMES else {})


def status_of(order: BatchOrder) -> Status:
    """Say where a batch stands in OpenAI's words."""
    if order.failure is not None or (order.read_at is not None and order.bad_lines == order.lines):
        return "failed"
    if order.ended_at is None:
        return living_status(order)
    if order.cancel_asked_at is not None and order.counts.get(State.CANCELLED):
        return "cancelled"
    return "expired" if order.counts.get(State.EXPIRED) else "completed"


def living_status(order: BatchOrder) -> Status:
    if order.cancel_asked_at is not None:
        return "cancelling"
    if order.read_at is None:
        return "validating"
    return "in_progress" if order.live else "finalizing"


def request_counts(order: BatchOrder) -> dict[str, int]:
    """Count requests: those that were cancelled are neither completed nor failed."""
    failed = order.counts.get(State.DEAD, 0) + order.counts.get(State.EXPIRED, 0) + order.bad_lines
    return {"total": order.lines, "completed": order.counts.get(State.SUCCEEDED, 0), "failed": failed}


def usage_view(usage: Usage) -> dict[str, Any]:
    """Show the tokens of a batch's answers (``openai.types.BatchUsage``)."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def file_of(order: BatchOrder, part: Literal["output", "error"]) -> str | None:
    """Name an output file of a batch that has ended; None where it would be empty."""
    if order.ended_at is None:
        return None
    succeeded = order.counts.get(State.SUCCEEDED, 0)
    lines = succeeded if part == "output" else sum(order.counts.values()) - succeeded + order.bad_lines
    return str(FileId(order.batch, part)) if lines else None


def expiry_of(order: BatchOrder) -> float | None:
    """Return when the output files of a batch expire; None: their batch lives, or its client set no date."""
    return None if order.ended_at is None or order.output_for is None else order.ended_at + order.output_for


def errors_view(order: BatchOrder, bad_lines: Sequence[BadLine]) -> dict[str, Any] | None:
    """List what is wrong with a batch or with lines of it; None where nothing is."""
    if order.failure is not None:
        whole = exact_json.loads(order.failure)
        data = [{"code": whole["code"], "message": whole["message"], "line": None, "param": whole.get("param")}]
    else:
        data = [error_view(bad) for bad in bad_lines]
    return {"object": "list", "data": data} if data else None


def error_view(bad: BadLine) -> dict[str, Any]:
    return {"code": bad.code, "line": bad.line, "message": bad.message, "param": bad.param}


def bad_line_output(order: BatchOrder, bad: BadLine) -> bytes:
    """Write the line of the error file for a request that became no job."""
    error = {"message": bad.message, "type": "invalid_request_error", "param": bad.param, "code": bad.code}
    response = {"status_code": 400, "request_id": None, "body": {"error": error}}
    line = {"id": f"batch_req_{order.batch}_{bad.position}", "custom_id": bad.custom_id, "response": response}
    return exact_json.dumps({**line, "error": {"code": bad.code, "message": bad.message}})


def seconds(time: float | None) -> int | None:
    return None if time is None else int(time)
