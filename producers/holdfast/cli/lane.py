"""``holdfast lane``: see the backlog, stop and go on."""

from typing import Annotated

from typer import Argument

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import draw_acted, draw_lanes

group = Noun("Lanes: list, pause, resume.")
Name = Annotated[str, Argument(help="The lane, such as smart.batch.", metavar="LANE")]


@group.command("list")
def list_lanes() -> None:
    """List lanes with their jobs by state."""
    show(backend().lanes(), lambda view: draw_lanes(view["lanes"]))


@group.command()
def pause(lane: Name) -> None:
    """Stop starting jobs of a lane. Running ones finish, and submitting goes on."""
    show(backend().pause(lane, paused=True), draw_acted)


@group.command()
def resume(lane: Name) -> None:
    """Start jobs of a lane again."""
    show(backend().pause(lane, paused=False), draw_acted)
