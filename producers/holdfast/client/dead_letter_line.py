"""A dead letter as a line that can be submitted again: its request, and beside it what it died of."""

import os
from pathlib import Path
from typing import IO, Any

import orjson

from holdfast.client.job_items import DEAD_LETTER_FIELD
from holdfast.model.ids import public_id
from holdfast.model.records import JobDetail


def dead_letter_line(detail: JobDetail) -> bytes:
    """Write one line. ``request`` is the neutral request, which every way of submitting reads back."""
    job, result = detail.job, detail.result
    line: dict[str, Any] = {
        "custom_id": job.custom_id,
        "model": job.model,
        "priority": job.priority.value,
        "metadata": dict(job.metadata),
        "request": detail.request.model_dump(mode="json") if detail.request else None,
        DEAD_LETTER_FIELD: {
            "id": public_id("job", job.id),
            "kind": job.fault.value if job.fault else None,
            "code": result.code if result else None,
            "message": result.message if result else None,
            "calls": len(detail.attempts),
            "routes": sorted({attempt.route for attempt in detail.attempts}),
            "created_at": job.created_at,
            "finished_at": job.finished_at,
        },
    }
    return orjson.dumps(line) + b"\n"


def new_file(path: Path) -> IO[bytes]:
    """Open a new file that only its owner can read: it will hold prompts. Raises FileExistsError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
