"""Files as OpenAI's API shows them (``openai.types.FileObject``). Pure."""

from collections.abc import Sequence
from typing import Any

from holdfast.api.openai.batch_view import expiry_of, seconds
from holdfast.api.openai.file_ids import FileId
from holdfast.model.batch_order import BatchOrder
from holdfast.model.client_file import ClientFile


def file_view(file: ClientFile) -> dict[str, Any]:
    """Show an upload."""
    return {
        "id": str(FileId(file.id)),
        "object": "file",
        "bytes": file.size,
        "created_at": int(file.created_at),
        "expires_at": None if file.expires_at is None else int(file.expires_at),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def output_view(order: BatchOrder, id_: FileId, size: int) -> dict[str, Any]:
    """Show an output file of a batch that has ended."""
    return {
        "id": str(id_),
        "object": "file",
        "bytes": size,
        "created_at": int(order.ended_at or order.created_at),
        "expires_at": seconds(expiry_of(order)),
        "filename": f"batch_{order.batch}_{id_.part}.jsonl",
        "purpose": "batch_output",
        "status": "processed",
        "status_details": None,
    }


def page_view(data: Sequence[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Show a page of a list, as the SDK's cursors read it."""
    ids = [each["id"] for each in data] or [None]
    return {"object": "list", "data": list(data), "first_id": ids[0], "last_id": ids[-1], "has_more": has_more}
