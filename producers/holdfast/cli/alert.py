"""``holdfast alert``: what people were told of."""

from typing import Annotated

from typer import Option

from holdfast.cli.context import installation
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, paint, view_table


def alert(*, limit: Annotated[int, Option(min=1, max=1_000, help="At most so many.")] = 20) -> None:
    """List troubles that people were told of, newest first."""
    from holdfast.client.alerts import alerts_view

    show(alerts_view(installation(), limit), draw_alerts)


ALERTS: Columns = {
    "": lambda each: paint("over", "green") if each["ended_at"] else paint("lasts", "red"),
    "kind": "kind",
    "about": "about",
    "since": "since",
    "what": "sentence",
}


def draw_alerts(view: View) -> Drawing:
    """Draw alerts."""
    return view_table(view["alerts"], ALERTS, empty="nobody was told of anything")
