"""What ``holdfast run`` does: submit, see to it that somebody works, write the output as it comes."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.cli.collecting import Output, Tally, collect, open_output, reported
from holdfast.cli.desk import Desk, desk
from holdfast.cli.failing import Interrupted
from holdfast.cli.lines_in import STDIO, Input
from holdfast.cli.progress import Progress, open_progress
from holdfast.cli.scene import scene
from holdfast.cli.sending import Sender, Sent
from holdfast.cli.serving import workers
from holdfast.cli.show import say, show
from holdfast.client.backend import Defaults
from holdfast.model.errors import InvalidRequest
from holdfast.model.ids import public_id
from holdfast.model.job import Priority

LONGEST_NAP = 0.5  # seconds between two looks at our workers and at the progress


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line of ``run``."""

    source: Path
    to: Path
    model: str | None
    priority: str | None
    expires_in: float | None
    processes: int | None
    fresh: bool
    quiet: bool


def run(wanted: Wanted) -> dict[str, Any]:
    """Carry it out, and answer what became of it. Raises Interrupted."""
    if wanted.to != STDIO and wanted.source.resolve() == wanted.to.resolve():
        raise InvalidRequest("--output", "is the input itself.", "Name another file.")
    defaults = Defaults(wanted.model, read_priority(wanted.priority), wanted.expires_in)
    source, where = Input(wanted.source), desk()
    output = open_output(wanted.to)
    sender = Sender(where, source, defaults, fresh=wanted.fresh)
    progress, tally = open_progress(quiet=wanted.quiet), Tally()
    try:
        sent = send(sender, source, progress)
        write(where, sent, output, tally, progress=progress, processes=wanted.processes)
    except KeyboardInterrupt:
        progress.close()
        raise Interrupted(how_to_resume(sender.sent, wanted)) from None
    finally:
        progress.close()
        source.close()
    summary = summary_of(sent, tally) | {"input": str(wanted.source), "output": str(wanted.to)}
    tell(summary, wanted)
    return summary


def submitted(
    path: Path, model: str | None, priority: str | None, expires_in: float | None, *, fresh: bool
) -> dict[str, Any]:
    """Submit a file and answer what was taken."""
    source = Input(path)
    sender = Sender(desk(), source, Defaults(model, read_priority(priority), expires_in), fresh=fresh)
    try:
        sent = sender.send(lambda _: None)
    finally:
        source.close()
    for line in reported(list(sent.bad.values()), source.name):
        say(line)
    batch = public_id("batch", sent.batch) if sent.batch else None
    return {"batch": batch, "jobs": sent.jobs, "known": sent.known, "invalid": len(sent.bad)}


def send(sender: Sender, source: Input, progress: Progress) -> Sent:
    """Submit every line that can be a job, and report those that cannot."""
    sent = sender.send(lambda so_far: progress.tell(f"submitted {so_far.jobs:,} jobs"))
    for line in reported(list(sent.bad.values()), source.name):
        say(line)
    if sent.known:
        say(f"going on with an earlier run: {sent.known:,} of {sent.jobs:,} jobs were submitted before")
    return sent


def write(where: Desk, sent: Sent, output: Output, tally: Tally, *, progress: Progress, processes: int | None) -> None:
    """Write the output while workers, perhaps our own, work on the jobs."""
    pauses = collect(where.backend, sent, output, tally)
    first = next(pauses, None)
    if sent.batch is not None and first is not None:  # something is still to be done
        with workers(where, processes) as pool:
            for pause in pauses:
                pool.check()
                progress.look(where, sent.batch)
                time.sleep(min(pause.seconds, LONGEST_NAP))
            progress.look(where, sent.batch, force=True)
            progress.close()
    output.finish()


def read_priority(name: str | None) -> Priority | None:
    try:
        return Priority(name) if name else None
    except ValueError:
        raise InvalidRequest("--priority", f"expected {' or '.join(Priority)}, got {name!r}.") from None


def summary_of(sent: Sent, tally: Tally) -> dict[str, Any]:
    return {
        "batch": public_id("batch", sent.batch) if sent.batch else None,
        "lines": sent.lines,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "errors": dict(tally.errors.most_common()),
        "cost_usd": round(tally.cost_usd, 6),
    }


def tell(summary: dict[str, Any], wanted: Wanted) -> None:
    """Print how it ended: as data with ``--json``, unless stdout has the answers; else a sentence on stderr."""
    if scene().json and wanted.to != STDIO:
        show(summary, str)
        return
    if wanted.quiet and not summary["failed"]:
        return
    cost = f", ${summary['cost_usd']:.4f}" if summary["cost_usd"] else ""
    say(f"{summary['succeeded']:,} of {summary['lines']:,} lines succeeded{cost}: {summary['output']}")
    if summary["failed"]:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in summary["errors"].items())
        say(f"{summary['failed']:,} failed ({kinds}); each says why in its line of the output")
    if set(summary["errors"]) - {"invalid_request", "dropped"}:
        say(f"`holdfast dlq replay --batch {summary['batch']}` has dead ones tried again; then run this again")


def how_to_resume(sent: Sent, wanted: Wanted) -> str:
    """Say what is safe and how to go on."""
    if sent.batch is None:
        return "interrupted before a job was submitted"
    batch = public_id("batch", sent.batch)
    without = " without --fresh" if wanted.fresh else ""
    return (
        f"interrupted. {sent.jobs:,} jobs are safe in the storage, and nothing that is done is done again. "
        f"Run the same command{without} to go on, or give them up with `holdfast batch cancel {batch}`."
    )
