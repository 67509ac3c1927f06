"""``holdfast job``: look at jobs, wait for one, cancel one."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from typer import Argument, Exit, Option

from holdfast.cli import filters
from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.duration_option import Timeout
from holdfast.cli.errors import SOME_FAILED
from holdfast.cli.options import PageLimit
from holdfast.cli.show import say, show, show_bytes
from holdfast.cli.tables import (
    Columns,
    Drawing,
    Markup,
    View,
    draw_acted,
    facts_table,
    fault_words,
    made,
    paged,
    paint,
    plain,
    stack,
    view_table,
)

group = Noun("Jobs: list, show, wait, cancel.")
LAST = 20  # attempts of a job that are drawn
Name = Annotated[str, Argument(help="The job's id.", metavar="JOB")]


@group.command("list")
@filters.job_filters
def list_jobs(
    *,
    where: filters.Where,
    limit: PageLimit = 50,
    cursor: Annotated[str | None, Option(help="Go on after this job.", metavar="JOB")] = None,
) -> None:
    """List jobs, newest first."""
    show(backend().jobs(where, limit, cursor), draw_jobs)


@group.command("show")
def show_job(
    *,
    job: Name,
    response: Annotated[
        bool, Option("--response", help="Print the provider's answer instead, byte for byte as it came.")
    ] = False,
) -> None:
    """Show one job: its state, its attempts, its reply or what it died of."""
    if response:
        show_bytes(backend().response(job).body)
    else:
        show(backend().job(job), draw_job)


@group.command()
def wait(
    *,
    job: Name,
    timeout: Timeout = None,
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


JOBS: Columns = {
    "job": "id",
    "state": lambda job: paint(job["state"]),
    "custom id": "custom_id",
    "lane": "lane",
    "why": lambda job: fault_words(job["fault"]) or job["why_waiting"],
    "made": made,
}
ATTEMPTS: Columns = {
    "attempt": lambda each: f"{each['generation']}.{each['number']}",
    "route": "route",
    "began": lambda each: made({"created_at": each["started_at"]}),
    "took": lambda each: "" if each["seconds"] is None else f"{each['seconds']:.2f} s",
    "outcome": lambda each: each["outcome"] or "running",
    "fault": lambda each: fault_words(each["fault"]),
    "message": "message",
}


def draw_jobs(view: View) -> Drawing:
    """Draw a page of jobs."""
    return paged(view_table(view["jobs"], JOBS, empty="no jobs"), view)


def draw_job(job: View) -> Drawing:
    """Draw one job with its attempts and how it ended."""
    facts = {
        "job": job["id"],
        "state": Markup(paint(job["state"]) + (f", {plain(job['why_waiting'])}" if job["why_waiting"] else "")),
        "model": f"{job['model']} (lane {job['lane']})",
        "batch": job["batch"] and f"{job['batch']}, place {job['position']}",
        "custom id": job["custom_id"],
        "made": job["created_at"],
        "starts": job["available_at"] if job["state"] == "delayed" else None,
        "ended": job["finished_at"],
        "cost": f"${job['cost_usd']:.6f}" if job["cost_usd"] else None,
        "error": job["error"] and f"{fault_words(job['error']['kind'])}: {job['error']['message']}",
        "changed": "; ".join(f"{each['field']}: {each['note']}" for each in job["mapping"]) or None,
    }
    reply = ["", plain(job["reply"]["text"])] if job["reply"] else []
    return stack(facts_table(facts), *draw_attempts(job["attempts"]), *reply)


def draw_attempts(attempts: Sequence[View]) -> Iterator[Drawing]:
    """Draw the last calls; a job that waited for long has thousands."""
    if len(attempts) > LAST:
        yield f"{len(attempts) - LAST:,} earlier attempts; --json has them all"
    yield view_table(attempts[-LAST:], ATTEMPTS, empty="no attempts yet")
