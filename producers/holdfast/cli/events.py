"""``holdfast events``: what ended, as a page or as it happens."""

import sys
from typing import Annotated

from typer import Option

from holdfast.cli import filters
from holdfast.cli.context import backend, context
from holdfast.cli.errors import Interrupted
from holdfast.cli.options import PageLimit
from holdfast.cli.show import as_line, show
from holdfast.cli.tables import Columns, Drawing, View, fault_words, made, printable, stack, view_table

Follow = Annotated[
    bool, Option("--follow", "-f", help="Go on as things happen, until Ctrl-C; with --json a line each.")
]
After = Annotated[
    str | None,
    Option(
        help="Begin behind this event, or `oldest` or `newest` (default: oldest; with --follow newest).",
        metavar="EVENT",
    ),
]


@filters.event_filters
def events(*, where: filters.EventWhere, after: After = None, follow: Follow = False, limit: PageLimit = 100) -> None:
    """List what ended, oldest first: jobs and batches, as far back as storage.keep_events says. Go on behind the last
    one with --after.
    """
    if follow:
        follow_events(where, after)
    else:
        from holdfast.client.event_stream import OLDEST

        show(backend().events(where, after or OLDEST, limit), draw_events)


def follow_events(where: filters.EventWhere, after: str | None) -> None:
    """Print events as they come. It goes on when the server or the database comes back, with none left out."""
    from holdfast.client.event_stream import EventStream

    stream = EventStream(backend(), where, after, outage=float("inf"))
    write = as_line if context().json else draw_event
    try:
        while True:
            sys.stdout.write(f"{write(stream.next_view())}\n")
            if not stream.is_ready:
                sys.stdout.flush()
    except KeyboardInterrupt:
        raise Interrupted(f"the same command with --after {stream.last_id} goes on behind the last event") from None


def told(event: View) -> str:
    """Say how something ended, beside its kind."""
    if "counts" not in event:
        return fault_words(event["fault"])
    return ", ".join(f"{count} {state}" for state, count in event["counts"].items())


EVENTS: Columns = {
    "event": "id",
    "at": made,
    "what": "kind",
    "of": lambda event: event.get("job") or event["batch"],
    "custom id": lambda event: event.get("custom_id"),
    "told": told,
}


def draw_event(event: View) -> str:
    """Draw an event as a line."""
    of = event.get("job") or event["batch"]
    name = event.get("custom_id") or ""
    return printable(" ".join(filter(None, (event["created_at"], event["kind"], of, name, told(event)))))


def draw_events(page: View) -> Drawing:
    """Draw a page of events."""
    drawn = view_table(page["events"], EVENTS, empty="nothing ended that is kept")
    return stack(drawn, f"more: --after {page['next']}") if page["events"] else drawn
