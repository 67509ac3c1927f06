"""``holdfast run``: a file of prompts in, a file of answers out, whatever the providers do meanwhile."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from holdfast.cli.errors import SOME_FAILED


def run(
    *,
    source: Annotated[Path, Argument(help="JSON lines to read; - for standard input.", metavar="IN.jsonl")],
    to: Annotated[
        Path,
        Option(
            "--output",
            "-o",
            help="Where to write one line per input line, in order; - for standard output. "
            "It is written as FILE.part and renamed when it is whole.",
            metavar="OUT.jsonl",
        ),
    ],
    model: Annotated[
        str | None, Option("--model", "-m", help="Model of lines that name none: an alias, or provider/model.")
    ] = None,
    priority: Annotated[str | None, Option(help="interactive or batch, for lines that say nothing.")] = None,
    expires_in: Annotated[
        float | None, Option(min=0.001, help="Give up lines that still wait after so many seconds.")
    ] = None,
    processes: Annotated[
        int | None, Option(min=1, max=256, help="Worker processes, where no worker is running.")
    ] = None,
    fresh: Annotated[
        bool, Option("--fresh", help="Make new jobs even if this input was run before, and pay for them again.")
    ] = False,
    quiet: Annotated[bool, Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Run every line of a file, and write the answers in the same order.

    Running it again with the same input and model goes on where it stopped, and pays for nothing twice. Lines that
    cannot be jobs are reported and become output lines with an error; exit status 3 when some lines failed.
    """
    from holdfast.cli import running

    options = running.RunOptions(source, to, model, priority, expires_in, processes, fresh=fresh, quiet=quiet)
    if running.run(options)["failed"]:
        raise Exit(SOME_FAILED)
