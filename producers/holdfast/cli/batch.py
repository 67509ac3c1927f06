"""``holdfast batch``: look at batches, cancel one."""

from typing import Annotated

from typer import Argument, Option

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.options import PageLimit
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, counted, draw_acted, facts_table, made, paged, paint, view_table

group = Noun("Batches: list, show, cancel.")
Name = Annotated[str, Argument(help="The batch's id.", metavar="BATCH")]


@group.command("list")
def list_batches(
    *,
    limit: PageLimit = 20,
    cursor: Annotated[str | None, Option(help="Go on after this batch.", metavar="BATCH")] = None,
) -> None:
    """List batches, newest first."""
    show(backend().batches(limit, cursor), draw_batches)


@group.command("show")
def show_batch(batch: Name) -> None:
    """Show a batch with its jobs counted by state."""
    show(backend().batch(batch), draw_batch)


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


def draw_batch(batch: View) -> Drawing:
    """Draw one batch."""
    facts = {"batch": batch["id"], "name": batch["name"], "made": batch["created_at"], "jobs": batch["total"]}
    return facts_table(facts | {paint(state): count for state, count in batch["counts"].items() if count})
