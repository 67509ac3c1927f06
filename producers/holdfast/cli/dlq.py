"""``holdfast dlq``: dead letters. What changes them shows its plan, and acts with ``--yes`` only."""

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Exit, Option

from holdfast.cli import filters
from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.job import draw_job, draw_jobs
from holdfast.cli.options import PageLimit
from holdfast.cli.show import say, show
from holdfast.cli.tables import Columns, Drawing, View, fault_words, plain, view_table
from holdfast.model.errors import Conflict

if TYPE_CHECKING:
    from holdfast.client.bulk_order import BulkOrder

group = Noun("Dead letters: list, show, groups, replay, drain, export, drop; pause, resume, abort.")
Limit = Annotated[int | None, Option(min=1, help="At most this many jobs (default: all that the filter fits).")]
Wait = Annotated[bool, Option(help="Tell how far it is until it ends.")]
OperationId = Annotated[str, Argument(help="The operation's id.", metavar="OPERATION")]
FIRST_WAIT, NEXT_WAIT = 2.0, 1.0  # seconds until it is told how far an operation is, and told again
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
    per_minute: Annotated[
        float | None, Option(min=0.001, help="Release rate (default: as fast as their lanes drain).")
    ] = None,
    to_model: Annotated[
        str | None, Option("--to-model", help="Have them ask for another model.", metavar="MODEL")
    ] = None,
    max_tokens: Annotated[int | None, Option(min=1, help="Let their answers have so many tokens.")] = None,
    yes: Yes = False,
    wait: Wait = True,
) -> None:
    """Put dead letters back on their lane, oldest first, as an operation that goes on by itself."""
    from holdfast.client.bulk_order import BulkOrder
    from holdfast.model.records import ReplayEdit

    order = BulkOrder("replay", where, limit, per_minute, ReplayEdit(to_model, max_tokens))
    plan = planned(order, yes=yes)
    if per_minute:
        plan["minutes"] = math.ceil(plan["jobs"] / per_minute)
    require_yes(yes, plan)
    operate(order, wait=wait)


@group.command()
@filters.named_dead_letters
def drain(
    *,
    where: filters.Where,
    to: Annotated[Path, Option("--output", "-o", help="New file for the dead letters, one a line.", metavar="FILE")],
    limit: Limit = None,
    yes: Yes = False,
) -> None:
    """Move dead letters into a file, from which `holdfast run` can take them again."""
    refuse_existing(to)
    from holdfast.client.bulk_order import BulkOrder

    order = BulkOrder("drain", where, limit)
    plan = planned(order, yes=yes) | {"to": str(to)}
    require_yes(yes, plan)
    done = follow(order, next_step=f"holdfast dlq export {{}} -o {to} fetches them when it has ended")
    fetch(done["operation"], to)
    show(plan | {"jobs": done["jobs"], "operation": done["operation"]}, draw_bulk)


@group.command()
def export(
    operation: OperationId,
    to: Annotated[Path, Option("--output", "-o", help="New file for the dead letters, one a line.", metavar="FILE")],
) -> None:
    """Fetch what a drain has taken, then delete it from the database."""
    refuse_existing(to)
    found = backend().operation(operation)
    fetch(operation, to)
    show({"action": "drain", "jobs": found["jobs"], "to": str(to), "dry_run": False}, draw_bulk)


def refuse_existing(to: Path) -> None:
    """Raise Conflict where a file would be overwritten."""
    if to.exists():
        raise Conflict(str(to), "exists already, and a drain overwrites nothing. Name a new file.")


def fetch(operation: str, to: Path) -> None:
    """Write an export to a file, and delete it once it is on the disk."""
    dead_letters = backend()
    dead_letters.export(operation, to)
    dead_letters.delete_export(operation)


