"""A file of prompts becomes a file of answers: submit, keep workers running, write what has ended."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from holdfast.cli.context import backend as open_backend
from holdfast.cli.context import context
from holdfast.cli.download import OutputTotals, answer_file, collect
from holdfast.cli.errors import Interrupted
from holdfast.cli.input_file import STDIO
from holdfast.cli.jsonl_input import JsonlInput
from holdfast.cli.model_choice import ModelChoice
from holdfast.cli.own_workers import workers
from holdfast.cli.progress import Progress, open_progress
from holdfast.cli.show import say, show
from holdfast.cli.tables import View
from holdfast.cli.upload import Upload, Uploader
from holdfast.client.backend import Backend, JobDefaults
from holdfast.client.batch_output import OutputForm
from holdfast.client.batch_progress import BatchProgress
from holdfast.model.errors import InvalidRequest

LONGEST_NAP = 0.5  # seconds between two looks at our workers and at the progress


@dataclass(frozen=True, slots=True)
class FileRun:
    """One ``holdfast run``. ``processes`` of a pool of our own, where one is needed."""

    source: Path
    to: Path
    defaults: JobDefaults
    processes: int | None
    form: OutputForm
    models: ModelChoice
    fresh: bool
    quiet: bool
    totals: OutputTotals = field(default_factory=OutputTotals)

    def run(self) -> View:
        """Carry it out, report how it ended, and return that. Raises Interrupted, InvalidRequest."""
        if self.to != STDIO and self.source.resolve() == self.to.resolve():
            raise InvalidRequest("-o", "is the input itself.", "Name another file.")
        with JsonlInput(self.source) as source, answer_file(self.to) as output:
            backend = open_backend()
            uploader = Uploader(backend, source, self.defaults, fresh=self.fresh, models=self.models)
            progress = open_progress(quiet=self.quiet)
            try:
                sent = uploader.send(lambda so_far: progress.show(f"submitted {so_far.jobs:,} jobs"))
                waited = self._write(backend, sent, output, progress)
            except KeyboardInterrupt:
                progress.close()
                raise Interrupted(self._how_to_resume(uploader.sent)) from None
            finally:
                progress.close()
        if sent.jobs and sent.known == sent.jobs and not waited:
            say(f"nothing new, nothing paid: all {sent.jobs:,} jobs of this input had ended before")
        summary = self._summary(sent)
        self._report(summary)
        return summary

    def _write(self, backend: Backend, sent: Upload, output: IO[bytes], progress: Progress) -> bool:
        """Write the output while workers, perhaps our own, work on the jobs; tell whether there was one to wait for."""
        pauses = collect(backend, sent, output, self.totals, self.form)
        first = next(pauses, None)
        if sent.batch is None or first is None:
            return False
        if sent.known:
            say(f"going on with an earlier run: {sent.known:,} of {sent.jobs:,} jobs were submitted before")
        look = BatchProgress(backend, sent.batch).sentence
        with workers(backend, self.processes) as check:
            for pause in pauses:
                check()
                progress.look(look)
                time.sleep(min(pause.seconds, LONGEST_NAP))
            progress.look(look, force=True)
            progress.close()
        return True

    def _summary(self, sent: Upload) -> View:
        return {
            "batch": sent.batch,
            "lines": sent.lines,
            "succeeded": self.totals.succeeded,
            "failed": self.totals.failed,
            "errors": dict(self.totals.errors.most_common()),
            "cost_usd": round(self.totals.cost_usd, 6),
            "input": str(self.source),
            "output": str(self.to),
        }

    def _report(self, summary: View) -> None:
        """Print how it ended: as data with ``--json``, unless stdout has the answers; else a sentence on stderr."""
        if context().json and self.to != STDIO:
            show(summary, str)
            return
        if self.quiet and not summary["failed"]:
            return
        cost = f", ${summary['cost_usd']:.4f}" if summary["cost_usd"] else ""
        say(f"{summary['succeeded']:,} of {summary['lines']:,} lines succeeded{cost}: {summary['output']}")
        if summary["failed"]:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in summary["errors"].items())
            say(f"{summary['failed']:,} failed ({kinds}); each says why in its line of the output")
        if set(summary["errors"]) - {"invalid_request", "dropped"}:
            say(f"`holdfast dlq replay --batch {summary['batch']}` has dead ones tried again; then run this again")

    def _how_to_resume(self, sent: Upload) -> str:
        """Say what is safe and how to go on."""
        if sent.batch is None:
            return "interrupted before a job was submitted"
        without = " without --fresh" if self.fresh else ""
        return (
            f"interrupted. {sent.jobs:,} jobs are safe in the storage, and nothing that is done is done again. "
            f"Run the same command{without} to go on, or give them up with `holdfast batch cancel {sent.batch}`."
        )
