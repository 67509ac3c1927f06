"""``holdfast up``: API, workers and storage on one machine, with one command."""

from typing import Annotated

from typer import Option

from holdfast.cli.context import context, settings
from holdfast.cli.options import Processes


def up(
    *,
    sim: Annotated[
        bool, Option("--sim", help="Add two simulated providers, and use them instead of real ones.")
    ] = False,
    processes: Processes = None,
    port: Annotated[
        int | None, Option(min=1, max=65_535, help="Port of the API (default: the configuration's).")
    ] = None,
) -> None:
    """Run everything in the foreground until Ctrl-C: API, workers, and the embedded storage in ./.holdfast."""
    from holdfast.cli import all_in_one

    known = all_in_one.simulated(context().config) if sim else settings()
    all_in_one.serve(known, sim=sim, processes=processes, port=port)
