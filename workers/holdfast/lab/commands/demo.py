"""``holdfast demo``: the main job on simulated providers, in under 90 seconds."""

from pathlib import Path
from typing import Annotated

from typer import Exit, Option


def demo(
    directory: Annotated[Path, Option("--output", "-o", help="Where the report goes.", metavar="DIRECTORY")] = Path(
        "demo"
    ),
) -> None:
    """Submit a batch, break a provider in the middle, watch the jobs wait and reroute, heal it, print a report."""
    from holdfast.lab.demo.run import run

    raise Exit(run(directory))
