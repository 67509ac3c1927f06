"""``holdfast submit``: hand jobs in and leave."""

from typing import Annotated

from typer import Exit, Option

from holdfast.cli.context import backend
from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.options import ExpiresIn, Model, PriorityName, Source, job_defaults
from holdfast.cli.show import show
from holdfast.cli.tables import View, plain


def submit(
    *,
    source: Source,
    model: Model = None,
    priority: PriorityName = None,
    expires_in: ExpiresIn = None,
    fresh: Annotated[bool, Option("--fresh", help="Make new jobs even if this input was submitted before.")] = False,
) -> None:
    """Submit every line of a file as a batch, and leave: only the database has to be up. Exit status 3 when some lines
    cannot be jobs; the good ones are submitted all the same.
    """
    from holdfast.cli.jsonl_input import JsonlInput
    from holdfast.cli.upload import Uploader

    with JsonlInput(source) as lines:
        sent = Uploader(backend(), lines, job_defaults(model, priority, expires_in), fresh=fresh).send()
    show({"batch": sent.batch, "jobs": sent.jobs, "known": sent.known, "invalid": len(sent.bad)}, draw)
    if sent.bad:
        raise Exit(SOME_FAILED)


def draw(answer: View) -> str:
    """Say what was taken."""
    if answer["batch"] is None:
        return "no line could become a job"
    again = f", {answer['known']} of them before" if answer["known"] else ""
    return plain(f"{answer['batch']}: {answer['jobs']} jobs submitted{again}")
