"""A drain: dead letters written to a file, from which they can be submitted again, and removed."""

import os
from dataclasses import replace
from pathlib import Path

from holdfast.client.bulk_actions import act_on_dead_letters
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.dead_letter_line import dead_letter_line, new_file
from holdfast.client.installation import Installation
from holdfast.model.records import JobFilter
from holdfast.store.jobs import find_detail, list_jobs

PAGE = 500  # dead letters that are written at once


def drain(installation: Installation, where: JobFilter, limit: int, actor: str, to: Path) -> int:
    """Write dead letters to a new file, newest first, and remove each page once it is on the disk."""
    store = installation.ready()
    drained, left, cursor = 0, limit, None
    with new_file(to) as file:
        while left and (jobs := store.read(list_jobs, where, min(PAGE, left), cursor)):
            details = [store.read(find_detail, job.id, where.tenant) for job in jobs]
            file.write(b"".join(dead_letter_line(detail) for detail in details if detail is not None))
            file.flush()
            os.fsync(file.fileno())
            ids = tuple(job.id for job in jobs)
            order = BulkOrder("drop", replace(where, ids=ids), len(ids))
            drained += act_on_dead_letters(installation, order, actor, None).jobs
            left, cursor = left - len(jobs), jobs[-1].id
    return drained
