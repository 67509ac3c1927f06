"""``holdfast up``: API, workers and storage on one machine, with one command."""

from typing import Annotated

from typer import Option

from holdfast.cli.context import context, settings


def up(
    *,
    sim: Annotated[
        bool, Option("--sim", help="Add two simulated providers, and use them instead of real ones.")
    ] = False,
    processes: Annotated[
        int | None, Option(min=1, max=256, help="Worker processes (default: the configuration's).")
    ] = None,
    port: Annotated[
        int | None, Option(min=1, max=65_535, help="Port of the API (default: the configuration's).")
    ] = None,
) -> None:
    """Run everything in the foreground until Ctrl-C: API, workers, and the embedded storage in ./.holdfast."""
    from holdfast.cli import starting

    known = starting.simulated(context().config) if sim else settings()
    starting.serve(known, sim=sim, processes=processes, port=port)
