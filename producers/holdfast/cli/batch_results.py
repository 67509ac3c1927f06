"""Collecting a batch that was submitted before: waiting for it, and writing what has ended into a file."""

import time
from pathlib import Path

from holdfast.cli.download import OutputTotals, answer_file, write_ended
from holdfast.cli.errors import Interrupted
from holdfast.cli.own_workers import workers
from holdfast.cli.progress import open_progress
from holdfast.cli.tables import View
from holdfast.client.backend import Backend
from holdfast.client.batch_progress import BatchProgress
from holdfast.client.output_form import OutputForm
from holdfast.client.waiting import all_ended, live

LONGEST_NAP = 0.5  # seconds between two looks at our workers and at the progress


def await_batch(backend: Backend, batch: str, timeout: float | None) -> None:
    """Wait until every job of a batch has ended, with workers of our own where none run. Raises StillWaiting."""
    pauses, look = all_ended(backend, batch, timeout), BatchProgress(backend, batch).sentence
    first = next(pauses, None)
    if first is None:
        return
    progress = open_progress(quiet=False)
    try:
        with workers(backend) as check:
            for pause in pauses:
                check()
                progress.look(look)
                time.sleep(min(pause.seconds, LONGEST_NAP))
    except KeyboardInterrupt:
        progress.close()
        raise Interrupted(f"{batch} goes on. Wait again with `holdfast batch wait {batch}`.") from None
    finally:
        progress.close()


def write_results(backend: Backend, batch: str, to: Path, form: OutputForm) -> View:
    """Write the lines of all jobs that have ended, in input order, and say how many and what is still to come."""
    totals = OutputTotals()
    left = live(backend, batch)
    with answer_file(to) as file:
        write_ended(backend, batch, form, file, totals)
    return {
        "batch": batch,
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "waiting": left,
        "cost_usd": round(totals.cost_usd, 6),
        "output": str(to),
    }
