"""``holdfast route``: see how providers are, and overrule their breakers."""

from typing import Annotated

from typer import Argument

from holdfast.cli.command import Noun
from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import COLORS, Columns, Drawing, Markup, View, draw_acted, paint, view_table

group = Noun("Routes: list, open, close, reset.")
Name = Annotated[str, Argument(help="The route, PROVIDER/MODEL.", metavar="ROUTE")]


@group.command("list")
def list_routes() -> None:
    """List configured routes with breakers, rates and calls in flight."""
    show({"routes": backend().routes()["routes"]}, draw_routes)


@group.command("open")
def open_route(route: Name) -> None:
    """Let no call take a route until it is closed or reset. Its jobs wait, or take other routes."""
    show(backend().force(route, "open"), draw_acted)


@group.command()
def close(route: Name) -> None:
    """Let every call take a route, whatever its breaker says, until it is reset."""
    show(backend().force(route, "closed"), draw_acted)


@group.command()
def reset(route: Name) -> None:
    """Lift an override, and forget what breakers and pauses hold against a route."""
    show(backend().reset(route), draw_acted)


def draw_routes(view: View) -> Drawing:
    """Draw the routes with what the gate keeps of them."""
    return view_table(view["routes"], ROUTES, empty="no routes are configured")


def obstacles(route: View) -> list[str]:
    """Say in words what keeps calls from a route now.

    >>> breaker = {"scope": "route:a/b", "state": "open", "words": "stopped (open)", "retry_in": 2.5}
    >>> obstacles({"breakers": [breaker], "buckets": []})
    ['stopped (open), asked again in 2.5 s']
    """
    said: list[str] = []
    for breaker in route["breakers"]:
        if breaker["state"] in {"open", "half_open"}:
            kind, _, _ = breaker["scope"].partition(":")
            name = "" if kind == "route" else f"{kind} "
            wait = breaker["retry_in"]
            said.append(f"{name}{breaker['words']}, {f'asked again in {wait:.1f} s' if wait else 'being asked now'}")
    said += [f"rate limited for {each['paused_for']:.1f} s more" for each in route["buckets"] if each["paused_for"] > 0]
    return said


def trouble(route: View) -> str:
    """Tell a route's outage as one sentence, else what slows it down; "" where nothing does."""
    if route["outage"]:
        return str(route["outage"]["sentence"])
    why = "; ".join(obstacles(route))
    return f"{route['name']} {why}" if why else ""


def breaker(route: View) -> Markup:
    """Tell a route's worst breaker in words, with the field's term beside them."""
    from holdfast.policy.outage_sentence import breaker_words

    ramps = any(each["words"].startswith("recovering") for each in route["breakers"])
    return paint(breaker_words(route["state"], ramps=ramps), COLORS.get(route["state"]))


ROUTES: Columns = {
    "route": "name",
    "breaker": breaker,
    "override": lambda route: route["override"] and f"forced {route['override']}",
    "in flight": "in_flight",
    "serves": lambda route: ", ".join(route["models"]),
    "now": lambda route: "; ".join(obstacles(route)),
}
