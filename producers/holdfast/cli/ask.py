"""``holdfast ask``: one question, answered now or as soon as a provider can."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from holdfast.cli.context import backend
from holdfast.cli.duration_option import Timeout
from holdfast.cli.errors import SOME_FAILED


def ask(
    *,
    prompt: Annotated[str, Argument(help="What to ask; - reads it from standard input.", metavar="PROMPT")],
    model: Annotated[
        str | None, Option("--model", "-m", help="An alias, or provider/model (default: the first alias configured).")
    ] = None,
    files: Annotated[
        list[Path] | None,
        Option("--file", "-f", help="A text, picture or PDF to read with it; may be given again.", metavar="FILE"),
    ] = None,
    system: Annotated[str | None, Option(help="System prompt.")] = None,
    max_tokens: Annotated[int | None, Option(min=1, help="Longest answer, in tokens.")] = None,
    timeout: Timeout = None,
) -> None:
    """Ask one question ahead of all batch work, wait, and print the answer.

    While providers are down it waits, and says why. Ctrl-C keeps the job and prints how to get its answer later.
    """
    from holdfast.cli.own_workers import prepare_workers
    from holdfast.cli.question import default_model, question
    from holdfast.client.submit_request import JobDefaults, SubmitRequest
    from holdfast.model.job import Priority
    from holdfast.telemetry.export import export_spans

    export_spans("holdfast")
    item = question(prompt, files or [], system=system, max_tokens=max_tokens)
    prepared, where = prepare_workers(), backend()
    defaults = JobDefaults(model or default_model(where), Priority.INTERACTIVE)
    job = where.submit(SubmitRequest([item], defaults)).jobs[0].id
    from holdfast.cli.wait import await_answer  # slow to import: the call is under way meanwhile

    if not await_answer(where, job, timeout, prepared):
        raise Exit(SOME_FAILED)
