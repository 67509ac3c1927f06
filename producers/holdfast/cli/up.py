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
    detach: Annotated[
        bool,
        Option("--detach", "-d", help="Run in the background, and return when it answers; `down` ends it."),
    ] = False,
) -> None:
    """Run everything in the foreground until Ctrl-C: API, workers, and the embedded storage in ./.holdfast."""
    from holdfast.cli import all_in_one, detached

    known = all_in_one.simulated(context().config) if sim else settings()
    if not detach:
        all_in_one.serve(known, sim=sim, processes=processes, port=port)
        return
    all_in_one.checked(known, port=port)
    said = {"--processes": processes, "--port": port}
    options = [text for name, value in said.items() if value is not None for text in (name, str(value))]
    config = ["--config", str(context().config)] if context().config else []
    detached.start([*config, "up", *(["--sim"] if sim else []), *options])


def down() -> None:
    """End what `holdfast up` runs in this folder. Running calls are finished first; jobs stay where they are."""
    from holdfast.cli import detached

    detached.stop()
