"""``holdfast demo``: the main job on simulated providers, in under 90 seconds."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

from typer import Exit, Option


def demo(
    directory: Annotated[Path, Option("--output", "-o", help="Where the report goes.", metavar="DIRECTORY")] = Path(
        "demo"
    ),
) -> None:
    """Submit a batch, break a provider in the middle, watch the jobs wait and reroute, heal it, print a report."""
    run = import_module("holdfast.lab.demo.run").run  # beside us, not below us: reached by name only
    raise Exit(run(directory))
