"""``holdfast dlq``: dead letters. What changes them shows its plan, and acts with ``--yes`` only."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from holdfast.cli import filters
from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.job import draw_job, draw_jobs
from holdfast.cli.options import PageLimit
from holdfast.cli.show import say, show
from holdfast.cli.tables import Columns, Drawing, View, plain, view_table
from holdfast.model.errors import Conflict

if TYPE_CHECKING:
    from holdfast.client.backend import Backend

group = Noun("Dead letters: list, show, groups, replay, drain, drop.")
Limit = Annotated[int | None, Option(min=1, help="At most this many jobs (default: all that the filter fits).")]
EVERY = 2**31 - 1
AT_ONCE = 100_000  # dead letters that a request to a server may mean
Yes = Annotated[bool, Option("--yes", help="Do it; without this, only show the plan.")]


@group.command("list")
@filters.dead_letter_filters
def list_letters(
    where: filters.Where,
    limit: PageLimit = 50,
    cursor: Annotated[str | None, Option(help="Go on after this job.", metavar="JOB")] = None,
) -> None:
    """List dead letters, newest first."""
    show(backend().jobs(where, limit, cursor), draw_jobs)


@group.command("show")
def show_letter(job: Annotated[str, Argument(help="The job's id.", metavar="JOB")]) -> None:
    """Show one dead letter with its attempts and what it died of."""
    show(backend().job(job), draw_job)


@group.command()
@filters.dead_letter_filters
def groups(where: filters.Where) -> None:
    """Count dead letters by lane and by what they died of, largest group first."""
    show(backend().dead_groups(where), draw_groups)


@group.command()
@filters.named_dead_letters
def replay(
    *,
    where: filters.Where,
    limit: Limit = None,
    per_minute: Annotated[int, Option(min=1, help="Release rate, so a replay is not the next outage.")] = 60,
    yes: Yes = False,
) -> None:
    """Put dead letters back on their lane, oldest first."""
    dead_letters = backend()
    jobs, most = chosen(dead_letters, where, limit)
    plan = {"action": "replay", "jobs": jobs, "minutes": -(-jobs // per_minute), "dry_run": not yes}
    require_yes(yes, plan)
    show(plan | {"jobs": dead_letters.replay(where, most, per_minute)}, draw_bulk)


@group.command()
@filters.named_dead_letters
def drain(
    *,
    where: filters.Where,
    to: Annotated[Path, Option("--output", "-o", help="New file for the dead letters, one a line.", metavar="FILE")],
    limit: Limit = None,
    yes: Yes = False,
) -> None:
    """Write dead letters to a file, from which `holdfast run` can take them again, then remove them."""
    if to.exists():
        raise Conflict(str(to), "exists already, and a drain overwrites nothing. Name a new file.")
    dead_letters = backend()
    jobs, most = chosen(dead_letters, where, limit)
    plan = {"action": "drain", "jobs": jobs, "to": str(to), "dry_run": not yes}
    require_yes(yes, plan)
    show(plan | {"jobs": dead_letters.drain(where, most, to)}, draw_bulk)


@group.command()
@filters.named_dead_letters
def drop(
    *,
    where: filters.Where,
    limit: Limit = None,
    yes: Yes = False,
) -> None:
    """Remove dead letters for good."""
    dead_letters = backend()
    jobs, most = chosen(dead_letters, where, limit)
    plan = {"action": "drop", "jobs": jobs, "dry_run": not yes}
    require_yes(yes, plan)
    show(plan | {"jobs": dead_letters.drop(where, most)}, draw_bulk)


def chosen(dead_letters: "Backend", where: filters.Where, limit: int | None) -> tuple[int, int]:
    """Count the letters that an act takes, and return the limit that says so: those that die meanwhile are not meant.

    A server takes AT_ONCE at most, and says so.
    """
    from holdfast.client.local import LocalBackend

    alone = isinstance(dead_letters, LocalBackend)
    jobs = dead_letters.count(where, limit or (EVERY if alone else AT_ONCE))
    if not alone and jobs == AT_ONCE != limit:
        say(f"a server takes {AT_ONCE:,} at once: run it again for those that are left")
    return jobs, max(jobs, 1)


def require_yes(yes: bool, plan: dict[str, object]) -> None:  # noqa: FBT001 - the option itself
    """Go on with ``--yes``; without it show the plan and leave."""
    if not yes:
        show(plan, draw_bulk)
        say(f"nothing changed; add --yes to {plan['action']} them")
        raise Exit


GROUPS: Columns = {name: name for name in ("jobs", "fault", "lane", "oldest", "newest")}


def draw_groups(view: View) -> Drawing:
    """Draw dead letters by lane and fault."""
    return view_table(view["groups"], GROUPS, empty="no dead letters")


def draw_bulk(view: View) -> str:
    """Say what a bulk action does, or would do."""
    doing = f"would {view['action']}" if view["dry_run"] else f"{view['action']}:"
    over = f", over {view['minutes']} minutes" if view.get("minutes", 0) > 1 else ""
    return f"{doing} {view['jobs']} dead letters{over}" + (f", into {plain(view['to'])}" if "to" in view else "")
