"""``holdfast submit``: hand jobs in and leave."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.show import show
from holdfast.cli.tables import View, plain


def submit(
    *,
    source: Annotated[Path, Argument(help="JSON lines to read; - for standard input.", metavar="IN.jsonl")],
    model: Annotated[
        str | None, Option("--model", "-m", help="Model of lines that name none: an alias, or provider/model.")
    ] = None,
    priority: Annotated[str | None, Option(help="interactive or batch, for lines that say nothing.")] = None,
    expires_in: Annotated[
        float | None, Option(min=0.001, help="Give up lines that still wait after so many seconds.")
    ] = None,
    fresh: Annotated[bool, Option("--fresh", help="Make new jobs even if this input was submitted before.")] = False,
) -> None:
    """Submit every line of a file as a batch, and leave: only the database has to be up. Exit status 3 when some lines
    cannot be jobs; the good ones are submitted all the same.
    """
    from holdfast.cli.running import submitted

    answer = submitted(source, model, priority, expires_in, fresh=fresh)
    show(answer, draw)
    if answer["invalid"]:
        raise Exit(SOME_FAILED)


def draw(answer: View) -> str:
    if answer["batch"] is None:
        return "no line could become a job"
    again = f", {answer['known']} of them before" if answer["known"] else ""
    return plain(f"{answer['batch']}: {answer['jobs']} jobs submitted{again}")
