"""``holdfast top``: what ``status`` shows, live."""

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from typer import Option

from holdfast.cli.context import backend, context
from holdfast.cli.show import out, show
from holdfast.cli.status import draw_status
from holdfast.cli.tables import Drawing, plain, stack
from holdfast.model.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast.client.backend import Backend


def top(
    every: Annotated[float, Option(min=0.2, help="Look again after so many seconds.", metavar="SECONDS")] = 2.0,
) -> None:
    """Show what `status` shows, again and again until Ctrl-C. Into a file or a pipe, and with --json, once."""
    source = backend()
    if context().json or not sys.stdout.isatty():
        show(source.status(), draw_status)
        return
    from rich.live import Live

    with Live(console=out(), screen=True, auto_refresh=False) as live, suppress(KeyboardInterrupt):
        while True:
            live.update(page(source, every), refresh=True)
            time.sleep(every)


def page(source: "Backend", every: float) -> Drawing:
    """Draw everything at one moment, or why it cannot be seen."""
    head = f"{time.strftime('%H:%M:%S', time.gmtime())} UTC, every {every:g} s; Ctrl-C ends it"
    try:
        return stack(head, "", draw_status(source.status()))
    except HoldfastError as error:
        return stack(head, "", plain(f"holdfast: {error}"))
