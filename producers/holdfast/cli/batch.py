"""``holdfast batch``: look at batches, cancel one."""

from typing import Annotated

from typer import Argument, Option

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import draw_acted, draw_batch, draw_batches

group = Noun("Batches: list, show, cancel.")
Name = Annotated[str, Argument(help="The batch's id.", metavar="BATCH")]


@group.command("list")
def list_batches(
    *,
    limit: Annotated[int, Option(min=1, max=1000, help="At most this many.")] = 20,
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
