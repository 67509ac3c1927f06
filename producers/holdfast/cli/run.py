"""``holdfast run``: a file of prompts in, a file of answers out, whatever the providers do meanwhile."""

from pathlib import Path
from typing import Annotated

from typer import Exit, Option

from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.options import ExpiresIn, Model, ModelMap, OutputName, PriorityName, Source, job_defaults, output_form


def run(
    *,
    source: Source,
    to: Annotated[
        Path,
        Option(
            "--to",
            "-o",
            help="Where to write one line per input line, in order; - for standard output. "
            "It is written as FILE.part and renamed when it is whole.",
            metavar="OUT.jsonl",
        ),
    ],
    output: OutputName = "auto",
    model: Model = None,
    models: ModelMap = None,
    priority: PriorityName = None,
    expires_in: ExpiresIn = None,
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
    from holdfast.cli.model_choice import ModelChoice, read_map
    from holdfast.cli.run_file import FileRun

    defaults = job_defaults(model, priority, expires_in)
    if FileRun(
        source,
        to,
        defaults,
        processes,
        form=output_form(output),
        models=ModelChoice(model, read_map(models or ())),
        fresh=fresh,
        quiet=quiet,
    ).run()["failed"]:
        raise Exit(SOME_FAILED)
