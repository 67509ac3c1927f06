"""Options that several commands have, said once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from holdfast.model.errors import InvalidRequest

if TYPE_CHECKING:
    from holdfast.client.output_form import OutputForm
    from holdfast.client.submit_request import JobDefaults

Source = Annotated[
    Path, Argument(help="JSON lines, CSV or Parquet to read, also packed by gzip; - for standard input.", metavar="IN")
]
PromptColumn = Annotated[
    str | None,
    Option("--prompt-column", help="The column, or key of each line, that holds the prompt.", metavar="NAME"),
]
Template = Annotated[
    str | None,
    Option("--template", help="A prompt with columns in braces: 'Sum up in one line: {text}'.", metavar="TEXT"),
]
IdColumn = Annotated[
    str | None, Option("--id-column", help="The column that becomes custom_id (default: custom_id).", metavar="NAME")
]
Model = Annotated[
    str | None,
    Option(
        "--model", "-m", help="Model of all lines, whatever they name: an alias, provider/model, or a model's name."
    ),
]
ModelMap = Annotated[
    list[str] | None,
    Option("--map", help="Replace a model that lines name; may be given again.", metavar="OLD=NEW"),
]
OutputName = Annotated[
    str,
    Option(
        "--output",
        help="Form of the lines: auto (each as its input line was written), plain, openai or anthropic.",
        metavar="FORM",
    ),
]
PriorityName = Annotated[str | None, Option(help="interactive or batch, for lines that say nothing.")]
NotBefore = Annotated[
    str | None,
    Option(
        help="Let lines that say nothing start no earlier: ISO 8601, or a duration from now, such as 2h.",
        metavar="TIME",
    ),
]
Processes = Annotated[int | None, Option(min=1, max=256, help="Worker processes (default: the configuration's).")]
PageLimit = Annotated[int, Option(min=1, max=1000, help="At most this many.")]


def output_form(name: str) -> "OutputForm":
    """Read the form of an output. Raises InvalidRequest."""
    from holdfast.client.output_form import OutputForm

    try:
        return OutputForm(name)
    except ValueError:
        hint = f"The file to write is -o {name}." if name not in set(OutputForm) else ""
        raise InvalidRequest("--output", f"expected {', '.join(OutputForm)}, got {name!r}.", hint) from None


def job_defaults(
    model: str | None, priority: str | None, expires_in: float | None, not_before: str | None
) -> "JobDefaults":
    """Read what holds for lines that say nothing. Raises InvalidRequest."""
    from holdfast.client.submit_request import JobDefaults
    from holdfast.model.job import Priority
    from holdfast.model.start_time import EXPECTED, parse_start

    start = parse_start(not_before)
    if not_before is not None and start is None:
        raise InvalidRequest("--not-before", f"expected {EXPECTED}, got {not_before!r}.")
    try:
        return JobDefaults(model, Priority(priority) if priority else None, expires_in, start)
    except ValueError:
        raise InvalidRequest("--priority", f"expected {' or '.join(Priority)}, got {priority!r}.") from None
