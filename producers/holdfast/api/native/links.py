"""What only HTTP adds to the views of a backend: where things are found. Pure; ids are public ones."""

from typing import Any

from holdfast.client.backend import View
from holdfast.client.submit_request import AcceptedJob
from holdfast.model.job import State

JOBS, BATCHES = "/api/v1/jobs", "/api/v1/batches"


def job_url(job: str) -> str:
    return f"{JOBS}/{job}"


def batch_url(batch: str) -> str:
    return f"{BATCHES}/{batch}"


def accepted_view(job: AcceptedJob, state: State) -> dict[str, Any]:
    """Answer for one accepted job."""
    return {"id": job.id, "status": state.value, "status_url": job_url(job.id), "created": job.created}


def with_results(batch: View) -> View:
    """Add to a batch where its results are found."""
    return batch | {"results_url": f"{batch_url(batch['id'])}/results"}
