"""What ``holdfast run`` does: submit, see to it that somebody works, write the output as it comes."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.cli.context import backend as open_backend
from holdfast.cli.context import context
from holdfast.cli.download import AnswerWriter, OutputTotals, collect, open_writer, reported
from holdfast.cli.errors import Interrupted
from holdfast.cli.jsonl_input import STDIO, JsonlInput
from holdfast.cli.own_workers import workers
from holdfast.cli.progress import Progress, open_progress
from holdfast.cli.show import say, show
from holdfast.cli.upload import Upload, Uploader
from holdfast.client.backend import Backend, JobDefaults
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Priority

LONGEST_NAP = 0.5  # seconds between two looks at our workers and at the progress


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line of ``run``."""

    source: Path
    to: Path
    model: str | None
    priority: str | None
    expires_in: float | None
    processes: int | None
    fresh: bool
    quiet: bool


def run(options: RunOptions) -> dict[str, Any]:
    """Carry it out, and answer what became of it. Raises Interrupted."""
    if options.to != STDIO and options.source.resolve() == options.to.resolve():
        raise InvalidRequest("--output", "is the input itself.", "Name another file.")
    defaults = JobDefaults(options.model, read_priority(options.priority), options.expires_in)
    source, backend = JsonlInput(options.source), open_backend()
    output = open_writer(options.to)
    uploader = Uploader(backend, source, defaults, fresh=options.fresh)
    progress, totals = open_progress(quiet=options.quiet), OutputTotals()
    try:
        sent = send(uploader, source, progress)
        write(backend, sent, output, totals, progress=progress, processes=options.processes)
    except KeyboardInterrupt:
        progress.close()
        raise Interrupted(how_to_resume(uploader.sent, options)) from None
    finally:
        progress.close()
        source.close()
    summary = summary_of(sent, totals) | {"input": str(options.source), "output": str(options.to)}
    tell(summary, options)
    return summary


def submitted(
    path: Path, model: str | None, priority: str | None, expires_in: float | None, *, fresh: bool
) -> dict[str, Any]:
    """Submit a file and answer what was taken."""
    source = JsonlInput(path)
    uploader = Uploader(open_backend(), source, JobDefaults(model, read_priority(priority), expires_in), fresh=fresh)
    try:
        sent = uploader.send(lambda _: None)
    finally:
        source.close()
    for line in reported(list(sent.bad.values()), source.name):
        say(line)
    return {"batch": sent.batch, "jobs": sent.jobs, "known": sent.known, "invalid": len(sent.bad)}


def send(uploader: Uploader, source: JsonlInput, progress: Progress) -> Upload:
    """Submit every line that can be a job, and report those that cannot."""
    sent = uploader.send(lambda so_far: progress.tell(f"submitted {so_far.jobs:,} jobs"))
    for line in reported(list(sent.bad.values()), source.name):
        say(line)
    if sent.known:
        say(f"going on with an earlier run: {sent.known:,} of {sent.jobs:,} jobs were submitted before")
    return sent


def write(
    backend: Backend,
    sent: Upload,
    output: AnswerWriter,
    totals: OutputTotals,
    *,
    progress: Progress,
    processes: int | None,
) -> None:
    """Write the output while workers, perhaps our own, work on the jobs."""
    pauses = collect(backend, sent, output, totals)
    first = next(pauses, None)
    if sent.batch is not None and first is not None:  # something is still to be done
        with workers(backend, processes) as pool:
            for pause in pauses:
                pool.check()
                progress.look(backend, sent.batch)
                time.sleep(min(pause.seconds, LONGEST_NAP))
            progress.look(backend, sent.batch, force=True)
            progress.close()
    output.finish()


def read_priority(name: str | None) -> Priority | None:
    try:
        return Priority(name) if name else None
    except ValueError:
        raise InvalidRequest("--priority", f"expected {' or '.join(Priority)}, got {name!r}.") from None


def summary_of(sent: Upload, totals: OutputTotals) -> dict[str, Any]:
    return {
        "batch": sent.batch,
        "lines": sent.lines,
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "errors": dict(totals.errors.most_common()),
        "cost_usd": round(totals.cost_usd, 6),
    }


def tell(summary: dict[str, Any], options: RunOptions) -> None:
    """Print how it ended: as data with ``--json``, unless stdout has the answers; else a sentence on stderr."""
    if context().json and options.to != STDIO:
        show(summary, str)
        return
    if options.quiet and not summary["failed"]:
        return
    cost = f", ${summary['cost_usd']:.4f}" if summary["cost_usd"] else ""
    say(f"{summary['succeeded']:,} of {summary['lines']:,} lines succeeded{cost}: {summary['output']}")
    if summary["failed"]:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in summary["errors"].items())
        say(f"{summary['failed']:,} failed ({kinds}); each says why in its line of the output")
    if set(summary["errors"]) - {"invalid_request", "dropped"}:
        say(f"`holdfast dlq replay --batch {summary['batch']}` has dead ones tried again; then run this again")


def how_to_resume(sent: Upload, options: RunOptions) -> str:
    """Say what is safe and how to go on."""
    if sent.batch is None:
        return "interrupted before a job was submitted"
    without = " without --fresh" if options.fresh else ""
    return (
        f"interrupted. {sent.jobs:,} jobs are safe in the storage, and nothing that is done is done again. "
        f"Run the same command{without} to go on, or give them up with `holdfast batch cancel {sent.batch}`."
    )
