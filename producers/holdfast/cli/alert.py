"""``holdfast alert``: what people were told of."""

from typing import Annotated

from typer import Option

from holdfast.cli.context import installation
from holdfast.cli.options import PageLimit
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, paged, paint, view_table


def alert(
    *,
    limit: PageLimit = 20,
    cursor: Annotated[str | None, Option(help="Go on after this alert.", metavar="ALERT")] = None,
) -> None:
    """List troubles that people were told of, newest first."""
    from holdfast.client.alerts import alerts_page

    show(alerts_page(installation(), limit, cursor), draw_alerts)


ALERTS: Columns = {
    "": lambda each: paint("over", "green") if each["ended_at"] else paint("lasts", "red"),
    "kind": "kind",
    "about": "about",
    "since": "since",
    "what": "sentence",
}


def draw_alerts(view: View) -> Drawing:
    """Draw alerts."""
    return paged(view_table(view["alerts"], ALERTS, empty="nobody was told of anything"), view)
