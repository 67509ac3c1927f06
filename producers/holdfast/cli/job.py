"""``holdfast job``: look at jobs, wait for one, cancel one."""

from typing import Annotated

from typer import Argument, Exit, Option

from holdfast.cli import filters
from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.show import say, show
from holdfast.cli.tables import draw_acted, draw_job, draw_jobs

group = Noun("Jobs: list, show, wait, cancel.")
Name = Annotated[str, Argument(help="The job's id.", metavar="JOB")]


@group.command("list")
@filters.filtered
def list_jobs(
    *,
    where: filters.Where,
    limit: Annotated[int, Option(min=1, max=1000, help="At most this many.")] = 50,
    cursor: Annotated[str | None, Option(help="Go on after this job.", metavar="JOB")] = None,
) -> None:
    """List jobs, newest first."""
    show(backend().jobs(where, limit, cursor), draw_jobs)


@group.command("show")
def show_job(job: Name) -> None:
    """Show one job: its state, its attempts, its reply or what it died of."""
    show(backend().job(job), draw_job)


@group.command()
def wait(
    *,
    job: Name,
    timeout: Annotated[float | None, Option(min=0, help="Give up waiting after so many seconds.")] = None,
) -> None:
    """Wait until a job has ended, and print its answer."""
    from holdfast.cli.wait import await_answer

    if not await_answer(backend(), job, timeout):
        raise Exit(SOME_FAILED)


@group.command()
def cancel(job: Name) -> None:
    """Cancel a job unless it has ended. What it has already sent to a provider may still be billed."""
    answer = backend().cancel(job)
    show(answer, draw_acted)
    if answer["status"] != "cancelled":
        say(f"{answer['id']} had ended before.")
