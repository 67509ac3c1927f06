"""``holdfast submit``: hand jobs in and leave."""

from typing import Annotated

from typer import Exit, Option

from holdfast.cli.context import backend
from holdfast.cli.duration_option import ExpiresIn
from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.options import (
    IdColumn,
    Model,
    ModelMap,
    NotBefore,
    PriorityName,
    PromptColumn,
    Source,
    Template,
    job_defaults,
)
from holdfast.cli.show import say, show
from holdfast.cli.tables import View, plain


def submit(
    *,
    source: Source,
    model: Model = None,
    models: ModelMap = None,
    prompt_column: PromptColumn = None,
    template: Template = None,
    id_column: IdColumn = None,
    priority: PriorityName = None,
    expires_in: ExpiresIn = None,
    not_before: NotBefore = None,
    webhook: Annotated[
        str | None, Option(help="URL that is told by a signed POST when the batch has ended.", metavar="URL")
    ] = None,
    fresh: Annotated[bool, Option("--fresh", help="Make new jobs even if this input was submitted before.")] = False,
) -> None:
    """Submit every line of a file as a batch, and leave: only the database has to be up. Exit status 3 when some lines
    cannot be jobs; the good ones are submitted all the same.
    """
    from holdfast.cli.jsonl_input import JsonlInput
    from holdfast.cli.model_choice import ModelChoice, read_map
    from holdfast.cli.table_input import RowOptions
    from holdfast.cli.upload import Uploader
    from holdfast.telemetry.export import export_spans

    export_spans("holdfast")
    with JsonlInput(source, RowOptions(prompt_column, template, id_column)) as lines:
        defaults = job_defaults(model, priority, expires_in, not_before)
        choice = ModelChoice(model, read_map(models or ()))
        sent = Uploader(backend(), lines, defaults, fresh=fresh, models=choice, webhook=webhook).send()
    show({"batch": sent.batch, "jobs": sent.jobs, "known": sent.known, "invalid": len(sent.bad)}, draw)
    if sent.batch:
        say(f"collect the answers with `holdfast batch results {sent.batch} -o OUT.jsonl`")
    if sent.bad:
        raise Exit(SOME_FAILED)


def draw(answer: View) -> str:
    """Say what was taken."""
    if answer["batch"] is None:
        return "no line could become a job"
    again = f", {answer['known']} of them before" if answer["known"] else ""
    return plain(f"{answer['batch']}: {answer['jobs']} jobs submitted{again}")
