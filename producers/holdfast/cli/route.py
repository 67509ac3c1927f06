"""``holdfast route``: see how providers are, and overrule their breakers."""

from typing import Annotated

from typer import Argument

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import COLORS, Columns, Drawing, Markup, View, paint, said, view_table

group = Noun("Routes: list, open, close, reset.")
Name = Annotated[str, Argument(help="The route, PROVIDER/MODEL.", metavar="ROUTE")]


@group.command("list")
def list_routes() -> None:
    """List configured routes with breakers, rates and calls in flight."""
    show({"routes": backend().routes()["routes"]}, draw_routes)


@group.command("open")
def open_route(route: Name) -> None:
    """Let no call take a route until it is closed or reset. Its jobs wait, or take other routes."""
    show(backend().force(route, "open"), said("no call takes {0} until `holdfast route reset {0}`"))


@group.command()
def close(route: Name) -> None:
    """Let every call take a route, whatever its breaker says, until it is reset."""
    show(
        backend().force(route, "closed"),
        said("every call may take {0}, whatever its breaker says, until `holdfast route reset {0}`"),
    )


@group.command()
def reset(route: Name) -> None:
    """Lift an override, and forget what breakers and pauses hold against a route."""
    show(backend().reset(route), said("{0} is open to calls as its breaker says, which starts anew"))


def draw_routes(view: View) -> Drawing:
    """Draw the routes with what the gate keeps of them."""
    return view_table(view["routes"], ROUTES, empty="no routes are configured")


def breaker(route: View) -> Markup:
    """Tell a route's worst breaker in words, with the field's term beside them."""
    from holdfast.policy.outage_sentence import breaker_words

    ramps = any(each["words"].startswith("recovering") for each in route["breakers"])
    return paint(breaker_words(route["state"], ramps=ramps), COLORS.get(route["state"]))


def now(route: View) -> str:
    """Tell what keeps calls from a route now."""
    from holdfast.client.batch_progress import obstacles

    return "; ".join(obstacles(route))


ROUTES: Columns = {
    "route": "name",
    "breaker": breaker,
    "override": lambda route: route["override"] and f"forced {route['override']}",
    "in flight": "in_flight",
    "serves": lambda route: ", ".join(route["models"]),
    "now": now,
}
