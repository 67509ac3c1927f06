"""``holdfast route``: see how providers are, and overrule their breakers."""

from typing import Annotated

from typer import Argument

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import (
    COLORS,
    Columns,
    Drawing,
    Markup,
    View,
    facts_table,
    paint,
    said,
    stack,
    table,
    view_table,
)

group = Noun("Routes: list, show, open, close, reset.")
Name = Annotated[str, Argument(help="The route, PROVIDER/MODEL.", metavar="ROUTE")]


@group.command("list")
def list_routes() -> None:
    """List configured routes with breakers, request limits and calls in flight."""
    show({"routes": backend().routes()["routes"]}, draw_listed)


@group.command("show")
def show_route(route: Name) -> None:
    """Show one route: its breakers, its buckets, and for each credential the request limit and where it is from."""
    from holdfast.model.errors import NotFound

    found = [each for each in backend().routes()["routes"] if each["name"] == route]
    if not found:
        raise NotFound("route", route)
    show(found[0], draw_route)


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
    """Lift an override, and forget what is held against a route: breakers, pauses, and limits that were learned."""
    show(backend().reset(route), said("{0} is open to calls as its breaker says, which starts anew"))


def draw_routes(view: View) -> Drawing:
    """Draw the routes with what the gate keeps of them."""
    return view_table(view["routes"], ROUTES, empty="no routes are configured")


def draw_route(route: View) -> Drawing:
    """Draw what is known of one route."""
    facts = {"route": route["name"], "serves": ", ".join(route["models"]), "breaker": breaker(route)}
    forced = route["override"] and f"forced {route['override']}"
    more = {"override": forced, "in flight": route["in_flight"], "now": now(route) or None}
    limits = {f"limit of {each['credential']}": each["words"] for each in route["limits"]}
    return facts_table(facts | more | limits | {f"bucket {each['name']}": fill(each) for each in route["buckets"]})


def fill(bucket: View) -> str:
    """Say what a bucket holds of each dimension."""
    return "; ".join(
        f"{name.replace('_', ' ')} {each['level']:,.0f} of {each['capacity']:,.0f}, {each['per_minute']:,.0f}/min"
        for name, each in bucket["dimensions"].items()
    )


def draw_listed(view: View) -> Drawing:
    """Draw the routes, then the request limit that each credential keeps to, and where it is from."""
    limits = [
        (route["name"], each["credential"], each["words"]) for route in view["routes"] for each in route["limits"]
    ]
    return stack(draw_routes(view), "", table(("route", "credential", "requests"), limits, empty=""))


def breaker(route: View) -> Markup:
    """Tell a route's worst breaker in words, with the field's term beside them."""
    from holdfast.policy.breaker_words import breaker_words

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
