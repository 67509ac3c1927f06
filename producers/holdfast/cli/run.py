"""``holdfast run``: a file of prompts in, a file of answers out, whatever the providers do meanwhile."""

from pathlib import Path
from typing import Annotated

from typer import Exit, Option

from holdfast.cli.duration_option import ExpiresIn
from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.options import (
    IdColumn,
    Model,
    ModelMap,
    NotBefore,
    OutputName,
    PriorityName,
    PromptColumn,
    Source,
    Template,
    job_defaults,
    output_form,
)
from holdfast.model.errors import InvalidRequest

AnswersFile = Annotated[
    Path | None,
    Option(
        "--to",
        "-o",
        help="Where to write one line per input line, in order; - for standard output. "
        "It is written as FILE.part and renamed when it is whole.",
        metavar="OUT.jsonl",
    ),
]
Processes = Annotated[int | None, Option(min=1, max=256, help="Worker processes, where no worker is running.")]
Fresh = Annotated[
    bool, Option("--fresh", help="Make new jobs even if this input was run before, and pay for them again.")
]
DryRun = Annotated[
    bool, Option("--dry-run", help="Only count: lines, tokens, and what each route of the plans would cost.")
]
Budget = Annotated[
    float | None,
    Option(min=0.000001, help="Pause before more than so much is spent; a larger one goes on.", metavar="USD"),
]
Follow = Annotated[
    bool, Option("--follow", help="Write each line as soon as its job ends, in that order, into OUT itself.")
]


def run(
    *,
    source: Source,
    to: AnswersFile = None,
    output: OutputName = "auto",
    model: Model = None,
    models: ModelMap = None,
    prompt_column: PromptColumn = None,
    template: Template = None,
    id_column: IdColumn = None,
    priority: PriorityName = None,
    expires_in: ExpiresIn = None,
    not_before: NotBefore = None,
    processes: Processes = None,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    budget: Budget = None,
    follow: Follow = False,
    quiet: Annotated[bool, Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Run every line of a file, and write the answers in the same order.

    Running it again with the same input and model goes on where it stopped, and pays for nothing twice. Lines that
    cannot be jobs are reported and become output lines with an error; exit status 3 when some lines failed, 75 when
    the budget pauses it.
    """
    from holdfast.cli.model_choice import ModelChoice, read_map
    from holdfast.cli.table_input import RowOptions

    rows = RowOptions(prompt_column, template, id_column)
    defaults, choice = job_defaults(model, priority, expires_in, not_before), ModelChoice(model, read_map(models or ()))
    if dry_run:
        from holdfast.cli.dry_run import dry_run as count

        if count(source, rows, defaults, choice)["invalid"]:
            raise Exit(SOME_FAILED)
        return
    if to is None:
        raise InvalidRequest("-o", "says where the answers go, and is missing.", "Name a file, or - for a pipe.")
    from holdfast.cli.run_file import FileRun
    from holdfast.telemetry.export import export_spans

    export_spans("holdfast")
    form = output_form(output)
    run = FileRun(
        source, to, rows, defaults, processes, form, choice, budget=budget, fresh=fresh, follow=follow, quiet=quiet
    )
    if run.run()["failed"]:
        raise Exit(SOME_FAILED)