@group.command()
@filters.named_dead_letters
def drop(
    *,
    where: filters.Where,
    limit: Limit = None,
    yes: Yes = False,
    wait: Wait = True,
) -> None:
    """Remove dead letters for good, as an operation that goes on by itself."""
    from holdfast.client.bulk_order import BulkOrder

    order = BulkOrder("drop", where, limit)
    require_yes(yes, planned(order, yes=yes))
    operate(order, wait=wait)


@group.command()
def operations() -> None:
    """List the newest replays, drains and drops, and how far they are."""
    show(backend().operations(), draw_operations)


@group.command()
def pause(operation: OperationId) -> None:
    """Move no more jobs of an operation until it is resumed."""
    show(backend().operation(operation, "pause"), draw_operation)


@group.command()
def resume(operation: OperationId) -> None:
    """Go on with a paused operation."""
    show(backend().operation(operation, "resume"), draw_operation)


@group.command()
def abort(operation: OperationId) -> None:
    """End an operation; what it has moved stays moved."""
    show(backend().operation(operation, "abort"), draw_operation)


def planned(order: "BulkOrder", *, yes: bool) -> dict[str, Any]:
    """Ask what an order would do."""
    return {"action": order.action, **backend().plan_bulk(order), "dry_run": not yes}


def operate(order: "BulkOrder", *, wait: bool) -> None:
    """Open an operation, and show it; with ``wait`` once it has ended."""
    show({**follow(order, wait=wait), "dry_run": False}, draw_operation)


def follow(order: "BulkOrder", *, wait: bool = True, next_step: str = "") -> View:
    """Open an operation, and tell how far it is until it ends; Ctrl-C leaves it to the workers.

    ``next_step``: what is said then besides; a drain's letters are still to be fetched, so Ctrl-C ends the command.
    """
    dead_letters = backend()
    found = dead_letters.act(order, FIRST_WAIT)
    try:
        while wait and found["state"] in {"running", "paused"}:
            say(draw_operation(found))
            time.sleep(NEXT_WAIT)
            found = dead_letters.operation(found["operation"])
    except KeyboardInterrupt:
        say(f"it goes on: holdfast dlq abort {found['operation']} ends it")
        if next_step:
            say(next_step.format(found["operation"]))
            raise
    return found


def require_yes(yes: bool, plan: dict[str, object]) -> None:  # noqa: FBT001 - the option itself
    """Go on with ``--yes``; without it show the plan and leave."""
    if not yes:
        show(plan, draw_bulk)
        say(f"nothing changed; add --yes to {plan['action']} them")
        raise Exit


GROUPS: Columns = {
    "jobs": "jobs", "fault": lambda group: fault_words(group["fault"]), "provider": "provider",
    "status": "status_code", "code": "code",
    "newest": "newest", "cause": "cause", "message": "message",
}  # fmt: skip
OPERATIONS: Columns = {name: name for name in ("operation", "action", "state", "jobs", "eligible", "actor")}


def draw_groups(view: View) -> Drawing:
    """Draw dead letters by what they died of."""
    return view_table(view["groups"], GROUPS, empty="no dead letters")


def draw_operations(view: View) -> Drawing:
    return view_table(view["operations"], OPERATIONS, empty="no operations of late")


def draw_operation(view: View) -> str:
    """Say how far an operation is."""
    of = f" of {view['eligible']}" if view["eligible"] is not None else ""
    return f"{view['action']} {view['operation']}: {view['jobs']}{of} dead letters, {view['state']}"


def draw_bulk(view: View) -> str:
    """Say what a bulk action does, or would do."""
    doing = f"would {view['action']}" if view["dry_run"] else f"{view['action']}:"
    over = f", over {view['minutes']} minutes" if view.get("minutes", 0) > 1 else ""
    for each in view.get("routes", ()):
        cost = "an unknown price" if each["cost_usd"] is None else f"${each['cost_usd']:.2f} at most"
        over += f"; {each['jobs']} of {plain(each['model'])} to {plain(each['route'] or 'no route')} for {cost}"
    return f"{doing} {view['jobs']} dead letters{over}" + (f", into {plain(view['to'])}" if "to" in view else "")
