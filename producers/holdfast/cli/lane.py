"""``holdfast lane``: see the backlog, stop and go on."""

from typing import Annotated

from typer import Argument

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, counted, paint, said, view_table
from holdfast.model.durations import lasting

group = Noun("Lanes: list, pause, resume.")
Name = Annotated[str, Argument(help="The lane, such as smart.batch.", metavar="LANE")]


@group.command("list")
def list_lanes() -> None:
    """List lanes with their jobs by state."""
    show(backend().lanes(), draw_lanes)


@group.command()
def pause(lane: Name) -> None:
    """Stop starting jobs of a lane. Running ones finish, and submitting goes on."""
    show(
        backend().pause(lane, paused=True),
        said("no job of {0} starts until `holdfast lane resume {0}`; running ones finish"),
    )


@group.command()
def resume(lane: Name) -> None:
    """Start jobs of a lane again."""
    show(backend().pause(lane, paused=False), said("jobs of {0} start again"))


def draw_lanes(view: View) -> Drawing:
    """Draw the backlog by lane."""
    return view_table(view["lanes"], LANES, empty="no lane has had a job yet")


def empty_in(lane: View) -> str:
    """Say when a lane will be empty, or why that is unknown.

    >>> empty_in({"drain_eta_seconds": 5025.0, "drain_eta_why": "at 12.0 jobs/s, as lately"})
    '1 h 23 min (at 12.0 jobs/s, as lately)'
    >>> empty_in({"drain_eta_seconds": None, "drain_eta_why": "waits for a/m until 12:00:30 UTC"})
    'waits for a/m until 12:00:30 UTC'
    """
    seconds, why = lane["drain_eta_seconds"], str(lane["drain_eta_why"])
    if seconds is None:
        return why
    return f"{lasting(seconds)} ({why})" if seconds else ""


LANES: Columns = {
    "lane": "name",
    "": lambda lane: paint("paused", "yellow") if lane["paused"] else "",
    "in Redis": "window",
    "jobs": lambda lane: counted(lane["counts"]),
    "empty in": empty_in,
}
