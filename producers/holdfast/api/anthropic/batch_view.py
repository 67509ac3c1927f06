"""Message batches as Anthropic's API shows them (``anthropic.types.messages.MessageBatch``). Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from holdfast.api.compatible.order_reader import LineRefused
from holdfast.client.batch_output import anthropic_error
from holdfast.model import exact_json
from holdfast.model.batch_order import BadLine, BatchOrder
from holdfast.model.errors import InvalidId, InvalidRequest, NotFound
from holdfast.model.ids import inner_id
from holdfast.model.job import State

PREFIX = "msgbatch_"
NOT_FOUND, INVALID = "not_found_error", "invalid_request_error"


def public_batch_id(batch: str) -> str:
    return PREFIX + batch


def read_batch_id(text: str) -> str:
    """Read the id of a message batch. Raises NotFound: it is none."""
    try:
        return inner_id("batch", text)
    except InvalidId:
        raise NotFound("batch", text[:80]) from None


def batch_view(order: BatchOrder, base_url: str) -> dict[str, Any]:
    """Show a batch. Its counts are true at any time, though Anthropic's are told at the end alone."""
    id_ = public_batch_id(order.batch)
    return {
        "id": id_,
        "type": "message_batch",
        "processing_status": status_of(order),
        "request_counts": request_counts(order),
        "created_at": rfc3339(order.created_at),
        "expires_at": rfc3339(order.expires_at),
        "ended_at": rfc3339(order.ended_at),
        "cancel_initiated_at": rfc3339(order.cancel_asked_at),
        "archived_at": None,
        "results_url": f"{base_url}/v1/messages/batches/{id_}/results" if order.ended_at is not None else None,
    }


def status_of(order: BatchOrder) -> str:
    if order.ended_at is not None:
        return "ended"
    return "in_progress" if order.cancel_asked_at is None else "canceling"


def request_counts(order: BatchOrder) -> dict[str, int]:
    """Count all requests by what became of them: those that became no job are errors too."""
    return {
        "processing": order.live,
        "succeeded": order.counts.get(State.SUCCEEDED, 0),
        "errored": order.counts.get(State.DEAD, 0) + order.bad_lines,
        "canceled": order.counts.get(State.CANCELLED, 0),
        "expired": order.counts.get(State.EXPIRED, 0),
    }


def rfc3339(seconds: float | None) -> str | None:
    """Write a time as Anthropic's API does.

    >>> rfc3339(1_700_000_000.25)
    '2023-11-14T22:13:20.250000Z'
    """
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def page_view(orders: Sequence[BatchOrder], base_url: str, *, has_more: bool) -> dict[str, Any]:
    """Show a page of batches (``SyncPage``)."""
    data = [batch_view(order, base_url) for order in orders]
    ids = [each["id"] for each in data] or [None]
    return {"data": data, "has_more": has_more, "first_id": ids[0], "last_id": ids[-1]}


class RequestReader:
    """Reads the requests of message batches: each is a line of ours as it stands."""

    def read(self, line: bytes) -> None:
        """Take every line: what can be wrong with a batch was checked when it was created."""

    def take_name(self, custom_id: str) -> None:
        """Take every name: they were checked with the batch."""

    def refused(self, line: bytes, error: InvalidRequest) -> LineRefused:
        """Say what is wrong with a request, by the keys of its parameters."""
        type_ = NOT_FOUND if error.where == "model" and "there is no model" in error.problem else INVALID
        name = exact_json.loads(line).get("custom_id")
        where = error.where.removeprefix("params.")
        message = f"{where}: {error.problem}" + (f" {error.hint}" if error.hint else "")
        return LineRefused(type_, message, name if isinstance(name, str) else None, where)


def bad_line_result(bad: BadLine) -> bytes:
    """Write the result of a request that became no job."""
    result = {"type": "errored", "error": anthropic_error(bad.code, bad.message)}
    about: dict[str, Any] = {"id": None, "status": "dead", "route": None, "attempts": 0, "cost_usd": 0.0, "mapping": []}
    return exact_json.dumps({"custom_id": bad.custom_id, "result": result, "holdfast": about})
