"""``holdfast route``: see how providers are, and overrule their breakers."""

from typing import Annotated

from typer import Argument

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import draw_acted, draw_routes

group = Noun("Routes: list, open, close, reset.")
Name = Annotated[str, Argument(help="The route, PROVIDER/MODEL.", metavar="ROUTE")]


@group.command("list")
def list_routes() -> None:
    """List configured routes with breakers, rates and calls in flight."""
    show({"routes": backend().routes()["routes"]}, lambda view: draw_routes(view["routes"]))


@group.command("open")
def open_route(route: Name) -> None:
    """Let no call take a route until it is closed or reset. Its jobs wait, or take other routes."""
    show(backend().force(route, "open"), draw_acted)


@group.command()
def close(route: Name) -> None:
    """Let every call take a route, whatever its breaker hears, until it is reset."""
    show(backend().force(route, "closed"), draw_acted)


@group.command()
def reset(route: Name) -> None:
    """Lift an override, and forget what breakers and pauses hold against a route."""
    show(backend().reset(route), draw_acted)
