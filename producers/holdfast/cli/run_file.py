"""A file of prompts becomes a file of answers: submit, keep workers running, write what has ended."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from holdfast.cli.budget import Budget, BudgetReached
from holdfast.cli.context import backend as open_backend
from holdfast.cli.context import context
from holdfast.cli.download import OutputTotals, answer_file, collect, refuse_input, write_ended
from holdfast.cli.errors import Interrupted
from holdfast.cli.input_file import STDIO
from holdfast.cli.jsonl_input import JsonlInput
from holdfast.cli.model_choice import ModelChoice
from holdfast.cli.own_workers import OwnWorkers, prepare_workers
from holdfast.cli.progress import Progress, open_progress
from holdfast.cli.run_report import report
from holdfast.cli.run_waiter import LONGEST_NAP, RunWaiter
from holdfast.cli.show import say
from holdfast.cli.table_input import RowOptions
from holdfast.cli.tables import View
from holdfast.cli.upload import Upload, Uploader
from holdfast.client.backend import Backend
from holdfast.client.output_form import OutputForm
from holdfast.client.submit_request import JobDefaults
from holdfast.client.waiting import live


@dataclass(frozen=True, slots=True)
class FileRun:
    """One ``holdfast run``. ``processes`` of a pool of our own, where one is needed; ``budget`` in USD."""

    source: Path
    to: Path
    rows: RowOptions
    defaults: JobDefaults
    processes: int | None
    form: OutputForm
    models: ModelChoice
    budget: float | None = None
    fresh: bool = False
    follow: bool = False
    quiet: bool = False
    totals: OutputTotals = field(default_factory=OutputTotals)

    def run(self) -> View:
        """Carry it out, report how it ended, and return that. Raises Interrupted, BudgetReached, InvalidRequest."""
        refuse_input(self.source, self.to)
        with JsonlInput(self.source, self.rows) as source, answer_file(self.to, in_place=self.follow) as output:
            prepared = prepare_workers(self.processes)
            backend = open_backend()
            uploader = Uploader(backend, source, self.defaults, fresh=self.fresh, models=self.models)
            progress = open_progress(quiet=self.quiet)
            try:
                waited = self._carry_out(backend, uploader, output, progress, prepared)
            except KeyboardInterrupt:
                progress.close()
                raise Interrupted(self._how_to_resume(uploader.sent)) from None
            finally:
                progress.close()
        sent = uploader.sent
        if sent.jobs and sent.known == sent.jobs and not waited:
            say(f"nothing new, nothing paid: all {sent.jobs:,} jobs of this input had ended before")
        summary = self._summary(sent)
        self._report(summary, sent)
        return summary

    def _carry_out(
        self,
        backend: Backend,
        uploader: Uploader,
        output: IO[bytes],
        progress: Progress,
        prepared: OwnWorkers | None,
    ) -> bool:
        """Submit all lines and write all answers; tell whether there was one to wait for."""
        with ExitStack() as stack:
            waiter = RunWaiter(backend, uploader, progress, stack, prepared)

            def show(so_far: Upload) -> None:
                progress.show(f"submitted {so_far.jobs:,} jobs")
                if so_far.jobs > so_far.known:
                    waiter.check_workers()  # the first calls are made while lines are still submitted

            if self.budget is None:
                uploader.send(show)
            else:
                try:
                    uploader.send(show, self._within(self.budget, backend, uploader, waiter).admit)
                except BudgetReached:
                    self._write_so_far(backend, uploader.sent, output)
                    raise
            return self._write(backend, uploader.sent, output, waiter)

    def _within(self, usd: float, backend: Backend, uploader: Uploader, waiter: RunWaiter) -> Budget:
        """Return what lets lines through while they fit."""
        batch = uploader.sent.batch
        return Budget(
            usd,
            self.defaults,
            self.models,
            backend.estimate,
            spent=lambda: backend.spent(uploader.sent.batch) if uploader.sent.batch else 0.0,
            live=lambda: live(backend, uploader.sent.batch) if uploader.sent.batch else 0,
            wait=lambda: waiter.nap(LONGEST_NAP),
            known=sum(backend.counts(batch).values()) if batch else 0,
        )

    def _write_so_far(self, backend: Backend, sent: Upload, output: IO[bytes]) -> None:
        if sent.batch:
            write_ended(backend, sent.batch, self.form, output, self.totals)
            where = self.to if self.follow or self.to == STDIO else f"{self.to}.part"
            say(f"{self.totals.written:,} lines so far: {where}")

    def _write(self, backend: Backend, sent: Upload, output: IO[bytes], waiter: RunWaiter) -> bool:
        """Write the output while workers, perhaps our own, work on the jobs; tell whether there was one to wait for."""
        pauses = collect(backend, sent, output, self.totals, self.form, follow=self.follow)
        first = next(pauses, None)
        if sent.batch is None or first is None:
            return False
        if sent.known:
            say(f"going on with an earlier run: {sent.known:,} of {sent.jobs:,} jobs were submitted before")
        waiter.nap(0.0)
        for pause in pauses:
            waiter.nap(pause.seconds)
        waiter.last_look()
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

    def _report(self, summary: View, sent: Upload) -> None:
        """Print how it ended: as data with ``--json``, unless stdout has the answers; else as sentences on stderr."""
        as_data = context().json and self.to != STDIO
        if as_data or summary["failed"] or not self.quiet:
            report(summary, bad=len(sent.bad), as_data=as_data)

    def _how_to_resume(self, sent: Upload) -> str:
        """Say what is safe and how to go on."""
        if sent.batch is None:
            return "interrupted before a job was submitted"
        without = " without --fresh" if self.fresh else ""
        return (
            f"interrupted. {sent.jobs:,} jobs are safe in the storage, and nothing that is done is done again. "
            f"Run the same command{without} to go on, or give them up with `holdfast batch cancel {sent.batch}`."
        )
