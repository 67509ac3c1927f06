"""``holdfast batch``: look at batches, wait for one, collect its answers, cancel it."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from holdfast.cli import filters
from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.duration_option import Timeout
from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.options import OutputName, PageLimit, output_form
from holdfast.cli.show import say, show
from holdfast.cli.tables import (
    Columns,
    Drawing,
    View,
    counted,
    draw_acted,
    facts_table,
    made,
    paged,
    paint,
    plain,
    view_table,
)

group = Noun("Batches: list, show, wait, results, cancel.")
LATER = 75  # exit status: try later
Name = Annotated[str, Argument(help="The batch's id.", metavar="BATCH")]


@group.command("list")
@filters.batch_filters
def list_batches(
    *,
    where: filters.BatchWhere,
    limit: PageLimit = 20,
    cursor: Annotated[str | None, Option(help="Go on after this batch.", metavar="BATCH")] = None,
) -> None:
    """List batches, newest first."""
    show(backend().batches(limit, cursor, where), draw_batches)


@group.command("show")
def show_batch(batch: Name) -> None:
    """Show a batch with its jobs counted by state."""
    show(backend().batch(batch), draw_batch)


@group.command("wait")
def wait_for(
    *,
    batch: Name,
    timeout: Timeout = None,
) -> None:
    """Wait until every job of a batch has ended."""
    from holdfast.cli.batch_results import await_batch

    where = backend()
    await_batch(where, batch, timeout)
    show(where.batch(batch), draw_batch)


@group.command()
def results(
    *,
    batch: Name,
    to: Annotated[Path, Option("--to", "-o", help="Where to write; - for standard output.", metavar="OUT.jsonl")],
    output: OutputName = "auto",
) -> None:
    """Write a line for each job that has ended, in input order. Exit status 3 when some failed, 75 when some have not
    ended.
    """
    from holdfast.cli.batch_results import write_results

    done = write_results(backend(), batch, to, output_form(output))
    if str(to) != "-":
        show(done, draw_results)
    if done["waiting"]:
        say(f"{done['waiting']:,} jobs have not ended: `holdfast batch wait {done['batch']}` waits for them")
        raise Exit(LATER)
    if done["failed"]:
        raise Exit(SOME_FAILED)


@group.command()
def cancel(batch: Name) -> None:
    """Cancel every job of a batch that has not ended."""
    show(backend().cancel_batch(batch), draw_acted)


BATCHES: Columns = {
    "batch": "id",
    "name": "name",
    "jobs": "total",
    "of which": lambda batch: counted(batch["counts"]),
    "made": made,
}


def draw_batches(view: View) -> Drawing:
    """Draw a page of batches."""
    return paged(view_table(view["batches"], BATCHES, empty="no batches"), view)


def draw_results(done: View) -> Drawing:
    """Say what was written."""
    return plain(f"{done['succeeded']:,} answers and {done['failed']:,} errors: {done['output']}")


def draw_batch(batch: View) -> Drawing:
    """Draw one batch."""
    facts = {"batch": batch["id"], "name": batch["name"], "made": batch["created_at"], "jobs": batch["total"]}
    return facts_table(facts | {paint(state): count for state, count in batch["counts"].items() if count})
