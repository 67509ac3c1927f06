"""What only HTTP adds to the views of records: where things are found. Pure."""

from typing import Any

from holdfast.client import views
from holdfast.model.ids import public_id
from holdfast.model.job import State
from holdfast.model.records import BatchRecord

JOBS, BATCHES = "/api/v1/jobs", "/api/v1/batches"


def job_url(job: str) -> str:
    return f"{JOBS}/{public_id('job', job)}"


def batch_url(batch: str) -> str:
    return f"{BATCHES}/{public_id('batch', batch)}"


def accepted_view(job: str, state: State, *, created: bool) -> dict[str, Any]:
    """Answer for one accepted job."""
    return {"id": public_id("job", job), "status": state.value, "status_url": job_url(job), "created": created}


def batch_view(batch: BatchRecord) -> dict[str, Any]:
    return views.batch_view(batch) | {"results_url": f"{batch_url(batch.id)}/results"}
