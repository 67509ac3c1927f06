"""``holdfast webhook``: receivers of events, their secrets, and what is on its way to them."""

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from holdfast.cli import filters
from holdfast.cli.command import Noun
from holdfast.cli.context import installation
from holdfast.cli.options import PageLimit
from holdfast.cli.show import say, show
from holdfast.cli.tables import Columns, Drawing, View, paged, paint, said, view_table
from holdfast.client.operator import operator_name
from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import DEFAULT_TENANT
from holdfast.model.webhook import OPERATOR

if TYPE_CHECKING:
    from holdfast.client.webhooks import Webhooks

group = Noun("Webhooks: receivers, signing secrets, deliveries.")
Endpoint = Annotated[str, Argument(help="The receiver's id, as `webhook list` shows it.", metavar="WEBHOOK")]
Tenant = Annotated[str, Option(help="Whose events.")]
COLOURS = {"good": "green", "delivered": "green", "gone": "red", "dead": "red"}
ONCE = "this is the only time that the secret is shown; receivers check signatures with it"


def webhooks() -> "Webhooks":
    from holdfast.client.webhooks import Webhooks

    return Webhooks(installation(), None, operator_name())


@group.command("list", remote=False)
def list_webhooks() -> None:
    """List receivers with their health."""
    show(webhooks().list(), draw_webhooks)


@group.command("add", remote=False)
def add_webhook(
    url: Annotated[str, Argument(help="Where events are sent.", metavar="URL")],
    *,
    event: Annotated[
        list[str] | None, Option(help="Only these, such as batch.completed; may be given again.", metavar="EVENT")
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Send a tenant's events to a URL from now on: all of them, or those named."""
    show(webhooks().add(url, event or (), tenant), said("{0} is told from now on"))


@group.command(remote=False)
def remove(webhook: Endpoint) -> None:
    """Forget a receiver with all that waits for it."""
    show(webhooks().remove(webhook), said("{0} is removed"))


@group.command(remote=False)
def resume(webhook: Endpoint) -> None:
    """Send again, at once, to a receiver that was gone or rests."""
    show(webhooks().resume(webhook), said("{0} is tried again now"))


@group.command(remote=False)
def test(webhook: Endpoint) -> None:
    """Send an event of type webhook.test."""
    show(webhooks().test(webhook), said("{0} is on its way; `holdfast webhook deliveries` tells what became of it"))


@group.command(remote=False)
def secret(
    *,
    tenant: Tenant = DEFAULT_TENANT,
    alerts: Annotated[bool, Option("--alerts", help="Of alerts to the operator.")] = False,
    overlap: Annotated[str, Option(help="How long older secrets sign beside it.", metavar="TIME")] = "24h",
) -> None:
    """Make a signing secret, or a new one beside the old: both sign while they overlap. It is shown this once."""
    seconds = 0.0 if overlap in {"0", "0s"} else parse_duration(overlap)
    if seconds is None:
        raise InvalidRequest("--overlap", f"expected 0s, 30m, 12h or 7d, got {overlap[:40]!r}.")
    view = webhooks().make_secret(OPERATOR if alerts else tenant, seconds)
    say(ONCE)
    show(view, lambda shown: str(shown["secret"]))


@group.command("deliveries", remote=False)
@filters.delivery_filters
def list_deliveries(
    *,
    where: filters.DeliveryWhere,
    limit: PageLimit = 50,
    cursor: Annotated[str | None, Option(help="Go on after this delivery.", metavar="DELIVERY")] = None,
) -> None:
    """List what is on its way, was taken, or was given up, newest first."""
    show(webhooks().deliveries(where, cursor=cursor, limit=limit), draw_deliveries)


@group.command(remote=False)
def redeliver(
    id_: Annotated[str, Argument(help="A delivery, or a receiver: then all of its dead letters.", metavar="ID")],
) -> None:
    """Send an event once more, under the webhook-id that it had."""
    if id_.startswith("wh_"):
        show(webhooks().redeliver_dead(id_), lambda view: f"{view['redelivered']} dead letters are sent once more")
    else:
        show(webhooks().redeliver(id_), said("{0} is sent once more"))


WEBHOOKS: Columns = {
    "webhook": "id",
    "": lambda each: paint(each["state"], COLOURS.get(each["state"], "yellow")),
    "of": lambda each: each["tenant"] or "(alerts)",
    "url": "url",
    "events": lambda each: "those named" if each["events"] is None else " ".join(each["events"]),
    "waiting": "pending",
    "dead": "dead",
    "last failure": "last_failure",
}
DELIVERIES: Columns = {
    "delivery": "id",
    "": lambda each: paint(each["state"], COLOURS.get(each["state"], "yellow")),
    "event": "type",
    "url": "url",
    "attempts": "attempts",
    "answer": "answer",
    "next": "next_at",
}


def draw_webhooks(view: View) -> Drawing:
    """Draw receivers."""
    return view_table(view["webhooks"], WEBHOOKS, empty="nobody is told of anything: `holdfast webhook add URL`")


def draw_deliveries(view: View) -> Drawing:
    """Draw deliveries."""
    return paged(view_table(view["deliveries"], DELIVERIES, empty="nothing is on its way, and nothing was"), view)
